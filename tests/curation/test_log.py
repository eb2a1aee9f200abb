"""A market's log: who may read it, what its filters leave, pages by key, what stands together, refusals in words."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from curation import operations
from curation.history import reading
from curation.history.asked import Asked, LogForm
from curation.models import Act, Decision, Verb, Wording
from regions.models import Channel, Market, Role, User
from tests.cast import channel_of, make_candidate, make_user
from tests.curation.test_desk import HTMX, text_of

pytestmark = pytest.mark.django_db
LOG = "/log/de/"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def lines_of(response: HttpResponse) -> list[str]:
    """The lines of a log page in words, from top to bottom."""
    parts = response.content.decode().split('<li class="line')[1:]
    return [re.sub(r"\s+", " ", re.sub(r"^[^>]*>|<[^>]+>", "", part)).strip() for part in parts]


def verbs_of(response: HttpResponse) -> list[str]:
    return [line.decision.verb for line in response.context["lines"]]


@pytest.fixture
def decided(anna: User, ben: User, lena: User, de_politics: Channel) -> dict[str, Act]:
    """Four acts of one day, a minute apart, and one of the system."""
    at = lambda n: NOW + timedelta(minutes=n)  # noqa: E731
    sport = channel_of("de", "sport")
    one, two = make_candidate(de_politics, "Rat"), make_candidate(sport, "Tor")
    acts = {
        "approve": operations.approve(one, by=anna, version=1, now=at(0), note="Wichtig").act,
        "spam": operations.block(two, by=ben, version=1, reason="spam", now=at(1)).act,
        "legal": operations.block(one, by=lena, version=2, reason="legal", now=at(2)).act,
        "reopen": operations.reopen(two, by=anna, version=2, now=at(3)).act,
    }
    operations.withdraw([two.tweet_id], cause="deleted", now=at(4))
    return acts | {"withdraw": Act.objects.get(verb="withdraw")}


@pytest.mark.parametrize(
    ("name", "status"), [("vera", 403), ("anna", 403), ("bram", 404), ("eleni", 404), ("lena", 200)]
)
@pytest.mark.parametrize("path", [LOG, LOG + "sheet.csv"])
def test_a_markets_log_is_for_its_leads(
    browse: Any, request: pytest.FixtureRequest, name: str, status: int, path: str
) -> None:
    assert browse(request.getfixturevalue(name)).get(path).status_code == status


@pytest.mark.parametrize(
    ("asked", "acts"),
    [
        ({}, ["reopen", "legal", "spam", "approve"]),
        ({"system": "1"}, ["withdraw", "reopen", "legal", "spam", "approve"]),
        ({"who": "anna"}, ["reopen", "approve"]),
        ({"verb": "block"}, ["legal", "spam"]),
        ({"verb": "withdraw"}, ["withdraw"]),
        ({"reason": "legal"}, ["legal"]),
        ({"reason": "deleted"}, ["withdraw"]),
        ({"category": "sport"}, ["reopen", "spam"]),
        ({"category": "sport", "verb": "block", "who": "ben", "reason": "spam"}, ["spam"]),
        ({"who": "ben", "verb": "approve"}, []),
        ({"post": "https://x.com/i/status/{rat}"}, ["legal", "approve"]),
        ({"post": "{rat}", "who": "lena"}, ["legal"]),
        ({"post": "123"}, []),
        ({"from": "2026-11-20", "to": "2026-11-20"}, ["reopen", "legal", "spam", "approve"]),
        ({"to": "2026-11-19"}, []),
        ({"from": "2026-11-21"}, []),
    ],
)
def test_filters(browse: Any, lena: User, decided: dict[str, Act], asked: dict[str, str], acts: list[str]) -> None:
    rat = Decision.objects.get(act=decided["approve"]).current_id
    given = {name: value.format(rat=rat) for name, value in asked.items()}
    response = browse(lena).get(LOG, given)
    assert [line.act for line in response.context["lines"]] == [decided[name] for name in acts]
    assert response.context.get("found") == (None if "who" in asked else len(acts))


@pytest.mark.parametrize(("wanted", "said"), [(True, "2 decisions"), (False, "")])
def test_one_persons_decisions_are_counted_only_where_figures_are_wanted(
    browse: Any, lena: User, decided: dict[str, Act], wanted: bool, said: str
) -> None:
    Market.objects.filter(code="de").update(figures_per_editor=wanted)
    response = browse(lena).get(LOG, {"who": "anna"})
    assert verbs_of(response) == ["reopen", "approve"]
    assert re.findall(r"\d+ decisions?", text_of(response)) == ([said] if said else [])


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        ({"from": "31.2."}, "from", "A day is written like 2026-11-22."),
        ({"from": "0001-01-01"}, "from", "A day is written like 2026-11-22."),
        ({"to": "9999-12-31"}, "to", "A day is written like 2026-11-22."),
        ({"from": "2026-11-20", "to": "2026-11-19"}, "to", "The last day comes before the first."),
        ({"who": "bram"}, "who", "Nobody of that name decided here."),
        ({"who": "nobody"}, "who", "Nobody of that name decided here."),
        ({"verb": "smash"}, "verb", "There is no such verb."),
        ({"reason": "whim"}, "reason", "There is no such reason."),
        ({"category": "weather"}, "category", "There is no such category here."),
        ({"post": "hallo"}, "post", "This is no link to a post at X."),
        ({"post": "<b>9</b>"}, "post", "This is no link to a post at X."),
        ({"cursor": "zzz"}, "cursor", "address is not usable. Begin with the first page."),
    ],
)
def test_what_cannot_be_asked_is_told_and_kept(
    browse: Any, lena: User, bram: User, decided: dict[str, Act], asked: dict[str, str], field: str, said: str
) -> None:
    response = browse(lena).get(LOG, asked)
    assert (response.status_code, [name for name, _said in response.context["refused"]]) == (422, [field])
    assert said in text_of(response)
    assert lines_of(response) == []
    page = response.content.decode()
    for value in set(asked.values()) - {"zzz"}:
        assert f'value="{value.replace("<", "&lt;").replace(">", "&gt;")}"' in page


def test_who_left_the_market_is_found_by_name(browse: Any, lena: User, anna: User, decided: dict[str, Act]) -> None:
    anna.membership_set.all().delete()
    response = browse(lena).get(LOG, {"who": "anna"})
    assert verbs_of(response) == ["reopen", "approve"]
    assert '<option value="anna" selected>Anna Amsel' in response.content.decode()


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-20", 24)], ids=["spring", "autumn", "plain"]
)
def test_a_day_is_the_markets_whatever_its_clock_does(db: None, day: str, hours: int) -> None:
    asked = LogForm({"from": day, "to": day}, [Market.objects.get(code="de")], zone="Europe/Berlin").asked()
    assert asked.since is not None and asked.until is not None
    assert (asked.until - asked.since).total_seconds() == hours * 3600
    assert asked.since.astimezone(ZoneInfo("Europe/Berlin")).isoformat()[:16] == f"{day}T00:00"


def test_days_begin_at_the_markets_midnight(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    """Midnight in Berlin is 23:00 in London."""
    for second in (-1, 0):
        midnight = datetime(2026, 11, 19, 23, tzinfo=UTC) + timedelta(seconds=second)
        operations.approve(make_candidate(de_politics), by=anna, version=1, now=midnight)
    lena.time_zone = "Asia/Tokyo"
    lena.save()
    shown = {
        day: [line.at for line in browse(lena).get(LOG, {"from": day, "to": day}).context["lines"]]
        for day in ("2026-11-19", "2026-11-20")
    }
    assert [at.second for at in shown["2026-11-19"]] == [59]
    assert [at.second for at in shown["2026-11-20"]] == [0]


def test_a_line_tells_who_what_why_before_and_after(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, "Der Rat tagt")
    operations.approve(candidate, by=anna, version=1, now=NOW)
    told = {"slot": 2, "context": "Heute Wahl", "label": "Anzeige", "note": "Leitung fragt"}
    operations.pin(candidate, by=anna, version=2, now=NOW + timedelta(seconds=5), **told)
    (line, first) = lines_of(browse(lena).get(LOG))
    for words in (
        "13:00:05",
        "Anna Amsel",
        "pinned in Politics",
        "Leitung fragt",
        "approved → then pinned",
        "slot: none → then 2",
        "context: none → then Heute Wahl",
        "label: none → then Anzeige",
        "Der Rat tagt",
    ):
        assert words in line
    assert "pending → then approved" in first


def test_erased_words_say_so(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    operations.approve(make_candidate(de_politics), by=anna, version=1, context="Ein Satz")
    Wording.objects.all().delete()
    (line,) = lines_of(browse(lena).get(LOG))
    assert "context: none → then erased words" in line


def test_a_posts_words_stay_in_their_box(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    hostile = "</a><script>alert(1)</script> \u202eliam"
    operations.approve(make_candidate(de_politics, hostile), by=anna, version=1, note="<img src=x>")
    page = browse(lena).get(LOG).content.decode()
    assert ("<script>alert" in page, "<img src=x>" in page) == (False, False)
    assert "<bdi>&lt;/a&gt;&lt;script&gt;alert(1)&lt;/script&gt; \u202eliam</bdi>" in page


def test_what_an_act_held_together_is_one_line_that_unfolds(
    browse: Any, lena: User, ben: User, anna: User, de_politics: Channel
) -> None:
    operations.approve(make_candidate(de_politics), by=anna, version=1, now=NOW)
    rows = [make_candidate(de_politics, f"Beitrag {n}") for n in range(40)]
    act = operations.decide_many("approve", {row.pk: 1 for row in rows}, by=ben, now=NOW + timedelta(seconds=1)).act
    response = browse(lena).get(LOG)
    assert act is not None
    assert (response.context["lines"][0].act, response.context["lines"][0].count) == (act, 40)
    assert len(response.context["lines"]) == 2
    assert "approved 40 posts" in lines_of(response)[0]
    assert response.context["found"] == 41
    one_by_one = browse(lena).get(LOG, {"act": act.pk}, headers=HTMX)
    assert [line.count for line in one_by_one.context["lines"]] == [1] * 40
    assert {f"Beitrag {n}" for n in range(40)} == {line.words for line in one_by_one.context["lines"]}


def test_an_act_of_several_verbs_is_told_by_its_own_and_unfolds_to_as_many_as_it_says(
    browse: Any, lena: User, anna: User, de_politics: Channel
) -> None:
    one, two = make_candidate(de_politics, "Erster"), make_candidate(de_politics, "Zweiter")
    operations.pin(one, by=anna, version=1, slot=1, now=NOW)
    operations.pin(two, by=anna, version=1, slot=1, swap=True, now=NOW + timedelta(seconds=1))
    line = lines_of(browse(lena).get(LOG))[0]
    assert ("pinned in Politics" in line, "Zweiter" in line, "2 decisions in this act" in line) == (True,) * 3


def test_pages_follow_each_other_without_gap_or_repeat(
    db: None, anna: User, de_politics: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(7):
        rows = {make_candidate(de_politics).pk: 1 for _ in range(1 + n % 3)}
        operations.decide_many("approve", rows, by=anna, now=NOW)  # all at one instant: ids decide
    asked = Asked([de_politics.market])
    monkeypatch.setattr(reading, "AT_ONCE", 3)
    seen, cursor = [], ""
    while True:
        page = reading.read(asked, cursor, size=2)
        seen += [(run.act, run.count) for run in page.runs]
        cursor = page.next
        if not cursor:
            break
    acts = Act.objects.order_by("-pk")
    assert seen == [(act.pk, act.decision_set.count()) for act in acts]


def test_a_page_looks_no_further_than_it_may(
    browse: Any, lena: User, anna: User, ben: User, de_politics: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LOOKED", 4)
    old = operations.block(make_candidate(de_politics), by=ben, version=1, reason="legal", now=NOW).act
    for n in range(1, 7):
        operations.block(make_candidate(de_politics), by=anna, version=1, now=NOW + timedelta(minutes=n))
    first = browse(lena).get(LOG, {"reason": "legal"})
    assert (first.context["lines"], "Nothing fits back to Nov. 20, 2026, 13:03." in text_of(first)) == ([], True)
    second = browse(lena).get(f"{LOG}?{first.context['next']}", headers=HTMX)
    assert [line.act for line in second.context["lines"]] == [old]
    assert second.context["next"] == ""


def test_a_page_asks_as_much_of_many_as_of_few(
    browse: Any, lena: User, anna: User, ben: User, de_politics: Channel
) -> None:
    client = browse(lena)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(LOG)
        assert not [one for one in queries.captured_queries if "OFFSET" in one["sql"]]
        return len(queries)

    operations.approve(make_candidate(de_politics), by=anna, version=1, context="Satz", note="Notiz")
    few = asked()
    for _ in range(30):
        operations.approve(make_candidate(de_politics), by=ben, version=1, context="Satz", note="Notiz")
    assert asked() == few


def test_an_empty_log_and_an_empty_answer_say_what_to_do(browse: Any, lena: User, db: None) -> None:
    assert "Nothing decided yet As soon as someone decides" in text_of(browse(lena).get(LOG))
    said = text_of(browse(lena).get(LOG, {"verb": "move"}))
    assert "Nothing fits No decision fits these filters. Only people's decisions were looked at" in said


def test_htmx_gets_what_was_found_and_an_address_to_keep(browse: Any, lena: User, decided: dict[str, Act]) -> None:
    headers = HTMX | {"HX-Target": "found"}
    response = browse(lena).get(LOG, {"who": "", "verb": "block", "post": ""}, headers=headers)
    assert response["HX-Push-Url"] == "/log/de/?verb=block"
    assert "<html" not in response.content.decode()
    assert verbs_of(response) == ["block", "block"]
    bad = browse(lena).get(LOG, {"from": "x"}, headers=headers)
    assert (bad.status_code, "A day is written like" in text_of(bad)) == (422, True)


def test_every_verb_is_said(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    """Also those that only blocks, moves and offers make."""
    row = make_candidate(de_politics)
    told = {"candidate": row, "channel": de_politics, "market": de_politics.market, "current_id": row.tweet.current_id}
    for n, verb in enumerate(Verb):
        act = Act.objects.create(verb=verb, by=anna)
        Decision.objects.create(
            act=act, verb=verb, by=anna, version=n + 2, before=row.standing(), after=row.standing(), **told
        )
    said = [str(line.said) for line in browse(lena).get(LOG).context["lines"]]
    assert (len(said), len(set(said)), set(said) & set(Verb.values)) == (len(Verb), len(Verb), set())


def test_a_move_tells_where_to_and_an_offer_to_whom(browse: Any, anna: User, db: None) -> None:
    both = make_user("mila", {"de": Role.LEAD, "nl": Role.VIEWER}, language="en")
    candidate = make_candidate(channel_of("de", "politics"))
    operations.decide("offer", candidate, by=anna, version=1, market="nl", note="Für euch")
    candidate.refresh_from_db()
    operations.decide("move", candidate, by=anna, version=candidate.version, category="sport")
    moved, offered = lines_of(browse(both).get(LOG))
    assert "moved in Politics · to Sport" in moved
    assert "offered in Politics · to NL · Für euch" in offered


def test_a_block_that_an_act_laid_is_named(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    also = [{"kind": "term", "value": "Gewinnspiel", "scope": "channel"}]
    operations.block(make_candidate(de_politics), by=anna, version=1, reason="spam", also=also)
    line = lines_of(browse(lena).get(LOG))[0]
    assert ("spam" in line, "term “Gewinnspiel”" in line) == (True, True)


def test_figures_stand_only_where_the_market_wants_them_and_in_order_of_names(
    browse: Any, lena: User, decided: dict[str, Act]
) -> None:
    assert "Counts per person" not in text_of(browse(lena).get(LOG))
    Market.objects.filter(code="de").update(figures_per_editor=True)
    figures = browse(lena).get(LOG).context["figures"]
    assert [(person.username, counts) for person, counts in figures.rows] == [
        ("anna", [1, 0, 1]),
        ("ben", [0, 1, 0]),
        ("lena", [0, 1, 0]),
    ]
    assert [verb for verb, _words in figures.verbs] == ["approve", "block", "reopen"]
    assert browse(lena).get(LOG, {"to": "2026-11-19"}).context["figures"].rows == []


def test_the_rail_leads_leads_to_the_log(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    for user, leads in ((lena, True), (anna, False)):
        page = browse(user).get("/desk/de/politics/").content.decode()
        assert ('href="/log/de/"' in page, 'href="/my/decisions/"' in page) == (leads, True)
