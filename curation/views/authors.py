"""Erasing an author, for leads: what is known of them, then one press that nobody can take back.

Names go by POST alone, so that no log of addresses keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from curation import operations
from curation.forms import EraseForm
from curation.operations import Erasure
from curation.operations.errors import UnknownAuthor
from curation.places import clock_of, frame, place_for
from curation.queue import Place
from regions.models import Block, Channel, Market, Source, User
from regions.permissions import may, rule
from regions.problems import Refusal
from regions.requests import PageRequest


class NotTyped(Refusal):
    code = "not_typed"
    detail = gettext_lazy("The name was not typed as it stands here. Nothing was erased.")


class NoName(Refusal):
    code = "no_name"
    detail = gettext_lazy("Type the author's name at X, or the id.")


@dataclass(frozen=True)
class Preview:
    """An erasure as a person may see it: of markets that are not theirs only numbers."""

    found: Erasure
    live: list[tuple[Channel, int]]
    live_elsewhere: int
    sources: list[Source]
    sources_elsewhere: int
    mentions: list[str]
    mentions_elsewhere: int

    @property
    def typed(self) -> str:
        """What is to be typed: the name, without one the id."""
        return self.found.username or str(self.found.x_id)

    @property
    def nothing(self) -> bool:
        return not (self.found.username or self.found.posts or self.found.sources)


@rule("author.erase")
@require_http_methods(["GET", "POST"])
def erase(request: PageRequest, market: str) -> HttpResponse:
    """The form; with a name or an id what is known of that author."""
    place = place_for(request.user, market)
    if request.method == "GET":
        return page(request, place)
    try:
        found = operations.preview_erasure(asked_of(request)["author"])
        return page(request, place, preview=preview_of(found, request.user))
    except Refusal as refusal:
        return page(request, place, refusal=refusal)


@rule("author.erase")
@require_POST
def erase_author(request: PageRequest, market: str) -> HttpResponse:
    """Erases, if the name was typed."""
    place = place_for(request.user, market)
    try:
        told = asked_of(request)
        preview = preview_of(operations.preview_erasure(told["author"]), request.user)
        if told["typed"].strip().lstrip("@").casefold() != preview.typed.casefold():
            return page(request, place, preview=preview, refusal=NotTyped(field="typed"))
        done = operations.erase_author(preview.found.x_id, by=request.user, now=timezone.now())
    except Refusal as refusal:
        return page(request, place, refusal=refusal)
    messages.success(request, said(done))
    return redirect("erase", market)


def asked_of(request: PageRequest) -> dict[str, Any]:
    """The author asked for and what was typed. Raises NoName, and UnknownAuthor for what is no name at all."""
    form = EraseForm(request.POST)
    if form.is_valid() or "author" not in form.errors:
        return form.told()
    raise UnknownAuthor(field="author") if request.POST.get("author", "").strip() else NoName(field="author")


def said(done: Erasure) -> str:
    """What was erased, without the name: posts, how many of them were approved, sources; and what holds from now on."""
    live = sum(done.live.values())
    told = [ngettext("Erased: %(n)d post.", "Erased: %(n)d posts.", done.posts) % {"n": done.posts}]
    if live:
        told.append(
            ngettext("%(n)d approved one left its feed.", "%(n)d approved ones left their feeds.", live) % {"n": live}
        )
    if sources := len(done.sources):
        told.append(
            ngettext("%(n)d source is paused for good.", "%(n)d sources are paused for good.", sources) % {"n": sources}
        )
    return " ".join([*told, _("Nothing of this author is read again.")])


def page(request: PageRequest, place: Place, **told: Any) -> HttpResponse:
    refusal: Refusal | None = told.get("refusal")
    context = frame(request, place) | {"asked_for": request.POST.get("author", "")} | told
    with clock_of(request.user, place.market):
        return render(request, "curation/erase.html", context, status=refusal.status if refusal else 200)


def preview_of(found: Erasure, user: User) -> Preview:
    """Keeps what stands in other markets to its numbers."""
    live = [(channel, n) for channel, n in found.live.items() if sees(user, channel.market)]
    sources = own_of(found.sources, user)
    mentions = own_of(found.mentions, user)
    return Preview(
        found=found,
        live=live,
        live_elsewhere=sum(found.live.values()) - sum(n for _channel, n in live),
        sources=[one for one in sources if isinstance(one, Source)],
        sources_elsewhere=len(found.sources) - len(sources),
        mentions=[str(one) for one in mentions],
        mentions_elsewhere=len(found.mentions) - len(mentions),
    )


def own_of(listed: Iterable[Source | Block], user: User) -> list[Source | Block]:
    """Those of one's markets, and of all markets."""
    return [one for one in listed if sees(user, one.channel.market if one.channel else one.market)]


def sees(user: User, market: Market | None) -> bool:
    return market is None or may(user, "desk.read", market)
