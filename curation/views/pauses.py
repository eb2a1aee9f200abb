"""What a chief can do while X turns everyone away."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from curation.ingest import pauses
from regions.permissions import CHIEF, rule
from regions.requests import PageRequest


@rule(CHIEF)
@require_POST
def try_again(request: PageRequest) -> HttpResponse:
    """The next who reads is let through; when that succeeds everything goes on."""
    if pauses.try_again(timezone.now()):
        messages.success(request, _("X is tried again within seconds. When it answers, everything goes on."))
    return redirect("home")
