"""The page behind an invitation's link: for strangers the way to an account, for others one more role."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import perform_login
from allauth.core.internal import ratelimit
from django import forms
from django.contrib import messages
from django.contrib.auth.forms import UserCreationForm
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from regions import company, invitations
from regions.models import Invitation, User
from regions.permissions import PUBLIC, rule
from regions.requests import PageRequest
from regions.views.errors import too_often
from regions.words import unusable

TRIES = {"invitation": "30/5m/ip"}  # looks and presses together: a link cannot be guessed, nor the database kept busy


class NewcomerForm(UserCreationForm):
    """Who somebody is, and their password, checked as Django checks passwords."""

    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=150)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=150)

    class Meta:
        model = User
        fields = ("first_name", "last_name", "username")
        labels = {"username": gettext_lazy("User name")}

    def __init__(self, *told: Any, **more: Any) -> None:
        super().__init__(*told, **more)
        self.fields["username"].widget.attrs.pop("autofocus", None)
        self.fields["first_name"].widget.attrs |= {"autofocus": True, "autocomplete": "given-name"}
        self.fields["last_name"].widget.attrs["autocomplete"] = "family-name"

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("first_name", "last_name"):
            if unusable(told.get(name, "")):
                self.add_error(name, _("Only one line of words."))
        return told


@rule(PUBLIC)
@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "POST"])
def invitation(request: PageRequest, token: str) -> HttpResponse:
    """Tells what the link gives; POST accepts it. In the language of the market until somebody chose one."""
    if not ratelimit.consume(request, app="regions", action="invitation", config=TRIES, limit_get=True):
        return too_often(request)
    offered = invitations.invitation_of(token, timezone.now())
    with translation.override(language_of(request, offered)):
        request.LANGUAGE_CODE = translation.get_language()
        if request.user.is_authenticated:
            return for_member(request, offered, token)
        if company.only():
            return show(request, offered, way_in=f"{reverse('company-login')}?next={request.path}")
        return for_stranger(request, offered, token)


def language_of(request: PageRequest, offered: Invitation) -> str:
    chosen = getattr(request.user, "language", "") or translation.get_language() or "en"
    known = request.user.is_authenticated or request.COOKIES.get("django_language")
    return chosen if known else offered.market.language


def for_member(request: PageRequest, offered: Invitation, token: str) -> HttpResponse:
    """Somebody who is logged in takes the role by one press."""
    if request.method != "POST":
        return show(request, offered)
    try:
        given = invitations.accept(token, by=request.user, now=timezone.now())
    except invitations.HeldAlready as refusal:
        return show(request, offered, refusal=refusal, status=refusal.status)
    told = {"role": given.get_role_display(), "market": offered.market.name}
    messages.success(request, _("Your role in %(market)s: %(role)s.") % told)
    return redirect("market-desk", offered.market.code)


def for_stranger(request: PageRequest, offered: Invitation, token: str) -> HttpResponse:
    """Account, role and log-in at once, or nothing of it."""
    form = NewcomerForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return show(request, offered, told={"form": form}, status=422 if request.method == "POST" else 200)
    with transaction.atomic():
        newcomer: User = form.save(commit=False)
        newcomer.language = translation.get_language() or ""
        newcomer.save()
        invitations.accept(token, by=newcomer, now=timezone.now())
    response: HttpResponse = perform_login(
        request, newcomer, email_verification="none", redirect_url=reverse("market-desk", args=[offered.market.code])
    )
    return response


def show(request: PageRequest, offered: Invitation, *, status: int = 200, **told: Any) -> HttpResponse:
    context: dict[str, Any] = {"offered": offered, "by": shown_author(offered)}
    return render(request, "regions/people/invitation.html", context | told, status=status)


def shown_author(offered: Invitation) -> str:
    return offered.created_by.shown_name if offered.created_by else ""
