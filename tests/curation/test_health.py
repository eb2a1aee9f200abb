"""The Health page: what it tells whom, by how many queries, and what lies in quarantine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation.ledger.forecast import forecast
from curation.models import BudgetDay, Candidate, Cursor, IngestRun, Quarantined
from curation.wellbeing import charts, reads, telling
from curation.x.wire import id_at
from regions.models import Change, Channel, Market, Source, SourceExemption, User

pytestmark = pytest.mark.django_db
HEALTH = "/health/de/"
WORDS = "Account is protected, says X"


def make_run(code: str = "de", **fields: Any) -> IngestRun:
    market = Market.objects.get(code=code)
    return IngestRun.objects.create(market=market, **{"outcome": "read", "read": 12, "fresh": 3, "known": 9} | fields)


def aside(code: str | None = "de") -> Quarantined:
    run = make_run(code) if code else IngestRun.objects.create(kind="recheck", outcome="read")
    payload = {"id": "77", "text": "<script>alert(1)</script>"}
    return Quarantined.objects.create(run=run, reason="it has no author", payload=payload)


def asked_for(client: Any) -> int:
    """How many queries the page of all markets takes."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/health/").status_code == 200
    return len(asked)


def test_a_run_is_told_in_words_and_x_speaks_to_leads_alone(browse: Any, lena: User, vera: User) -> None:
    make_run(outcome="failed", read=0, fresh=0, known=0, error=WORDS)
    make_run()
    lead, viewer = (browse(user).get(HEALTH).content.decode() for user in (lena, vera))
    assert "3 new, 9 known" in lead and "3 new, 9 known" in viewer
    assert (WORDS in lead, WORDS in viewer) == (True, False)
    assert "It is tried again by itself." in viewer


def test_troubled_runs_alone(browse: Any, lena: User) -> None:
    make_run()
    run = make_run(outcome="failed", error=WORDS)
    told = browse(lena).get(HEALTH, {"runs": "troubled"}).context["runs"]
    assert [one.run.pk for one in told] == [run.pk]


def test_older_runs_go_on_after_the_last(browse: Any, lena: User) -> None:
    now = timezone.now()
    runs = [make_run(started_at=now - timedelta(minutes=n)) for n in range(reads.RUNS + 2)]
    first = browse(lena).get(HEALTH).context
    then = browse(lena).get(HEALTH, {"before": first["older"]}).context
    assert [one.run.pk for one in (*first["runs"], *then["runs"])] == [run.pk for run in runs]
    assert then["older"] is None


def test_as_many_queries_for_much_as_for_little(browse: Any, chief: User) -> None:
    aside()
    Source.objects.create(kind="search", value="Rat")
    counts = [asked_for(browse(chief))]
    for code in ("de", "nl", "gr", "ro", "hr"):
        for _n in range(3):
            make_run(code, outcome="failed", error=WORDS)
        aside(code)
        market = Market.objects.get(code=code)
        BudgetDay.objects.update_or_create(market=market, day=timezone.now().date(), defaults={"used": 40})
        Source.objects.create(market=market, kind="account", value=f"amt_{code}")
    counts.append(asked_for(browse(chief)))
    assert counts[0] == counts[1]


def test_a_market_out_of_reach_is_not_there(browse: Any, lena: User, guest: User) -> None:
    assert browse(lena).get("/health/nl/").status_code == 404
    assert browse(guest).get(HEALTH).status_code == 404


def test_the_hours_count_what_was_read_and_mark_what_failed(de_politics: Channel) -> None:
    now = timezone.now()
    make_run(started_at=now, read=5)
    make_run(started_at=now - timedelta(hours=2), read=7, outcome="failed")
    make_run(started_at=now - timedelta(hours=40), read=9)
    for kind in ("try", "link"):  # a name mistyped there is no fault of reading
        make_run(started_at=now - timedelta(hours=1), kind=kind, outcome="refused", read=0)
    told = reads.hours_of([de_politics.market], now)[de_politics.market_id]
    assert (told.read, told.failed) == ([0] * 21 + [7, 0, 5], [False] * 21 + [True, False, False])


def test_hours_begin_with_those_of_the_clock_in_zones_of_half_hours(de_politics: Channel) -> None:
    """In Kolkata it is 13:10: 12:40 belongs to the hour before, 13:05 to this one, and 40 minutes past to neither."""
    now = datetime(2026, 3, 3, 7, 40, tzinfo=UTC)
    for minutes, posts in ((5, 5), (30, 7), (70, 3)):
        make_run(started_at=now - timedelta(minutes=minutes), read=posts)
    with timezone.override(ZoneInfo("Asia/Kolkata")):
        told = reads.hours_of([de_politics.market], now)[de_politics.market_id]
        names = [name for name, _value in telling.read_an_hour([told], now).rows]
    assert told.read == [0] * 22 + [10, 5]
    assert (names[0], names[-1]) == ("14:00", "13:00")


@pytest.mark.parametrize(
    ("now", "names"),
    [
        (datetime(2026, 10, 25, 2, 30, tzinfo=UTC), ["01:00", "02:00 CEST", "02:00 CET", "03:00"]),
        (datetime(2026, 3, 29, 2, 30, tzinfo=UTC), ["00:00", "01:00", "03:00", "04:00 CEST"]),
    ],
)
def test_an_hour_that_comes_twice_or_never_is_counted_once(
    de_politics: Channel, now: datetime, names: list[str]
) -> None:
    for hours, posts in ((0, 5), (1, 7), (2, 3), (3, 2)):
        make_run(started_at=now - timedelta(hours=hours), read=posts)
    with timezone.override(ZoneInfo("Europe/Berlin")):
        told = reads.hours_of([de_politics.market], now)[de_politics.market_id]
        chart = telling.read_an_hour([told], now)
    assert told.read == [0] * 20 + [2, 3, 7, 5]
    assert list(chart.rows)[-4:] == list(zip(names, ["2", "3", "7", "5"], strict=True))


def test_a_market_that_global_sources_alone_feed_is_read(browse: Any, lena: User) -> None:
    Source.objects.create(kind="search", value="Rat")
    row = browse(lena).get(HEALTH).context["rows"][0]
    assert (row.state, row.beside) == ("reading", "by global sources, which count where they are paid")


def test_a_market_that_is_exempted_from_all_its_sources_has_none(browse: Any, lena: User) -> None:
    source = Source.objects.create(kind="search", value="Rat")
    SourceExemption.objects.create(source=source, market=Market.objects.get(code="de"), reason="too local")
    assert [row.state for row in browse(lena).get(HEALTH).context["rows"]] == ["no sources"]


def test_failing_sources_and_markets_without_any_are_told_in_the_sentence(browse: Any, chief: User) -> None:
    chief.language = "en"
    chief.save()
    de, nl = (Market.objects.get(code=code) for code in ("de", "nl"))
    well = Source.objects.create(kind="account", value="rathaus", market=de)
    bad = Source.objects.create(kind="list", value="77", market=de)
    Source.objects.create(kind="account", value="gemeente", market=nl)
    make_run(source=well)
    make_run(source=bad, outcome="refused")  # which pauses it
    Source.objects.filter(pk=bad.pk).update(paused_at=timezone.now(), paused_reason="Could not find list.")
    told = browse(chief).get("/health/").context["summed_up"]
    assert "Sources fail: DE 1 of 2. No sources: GR, RO, HR." in told
    assert "every budget lasts" not in told
    Source.objects.filter(pk=well.pk).update(paused_at=timezone.now())  # by a colleague: no fault
    assert "Sources fail: DE 1 of 1." in browse(chief).get("/health/").context["summed_up"]
    Source.objects.update(paused_at=None)
    Cursor.objects.create(source=bad, failures=1)
    assert "Sources fail: DE 1 of 2." in browse(chief).get("/health/").context["summed_up"]
    Source.objects.filter(pk=bad.pk).delete()
    for code in ("gr", "ro", "hr"):
        Source.objects.create(kind="account", value="dimos", market=Market.objects.get(code=code))
    assert "All markets are read, and every budget lasts." in browse(chief).get("/health/").context["summed_up"]


def test_who_is_not_read_though_it_was_time_is_named_first(browse: Any, lena: User) -> None:
    """Beat goes on offering the source, so its time is always near; no worker takes it."""
    now = timezone.now()
    source = Source.objects.create(kind="search", value="Rat", market=Market.objects.get(code="de"), most_seconds=600)
    Cursor.objects.create(source=source, due_at=now + timedelta(seconds=20))
    run = make_run(source=source, started_at=now - timedelta(minutes=19))
    assert browse(lena).get(HEALTH).context["rows"][0].state == "reading"
    IngestRun.objects.filter(pk=run.pk).update(started_at=now - timedelta(minutes=21))
    told = browse(lena).get(HEALTH).context
    clock = (now - timedelta(minutes=21)).astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M")
    assert told["rows"][0].state == f"not read since {clock}"
    assert f"Not read though it was time: DE ({clock}). Look at worker and beat." in told["summed_up"]


def test_the_budget_is_told_with_where_it_leads(de_politics: Channel) -> None:
    now, market = timezone.now(), de_politics.market
    BudgetDay.objects.update_or_create(market=market, day=now.date(), defaults={"used": 40})
    assert reads.purses_of([market], now)[market.pk].ahead == forecast(market, now)


def test_a_payload_is_shown_as_text_to_leads_alone(browse: Any, lena: User, vera: User, bram: User) -> None:
    address = f"/health/quarantine/{aside().pk}/"
    body = browse(lena).get(address).content.decode()
    assert "&lt;script&gt;alert(1)" in body and "<script>alert(1)" not in body
    assert [browse(one).get(address).status_code for one in (vera, bram)] == [403, 404]


def test_what_is_of_no_market_is_for_chiefs(browse: Any, lena: User, chief: User) -> None:
    address = f"/health/quarantine/{aside(None).pk}/"
    assert [browse(one).get(address).status_code for one in (lena, chief)] == [404, 200]


def test_dropping_is_logged_and_for_leads(browse: Any, lena: User, vera: User) -> None:
    row = aside()
    assert browse(vera).post(f"/health/quarantine/{row.pk}/drop/").status_code == 403
    assert Quarantined.objects.filter(pk=row.pk).exists()
    assert browse(lena).post(f"/health/quarantine/{row.pk}/drop/").status_code == 422
    assert Quarantined.objects.filter(pk=row.pk).exists()
    assert browse(lena).post(f"/health/quarantine/{row.pk}/drop/", {"sure": "1"}).status_code == 302
    assert not Quarantined.objects.filter(pk=row.pk).exists()
    change = Change.objects.get(noun="quarantined")
    assert (change.verb, change.by, change.before) == ("drop", lena, {"reason": "it has no author"})


@pytest.mark.parametrize(("most", "top"), [(0, 1), (3, 4), (439, 500), (55_000, 80_000), (1000, 1000)])
def test_scales_end_at_round_numbers(most: float, top: float) -> None:
    assert charts.top_of(most) == top


def of_a_source(now: datetime, **fields: Any) -> Quarantined:
    """A post that X sent whole: it could be stored now."""
    source = Source.objects.create(kind="search", value="Rat", market=Market.objects.get(code="de"))
    run = make_run(source=source, started_at=now)
    payload = {"id": str(id_at(now)), "text": "Der Rat tagt.", "author_id": "5001", "created_at": now.isoformat()}
    beside = {"users": [{"id": "5001", "username": "rathaus_lindmark", "name": "Rathaus"}]}
    told = {"payload": payload, "beside": beside, "reason": "its id is from the future"}
    return Quarantined.objects.create(run=run, **told | fields)


def test_what_was_set_aside_is_told_in_words(browse: Any, lena: User) -> None:
    now = timezone.now() - timedelta(hours=1)
    row = of_a_source(now)
    told = browse(lena).get(f"/health/quarantine/{row.pk}/").context["told"]
    clock = now.astimezone(ZoneInfo("Europe/Berlin"))
    assert (told.why, told.author, told.text) == ("its id is from the future", "@rathaus_lindmark", "Der Rat tagt.")
    assert told.address == f"https://x.com/i/status/{id_at(now)}"
    assert told.run.startswith("reading, Rat, ")
    assert told.run.endswith(f"{clock:%H:%M:%S}: 3 new, 9 known")
    assert told.refusal is None


def test_a_lead_releases_it_to_the_queues(browse: Any, lena: User, vera: User, bram: User) -> None:
    row = of_a_source(timezone.now() - timedelta(hours=1))
    address = f"/health/quarantine/{row.pk}/release/"
    assert [browse(one).post(address).status_code for one in (vera, bram)] == [403, 404]
    assert (Quarantined.objects.count(), Candidate.objects.count()) == (1, 0)
    answer = browse(lena).post(address, follow=True)
    channels = Channel.objects.active().filter(market__code="de").count()
    assert f"Released: it is in {channels} channels now." in answer.content.decode()
    assert (Quarantined.objects.count(), Candidate.objects.pending().count()) == (0, channels)


def test_one_that_is_still_refused_says_why_and_stays(browse: Any, lena: User) -> None:
    row = of_a_source(timezone.now(), payload={"id": "77", "text": None, "author_id": "5001"})
    answer = browse(lena).post(f"/health/quarantine/{row.pk}/release/")
    assert answer.status_code == 422
    assert '<p class="finding finding--danger" role="alert">It is still refused: its text is missing.</p>' in (
        answer.content.decode()
    )
    assert Quarantined.objects.get() == row


def test_an_old_one_says_that_it_cannot_be_released(browse: Any, lena: User) -> None:
    row = of_a_source(timezone.now() - timedelta(hours=1), beside=None)
    body = browse(lena).get(f"/health/quarantine/{row.pk}/").content.decode()
    assert "It cannot be released. Its author and pictures were not kept then" in body
    assert "/release/" not in body


def test_an_hour_in_which_reading_failed_has_a_red_foot() -> None:
    told = charts.columns([4, 0, 2], [False, True, True], 4)
    assert [(one.x, one.height, one.kind) for one in told] == [
        ("4.00", "100.0", ""), ("37.33", "0.0", ""), ("70.67", "50.0", "now"), ("37.33", "5.0", "bad"),
        ("70.67", "5.0", "bad"),
    ]  # fmt: skip
