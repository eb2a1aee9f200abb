"""The settings of a market and of its channels, for its leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from regions import forms_of_settings as forms
from regions import tunable
from regions.adjusting import OutOfBounds, Overtaken, adjust, changes_of, changing
from regions.clocks import zone_of
from regions.forms_of_settings import SettingsForm
from regions.fragments import context, sentences
from regions.models import Channel, Market
from regions.permissions import market_for, rule
from regions.problems import Refusal
from regions.requests import PageRequest

LIMITS = ("posts_a_day", "posts_a_month")


@rule("settings.edit")
@require_http_methods(["GET", "POST"])
def market_settings(request: PageRequest, market: str) -> HttpResponse:
    """Budget, feed and rank of the whole market."""
    home = market_for(request.user, market, "settings.edit")
    return settings_page(request, home, home)


@rule("settings.edit")
@require_http_methods(["GET", "POST"])
def channel_settings(request: PageRequest, market: str, category: str) -> HttpResponse:
    """Slots, lengths, ages, fallback, reasons and rank of one channel."""
    home = market_for(request.user, market, "settings.edit")
    return settings_page(request, home, channel_in(home, category))


def channel_in(home: Market, category: str) -> Channel:
    """A market's channel by its category's slug. Raises Http404."""
    found = home.channel_set.active().filter(category__slug=category).select_related("category", "market").first()
    if found is None:
        raise Http404
    return found


def settings_page(request: PageRequest, home: Market, place: Market | Channel) -> HttpResponse:
    """The page; saved, back to it. What is refused stays typed: 422, or 409 where another lead was faster."""
    form = SettingsForm(place, request.POST if request.method == "POST" else None)
    with timezone.override(zone_of(request.user, home)):
        if request.method != "POST":
            return shown(request, home, form)
        return saved(request, home, form) if form.is_valid() else shown(request, home, form, status=422)


def saved(request: PageRequest, home: Market, form: SettingsForm) -> HttpResponse:
    wanted = form.wanted()
    ahead = beforehand(request, home, form, wanted)
    if ahead.told and request.POST.get("agreed") != ahead.agreed:
        return shown(request, home, form, status=422, ahead=ahead)
    try:
        adjust(form.place, wanted, seen=form.was_seen(), by=request.user)
    except (OutOfBounds, Overtaken) as refusal:
        return shown(request, home, form, refusal, status=int(refusal.status))
    messages.success(request, _("Saved. The feeds follow at once."))
    return redirect(request.path)


@dataclass(frozen=True)
class Ahead:
    """What a wish does at once, in sentences, and what the button says and sends that agrees to it."""

    told: list[str] = field(default_factory=list)
    button: str = ""
    agreed: str = ""


def beforehand(request: PageRequest, home: Market, form: SettingsForm, wanted: dict[str, Any]) -> Ahead:
    """What a lead reads before live posts, waiting ones or texts go, or a budget is lowered below what is used."""
    changed = changing(form.place, wanted, form.was_seen())
    part = leaving(request, form.place, changed)
    lowered = {name: changed[name] for name in LIMITS if name in changed and changed[name] < form.values[name]}
    budget = sentences(request, "budget-lowered", home.code, **lowered) if lowered else []
    told = [*part["told"], *budget]
    return Ahead(told, part["button"], forms.agreement(changed, part["leaves"]) if told else "")


def leaving(request: HttpRequest, place: Market | Channel, changed: dict[str, Any]) -> dict[str, Any]:
    """What feeds tells of settings that are not saved: `told` in sentences, `leaves` in numbers."""
    name, *where = leaving_address(place)
    return context(request, name, *where, **forms.as_sent(tunable.values_of(place) | changed))


def leaving_address(place: Market | Channel) -> tuple[str, ...]:
    """The name of the address that tells it, and its parts."""
    if isinstance(place, Market):
        return ("market-leaving", place.code)
    return ("leaving", place.market.code, place.category.slug)


def shown(
    request: PageRequest,
    home: Market,
    form: SettingsForm,
    refusal: Refusal | None = None,
    *,
    status: int = 200,
    ahead: Ahead | None = None,
) -> HttpResponse:
    name, *where = leaving_address(form.place)
    ahead = ahead or Ahead()
    told = {
        "home": home,
        "place": form.place,
        "channels": home.channel_set.active().select_related("category"),
        "form": form,
        "lines": lines_of(form, refusal),
        "weights": forms.weights_of(form),
        "seen": forms.seen_json(seen_next(form, refusal)),
        "refusal": refusal,
        "is_wrong": status == 422 and not ahead.told,
        "told": ahead.told,
        "button": ahead.button,
        "agreed": ahead.agreed,
        "back": request.path,
        "ahead": reverse(name, args=where),
        "at_market": isinstance(form.place, Market),
    }
    return render(request, "regions/settings/page.html", told, status=status)


def lines_of(form: SettingsForm, refusal: Refusal | None) -> list[forms.Line]:
    """The settings, each with what a refusal says of it."""
    lines = forms.lines_of(form, changes_of(form.place))
    for line in lines:
        name = line.setting.name
        if isinstance(refusal, OutOfBounds):
            line.wrong += refusal.errors.get(name, [])
        if isinstance(refusal, Overtaken) and name in refusal.now:
            line.theirs = forms.words_of(line.setting, refusal.now[name])
            line.last = refusal.last.get(name)
        if name == "rank_weights":
            line.wrong += forms.typed_weights(form)
    return lines


def seen_next(form: SettingsForm, refusal: Refusal | None) -> dict[str, Any]:
    """What the form now being shown is compared with: after a refusal what was seen before, and what was told now."""
    if not form.is_bound or "seen" in form.errors:
        return form.values
    told = refusal.now if isinstance(refusal, Overtaken) else {}
    return form.values | form.was_seen() | told
