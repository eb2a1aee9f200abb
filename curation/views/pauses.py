"""What a chief can do while X turns everyone away."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from curation import shared_clock
from curation.ingest import pauses
from curation.intake import when
from regions.permissions import CHIEF, rule
from regions.requests import PageRequest


@rule(CHIEF)
@require_POST
def try_again(request: PageRequest) -> HttpResponse:
    """The next who reads is let through; when that succeeds everything goes on."""
    now = shared_clock.now()
    if pauses.try_again(now):
        chance = pauses.wait_for_chance(now)
        if chance and chance > now:
            messages.warning(request, not_before(chance, now))
        else:
            messages.success(request, _("X is tried again within seconds. When it answers, everything goes on."))
    return redirect("home")


def not_before(chance: datetime, now: datetime) -> str:
    """Why X is not asked though someone wants it."""
    told = _("X cannot be asked before %(time)s: our request windows or the budgets do not allow it.")
    return told % {"time": when(chance, now)}
