"""The log for programs: read on from a decision, with the pages' filters, and the rights of the pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from curation import operations
from curation.history import onward
from curation.models import Act, Decision
from regions.models import Channel, User
from tests.cast import channel_of, make_candidate

URL = "/api/v1/decisions/"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def acts(anna: User, ben: User, de_politics: Channel) -> dict[str, Act]:
    sport = channel_of("de", "sport")
    one, two = make_candidate(de_politics), make_candidate(sport)
    made = {
        "approve": operations.approve(one, by=anna, version=1, note="Wichtig", now=NOW).act,
        "spam": operations.block(two, by=ben, version=1, reason="spam", now=NOW + timedelta(days=1)).act,
    }
    operations.withdraw([one.tweet_id], cause="deleted", now=NOW + timedelta(days=2))
    return made | {"gone": Act.objects.get(verb="withdraw")}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["approve", "spam", "gone"]),
        ({"system": "false"}, ["approve", "spam"]),
        ({"who": "ben"}, ["spam"]),
        ({"verb": "withdraw"}, ["gone"]),
        ({"category": "sport"}, ["spam"]),
        ({"reason": "deleted"}, ["gone"]),
        ({"from": "2026-11-21"}, ["spam", "gone"]),
        ({"from": "2026-11-21", "to": "2026-11-21"}, ["spam"]),
        ({"from": "2026-12-01"}, []),
        ({"act": "approve"}, ["approve"]),
    ],
)
def test_filters(api: Any, lena: User, acts: dict[str, Act], asked: dict[str, str], names: list[str]) -> None:
    asked = {name: str(acts[value].pk) if name == "act" else value for name, value in asked.items()}
    told = api(lena).get(URL, {"market": "de"} | asked).json()
    assert [one["act"] for one in told["results"]] == [acts[name].pk for name in names]
    assert told["next"] is None


def test_reason_and_note_are_told(api: Any, lena: User, acts: dict[str, Act]) -> None:
    approved, spam, gone = api(lena).get(URL, {"market": "de"}).json()["results"]
    assert [(one["reason"], one["note"]) for one in (approved, spam, gone)] == [
        ("", "Wichtig"), ("spam", None), ("deleted", None),
    ]  # fmt: skip
    mine = api(lena).get(f"/api/v1/candidates/{approved['candidate']}/").json()["decisions"]
    assert [(one["verb"], one["note"], one["reason"]) for one in mine] == [
        ("approve", "Wichtig", ""), ("withdraw", None, "deleted"),
    ]  # fmt: skip


def test_others_decisions_are_for_leads(api: Any, anna: User, vera: User, ben: User, acts: dict[str, Act]) -> None:
    """As on the pages; the history of one post is everyone's."""
    shown = {
        user.username: [one["act"] for one in api(user).get(URL, {"market": "de"}).json()["results"]]
        for user in (anna, ben, vera)
    }
    assert shown == {
        "anna": [acts["approve"].pk, acts["gone"].pk],
        "ben": [acts["spam"].pk, acts["gone"].pk],
        "vera": [acts["gone"].pk],
    }
    assert api(anna).get(URL, {"market": "de", "who": "ben"}).status_code == 403
    assert len(api(anna).get(URL, {"market": "de", "who": "anna"}).json()["results"]) == 1


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "gestern"}, "from"),
        ({"verb": "smash"}, "verb"),
        ({"who": "bram"}, "who"),
        ({"act": "x"}, "act"),
        ({"post": "y"}, "post"),
        ({"since": "x"}, "since"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_field(
    api: Any, lena: User, bram: User, asked: dict[str, str], field: str
) -> None:
    response = api(lena).get(URL, {"market": "de"} | asked)
    assert (response.status_code, response.json()["field"]) == (422, field)


def test_reading_on_misses_nothing_whatever_the_filters(
    lena: User, anna: User, ben: User, de_politics: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onward, "LOOKED", 3)
    for n in range(11):
        who = ben if n % 5 == 0 else anna
        operations.approve(make_candidate(de_politics), by=who, version=1, now=NOW + timedelta(minutes=n))
    seen: list[int] = []
    since: int | None = 0
    while since is not None:
        rows, since = onward.read_on({"who": "ben"}, de_politics.market, lena, since, 2)
        seen += [row.pk for row in rows]
    assert seen == list(Decision.objects.filter(by=ben).order_by("pk").values_list("pk", flat=True))
    assert len(seen) == 3
