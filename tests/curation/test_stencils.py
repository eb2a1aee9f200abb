"""A row that was filled into another's look is the row that would have been drawn by itself."""

import re
from itertools import product
from typing import Any

import pytest
import time_machine
from django.template import Context
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone

from curation.cards import Card, cards
from curation.models import Author, State, Tweet
from curation.operations.errors import SlotsFull
from curation.operations.purging import EMPTIED
from curation.queue import Place
from curation.templatetags.stencils import Stencil
from regions.models import Block, Channel, Market, Role, User
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet, make_user

pytestmark = pytest.mark.django_db
EVIL = "<b onclick=\"x()\">&amp; 'Ω' {{ author }} %s</b>"
PICTURE = {"type": "photo", "url": "https://pictures.example/1.jpg", "alt": 'Zwei "Türme" & <b>'}


def drawn_by_itself(self: Stencil, context: Context) -> str:
    return str(self.nodelist.render(context))


def shown(made: list[Card], place: Place, user: User, **more: Any) -> list[str]:
    """The rows as a page holds them, one after the other."""
    request: Any = RequestFactory().get("/desk/de/?q=a&lang=b")
    request.user, request.htmx = user, False
    html = render_to_string("curation/_rows.html", {"rows": made, "place": place, "user": user} | more, request)
    html = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", html)
    return re.split(r"(?=<li id=\"row-)", html)[1:]


def fill(channel: Channel, authors: list[Author], people: list[User], held: Block) -> None:
    """A post of each author in every state, with every mark there is."""
    for n, (state, author) in enumerate(product(State.values, authors)):
        wire = {"media": [PICTURE] * (n % 4), "entities": {}, "refs": []}
        tweet = make_tweet(f"{EVIL} {n}", author=author, wire=wire, sensitive=n % 5 == 0, lang=("de", "und", "")[n % 3])
        told: dict[str, Any] = {"state": state, "version": n + 1, "held": n % 6 == 0, "rank": n * 1e3}
        if state == State.APPROVED:
            told |= {"approved_at": timezone.now(), "label": "Anzeige", "context": EVIL}
        elif state == State.PENDING:
            told |= {"confirmed_by": [None, *people][n % 3], "rank_parts": [{}, {"source": 4, EVIL: -2}][n % 2]}
        row = make_candidate(channel, tweet=tweet, **told)
        if row.held:
            row.hit_set.create(block=held, start=0, end=4)


@pytest.fixture
def house(de: Market, de_politics: Channel, anna: User, ben: User) -> Place:
    """Posts of two channels, one of which asks for two pairs of eyes; hostile names, and some that nobody wrote."""
    Channel.objects.filter(market=de, category__slug="sport").update(second_pair=True)
    channels = [channel_of("de", "sport"), de_politics]
    names = [("Müller & Söhne", ""), (EVIL, "https://pictures.example/a.png?a=1&b='2'"), ("", ""), ("{% own %}", "")]
    authors = [make_author(name=name, avatar_url=picture) for name, picture in names]
    held = make_block("Brücke", effect="hold")
    for channel in channels:
        fill(channel, authors, [anna, ben], held)
    for gone in Tweet.objects.filter(author=authors[2]).order_by("pk")[::2]:
        Tweet.objects.filter(pk=gone.pk).update(purged_at=timezone.now(), **EMPTIED)
    Tweet.objects.filter(text__endswith=" 4").update(gone_at=timezone.now(), gone_cause="deleted")
    return Place(de, channels)


def made_for(user: User, place: Place) -> list[Card]:
    """Their cards, each in every look that comes from the page alone."""
    rows = list(place.candidates().with_tweets().order_by("pk"))
    made = [one for _turn in range(2) for one in cards(rows, user, place.market)]
    for n, card in enumerate(made):
        card.current, card.returned, card.following = n % 11 == 0, n % 5 == 0, n % 7 == 0
        card.refusal = SlotsFull() if n % 13 == 0 else None
        card.remark = EVIL if n % 17 == 0 else ""
        card.similar_live, card.similar = n % 3 == 1, n % 19
    return made


@pytest.mark.parametrize(("decides", "more"), [(True, {}), (False, {"oob": True})], ids=["editor", "viewer, by id"])
def test_each_row_is_what_it_is_by_itself(
    decides: bool, more: dict[str, Any], house: Place, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = anna if decides else make_user("gast", {"de": Role.VIEWER})
    made = made_for(user, house)
    with time_machine.travel(timezone.now(), tick=False):
        filled = shown(made, house, user, **more)
        monkeypatch.setattr(Stencil, "render", drawn_by_itself)
        plain = shown(made, house, user, **more)
    assert len(filled) == len(made) == 2 * 2 * len(State.values) * 4
    assert filled == plain


def test_a_look_is_drawn_once_a_page(house: Place, anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [card for card in made_for(anna, house) if not card.refusal and not card.current]
    cut, looks = Stencil.cut, []
    monkeypatch.setattr(Stencil, "cut", lambda self, card, context: looks.append(card.look) or cut(self, card, context))
    shown([made[0]], house, anna)
    once = len(looks)
    looks.clear()
    shown([made[0]] * 20, house, anna)
    assert len(looks) == once
