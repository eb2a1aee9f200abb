"""One's own page: language, time zone, theme, keys; and the ways to allauth's pages about the account."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from curation.forms import BackForm
from curation.keyboard import DEFAULTS
from curation.preferences import FoldForm, ProfileForm, fold
from curation.queue import markets_of
from regions.models import User
from regions.permissions import SIGNED_IN, rule
from regions.requests import PageRequest


@rule(SIGNED_IN)
@require_http_methods(["GET", "POST"])
def profile(request: PageRequest) -> HttpResponse:
    """The page; what is refused stays in its fields, with a sentence at each."""
    if request.method != "POST":
        return page(request, ProfileForm(instance=request.user))
    sent = request.POST.copy()
    if "defaults" in sent:
        sent.update({f"key_{act}": key for act, key in DEFAULTS.items()})
    person = User.objects.get(pk=request.user.pk)  # the page's own person stays as kept when a field is refused
    form = ProfileForm(sent, instance=person)
    if not form.is_valid():
        return page(request, form, status=422)
    form.keep()
    return saved(request, person)


def page(request: PageRequest, form: ProfileForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "markets": markets_of(request.user),
        "memberships": request.user.membership_set.select_related("market").order_by("market__code"),
        "locks": locks_of(request.user),
        "many_sessions": UserSession.objects.filter(user=request.user).count() > 1,
    }
    return render(request, "curation/profile.html", context, status=status)


def saved(request: PageRequest, person: User) -> HttpResponse:
    """Back to the page, told in the language chosen just now."""
    response = redirect("profile")
    if not person.language:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    with translation.override(person.language or translation.get_language()):
        messages.success(request, _("Saved."))
    return response


@rule(SIGNED_IN)
@require_POST
def choose_theme(request: PageRequest) -> HttpResponse:
    """Keeps the colours, and leads back to the page that shows them. 400 for none that there is."""
    theme = request.POST.get("theme", "")
    if theme not in User.Theme:
        return HttpResponseBadRequest(_("This form was not complete. Load the page again."))
    User.objects.filter(pk=request.user.pk).update(theme=theme)
    back = BackForm(request.POST).asked()
    ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return redirect(back if ours else "profile")


@dataclass(frozen=True)
class Locks:
    """What besides the password guards an account."""

    totp: bool
    passkeys: int
    codes: bool

    @property
    def second_step(self) -> bool:
        """Whether there is a second step at all; recovery codes exist only then."""
        return self.totp or self.passkeys > 0


def locks_of(user: User) -> Locks:
    kinds = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    kind = Authenticator.Type
    return Locks(kind.TOTP in kinds, kinds.count(kind.WEBAUTHN), kind.RECOVERY_CODES in kinds)


@rule(SIGNED_IN)
@require_POST
def fold_column(request: PageRequest) -> HttpResponse:
    """Remembers whether a column is folded: 204, or back to where a plain form says. 400 for no column."""
    form = FoldForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest(_("This form was not complete. Load the page again."))
    column, folded = form.told()
    fold(request.user, column, folded=folded)
    back = BackForm(request.POST).asked()
    if back and not request.htmx and url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        return redirect(back)
    return HttpResponse(status=204)
