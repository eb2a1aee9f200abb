"""The home page: what needs somebody now, and nothing that is not theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation import operations
from curation.console import sections_of
from curation.models import Candidate, Cursor, Decision, IngestRun, Pause
from curation.needs import ending, needs_of, taken_back
from curation.queue import markets_of
from regions.models import Channel, Market, Role, Source, User
from tests.cast import channel_of, make_block, make_candidate, make_user
from tests.curation.test_desk import DESK, text_of


@pytest.fixture
def mila(db: None) -> User:
    """Edits DE and NL, may look at GR."""
    roles = {"de": Role.EDITOR, "nl": Role.EDITOR, "gr": Role.VIEWER}
    return make_user("mila", roles, language="en", time_zone="UTC")


def needed(user: User) -> list[tuple[str, str, str, int]]:
    found = needs_of(user, markets_of(user))
    return [(need.kind, need.channel.market.code, need.channel.category.slug, need.count) for need in found]


def taken(user: User) -> list[tuple[int, str]]:
    found = taken_back(user, list(Market.objects.visible_to(user)), timezone.now())
    return [(one.candidate.pk, one.decision.verb) for one in found]


def test_offers_and_second_pairs_of_eyes_are_counted_where_one_may_decide(mila: User, ben: User) -> None:
    for market in ("de", "nl", "gr", "hr"):
        make_candidate(channel_of(market, "sport"), offered=True)
    for by in (ben, ben, mila):
        make_candidate(channel_of("nl", "politics"), confirmed_by=by)
    make_candidate(channel_of("de", "politics"), confirmed_by=ben, hidden=True)
    expected = [("second", "nl", "politics", 2), ("offered", "de", "sport", 1), ("offered", "nl", "sport", 1)]
    assert needed(mila) == expected


def test_they_lead_to_the_queue_that_shows_them(browse: Any, mila: User, ben: User) -> None:
    make_candidate(channel_of("de", "sport"), offered=True)
    make_candidate(channel_of("nl", "politics"), confirmed_by=ben)
    response = browse(mila).get("/")
    html, told = response.content.decode(), text_of(response)
    for link in ("/desk/de/sport/?show=offered", "/desk/nl/politics/?show=second"):
        assert f'href="{link}"' in html
    assert "Sport 1 offered by another market" in told
    assert "Politics 1 approved once, waits for your eyes too" in told


def test_leads_hear_of_blocks_that_end_within_two_days(browse: Any, mila: User) -> None:
    """Of their own markets and channels; not of global ones, of lifted, ended and later ones."""
    now, soon = timezone.now(), timezone.now() + timedelta(hours=40)
    olga = make_user("olga", {"de": Role.LEAD, "nl": Role.EDITOR, "gr": Role.LEAD}, language="en")
    places = {code: Market.objects.get(code=code) for code in ("de", "nl", "gr")}
    make_block("eins", market=places["de"], ends_at=soon)
    make_block("zwei", channel=channel_of("de", "sport"), ends_at=soon)
    make_block("drei", market=places["nl"], ends_at=soon)
    make_block("vier", ends_at=soon)
    make_block("fünf", market=places["gr"], ends_at=soon, lifted_at=now)
    make_block("sechs", market=places["gr"], ends_at=now + timedelta(hours=50))
    make_block("sieben", market=places["gr"], ends_at=now - timedelta(hours=1))
    assert [(one.market.code, one.count) for one in ending(olga, list(places.values()), now)] == [("de", 2)]
    assert ending(mila, list(places.values()), now) == []
    response = browse(olga).get("/")
    assert "Blocks 2 end within two days" in text_of(response)
    assert 'href="/lists/de/blocks/?show=soon"' in response.content.decode()


def test_each_market_leads_to_what_one_may_open_there(browse: Any, mila: User) -> None:
    make_user("olga", {"de": Role.LEAD, "nl": Role.VIEWER}, language="en")
    doors = {
        market.code: [
            way.address for _name, ways in sections_of(User.objects.get(username="olga"), market) for way in ways
        ]
        for market in Market.objects.filter(code__in=("de", "nl"))
    }
    lists = [f"/lists/de/{name}/" for name in ("sources", "blocks", "people", "settings")]
    viewed = ["/lists/nl/blocks/", "/feed/nl/", "/health/nl/"]
    assert doors == {"de": [*lists, "/feed/de/", "/health/de/", "/log/de/"], "nl": viewed}
    html = browse(User.objects.get(username="olga")).get("/").content.decode()
    assert all(f'href="{address}"' in html for address in [*doors["de"], *doors["nl"]])


def test_what_others_took_back_today_of_ones_own_approvals_is_told(
    browse: Any, mila: User, ben: User, lena: User, de_politics: Channel
) -> None:
    blocked, undone, own, stands, again, foreign = (make_candidate(de_politics) for _ in range(6))
    acts = [operations.approve(one, by=mila, version=1).act for one in (blocked, undone, own, stands, again)]
    operations.approve(foreign, by=ben, version=1)
    operations.block(blocked, by=ben, version=2)
    operations.undo(acts[1], by=lena)
    operations.block(own, by=mila, version=2)
    operations.decide("reopen", again, by=ben, version=2)
    operations.approve(again, by=ben, version=3)
    operations.block(foreign, by=lena, version=2)
    assert taken(mila) == [(undone.pk, "undo"), (blocked.pk, "block")]
    response = browse(mila).get("/")
    assert "Ben Buche ended your approval at" in text_of(response)
    assert f'href="/posts/{blocked.tweet.current_id}/"' in response.content.decode()


def test_yesterday_is_over(mila: User, ben: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.approve(candidate, by=mila, version=1)
    operations.block(candidate, by=ben, version=2)
    now = timezone.now()
    assert len(taken_back(mila, list(Market.objects.all()), now)) == 1
    assert taken_back(mila, list(Market.objects.all()), now + timedelta(days=1)) == []


def test_the_fullest_queue_comes_first(browse: Any, mila: User) -> None:
    for market, category, count in (
        ("de", "sport", 1),
        ("gr", "politics", 3),
        ("nl", "economy", 2),
        ("ro", "sport", 9),
    ):
        for _ in range(count):
            make_candidate(channel_of(market, category))
    found = browse(mila).get("/").context["busiest"]
    assert [(part.noun.market.code, part.waiting) for part in found] == [("gr", 3), ("nl", 2), ("de", 1)]


def test_nothing_to_do_is_said_in_a_sentence(browse: Any, mila: User) -> None:
    assert "Nothing to do: every queue is read" in text_of(browse(mila).get("/"))
    make_candidate(channel_of("de", "sport"))
    assert "Nothing to do" not in text_of(browse(mila).get("/"))


def test_a_pause_is_told(browse: Any, mila: User) -> None:
    now = timezone.now()
    de = Market.objects.get(code="de")
    Pause.objects.create(market=de, cause=Pause.Cause.DAY, words="spent", since=now, until=now + timedelta(hours=3))
    assert "No new posts for Germany" in text_of(browse(mila).get("/"))


def test_it_asks_a_steady_number_of_questions(browse: Any, mila: User, ben: User) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            browse(mila).get("/")
        return len(queries)

    def fill() -> None:
        for market in ("de", "nl"):
            row = make_candidate(channel_of(market, "sport"), offered=True, confirmed_by=ben)
            approved = make_candidate(channel_of("de", "politics"))
            operations.approve(approved, by=mila, version=1)
            operations.block(approved, by=ben, version=2)
            assert row.pk

    fill()
    few = asked()
    for _ in range(3):
        fill()
    assert asked() == few


def test_a_queue_that_is_read_says_what_comes_next(browse: Any, anna: User, de_politics: Channel) -> None:
    anna.language = "en"
    anna.save()
    now = timezone.now()
    own = Source.objects.create(kind="list", value="77", name="Parlamente", channel=de_politics)
    later = Source.objects.create(kind="search", value="landtag", market=de_politics.market)
    for source, minutes in ((own, 4), (later, 9)):
        Cursor.objects.create(source=source, due_at=now + timedelta(minutes=minutes))
    for foreign in (
        Source.objects.create(kind="search", value="gemeente", market=Market.objects.get(code="nl")),
        Source.objects.create(kind="search", value="tor", channel=channel_of("de", "sport")),
        Source.objects.create(kind="stream", value="rule", market=de_politics.market),
    ):
        Cursor.objects.create(source=foreign, due_at=now)
    for fresh in (0, 0, 4, 5, 5, 6, 6, 40):
        IngestRun.objects.create(source=own, fresh=fresh, started_at=now - timedelta(hours=1))
    response = browse(anna).get(DESK)
    assert [(one.source, one.usual) for one in response.context["readings"]] == [(own, (5, 6)), (later, None)]
    assert "Parlamente in 4 min · usually 5 to 6" in text_of(response)
    make_candidate(de_politics)
    assert "readings" not in browse(anna).get(DESK).context


def test_what_was_done_today_is_told_of_all_together(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    anna.language = "en"
    anna.save()
    rows = [make_candidate(de_politics) for _ in range(3)]
    act = operations.approve(rows[0], by=anna, version=1).act
    operations.block(rows[1], by=ben, version=1)
    operations.undo(act, by=anna)
    operations.block(rows[0], by=anna, version=3)
    operations.block(rows[2], by=anna, version=1)
    assert Decision.objects.count() == 5
    assert Candidate.objects.pending().count() == 0
    assert "Today: 1 approved, 3 blocked, 1 taken back, by 2 people." in text_of(browse(anna).get(DESK))
