"""The log of a market's lists, people and settings: every change in a sentence, for its leads."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from curation.history import onlists
from feeds import holding
from feeds.operations import publish
from regions import adjusting, people
from regions.founding import switch
from regions.models import Channel, Role, User
from regions.operations import add_source, log_change, pause_source
from tests.cast import channel_of, make_block

pytestmark = pytest.mark.django_db
LISTS = "/log/de/?show=lists"


@pytest.fixture
def changed(lena: User, guest: User, chief: User, de_politics: Channel) -> None:
    source = add_source("account", "stadt_lindmark", by=lena, channel=de_politics)
    pause_source(source, "Leer", by=lena, now=timezone.now())
    add_source("account", "weltblatt", by=chief)
    log_change(make_block("Turm", market=de_politics.market), "add", by=lena, market=de_politics.market)
    people.give(guest, de_politics.market, Role.VIEWER, by=lena)
    adjusting.adjust(de_politics, {"slots": 4}, seen={}, by=lena)
    switch(channel_of("de", "sport"), on=False, by=chief)
    publish(de_politics.market_id)
    holding.hold(de_politics.market, de_politics, holding.CURRENT, reason="Wahltag", by=lena)
    add_source("account", "ander_blad", by=lena, channel=channel_of("nl", "politics"))


def told(browse: Any, lena: User, more: str = "") -> list[tuple[str, str]]:
    page = browse(lena).get(LISTS + more)
    return [(line.by, line.sentence) for line in page.context["read"].lines]


SOURCES = [
    ("chief", "@weltblatt: listed"),
    ("lena", "@stadt_lindmark: paused · Leer"),
    ("lena", "@stadt_lindmark: listed"),
]


@pytest.mark.usefixtures("changed")
def test_every_change_stands_there_in_a_sentence(browse: Any, lena: User) -> None:
    assert told(browse, lena) == [
        ("lena", "Feed de/politics/ held: Wahltag"),
        ("chief", "DE Sport switched off"),
        ("lena", "DE Politics changed: slots for pins: 3 → 4"),
        ("lena", "guest: viewer"),
        ("lena", "Turm listed"),
        *SOURCES,
    ]
    page = browse(lena).get(LISTS).content.decode()
    assert page.count("for all markets") == 1
    assert '<a href="/log/de/?show=lists" aria-current="page">Lists and people</a>' in page
    assert '<a href="/log/de/" aria-current="page">Decisions</a>' in browse(lena).get("/log/de/").content.decode()


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize(("of", "count"), [("sources", 3), ("blocks", 1), ("people", 1), ("settings", 2), ("x", 8)])
def test_one_kind_may_be_asked_for_alone(browse: Any, lena: User, of: str, count: int) -> None:
    assert len(told(browse, lena, f"&of={of}")) == count


@pytest.mark.usefixtures("changed")
def test_older_ones_follow(browse: Any, lena: User, monkeypatch: pytest.MonkeyPatch) -> None:
    every = told(browse, lena)
    monkeypatch.setattr(onlists, "PAGE", 3)
    found, more = [], ""
    while more is not None:
        page = browse(lena).get(LISTS + more).context["read"]
        found += [(line.by, line.sentence) for line in page.lines]
        more = f"&before={page.next}" if page.next else None  # type: ignore[assignment]
    assert found == every
    assert len(told(browse, lena, "&before=nothing")) == 3


def test_a_market_without_changes_says_so(browse: Any, lena: User, vera: User, bram: User) -> None:
    assert "Nothing changed yet" in browse(lena).get(LISTS).content.decode()
    assert [browse(one).get(LISTS).status_code for one in (vera, bram)] == [403, 404]
