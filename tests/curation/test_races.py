"""Several people decide at once: exactly one wins, and the others are told by whom."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection

from curation import operations
from curation.models import Act, Candidate, Decision
from regions.models import Role
from regions.problems import Refusal
from tests.cast import channel_of, make_candidate, make_user
from tests.soak.farm import environment
from tests.soak.house import serving
from tests.soak.races import compare, run_races

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Runs all calls in threads that start together; gives each one's answer or refusal."""
    gate = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            gate.wait()
            return call()
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.parametrize("people", [2, 8])
def test_one_of_several_wins(people: int) -> None:
    editors = [make_user(f"editor{n}", {"de": Role.EDITOR}) for n in range(people)]
    channel = channel_of("de", "politics")
    for _ in range(5):
        candidate = make_candidate(channel)
        verbs = ["approve", "block", "pin"]
        answers = at_once(
            [partial(operations.decide, verbs[n % 3], candidate, by=by, version=1) for n, by in enumerate(editors)]
        )
        won = [answer for answer in answers if not isinstance(answer, Refusal)]
        lost = [answer for answer in answers if isinstance(answer, Refusal)]
        assert len(won) == 1
        assert {refusal.code for refusal in lost} == {"stale_version"}
        assert {refusal.more["by"] for refusal in lost} == {won[0].decision.by.shown_name}
        assert Candidate.objects.get(pk=candidate.pk).version == 2
        assert Decision.objects.filter(candidate=candidate).count() == 1


def test_a_twin_with_the_same_key_waits_and_gets_the_same_answer() -> None:
    anna = make_user("anna", {"de": Role.EDITOR})
    candidate = make_candidate(channel_of("de", "politics"))
    answers = at_once([partial(operations.approve, candidate, by=anna, version=1, key="twin")] * 4)
    assert len({answer.decision.pk for answer in answers}) == 1
    assert Act.objects.count() == 1


def test_bulks_that_cross_do_not_lock_each_other_out() -> None:
    people = [make_user(f"editor{n}", {"de": Role.EDITOR}) for n in range(4)]
    rows = [make_candidate(channel_of("de", name)) for name in ("politics", "economy", "sport", "celebrity") * 5]
    orders = [rows, rows[::-1], rows[::2] + rows[1::2], rows[10:] + rows[:10]]
    answers = at_once(
        [
            partial(operations.decide_many, "approve", {row.pk: 1 for row in order}, by=by)
            for by, order in zip(people, orders, strict=True)
        ]
    )
    statuses = [result.status for many in answers for result in many.results]
    assert sorted(statuses) == [201] * 20 + [409] * 60


def test_four_pin_into_three_slots() -> None:
    people = [make_user(f"editor{n}", {"de": Role.EDITOR}) for n in range(4)]
    channel = channel_of("de", "politics")
    rows = [make_candidate(channel) for _ in people]
    answers = at_once([partial(operations.pin, row, by=by, version=1) for by, row in zip(people, rows, strict=True)])
    assert sorted(getattr(answer, "code", "") for answer in answers) == ["", "", "", "slots_full"]
    assert sorted(Candidate.objects.filter(slot__isnull=False).values_list("slot", flat=True)) == [1, 2, 3]


def test_who_reads_on_in_the_log_misses_no_decision() -> None:
    """Ids are given before the commit; a later id never becomes visible before an earlier one of the same market."""
    people = [make_user(f"editor{n}", {"de": Role.EDITOR}) for n in range(4)]
    market = channel_of("de", "politics").market
    seen: list[int] = []
    stop = Event()

    def read_on() -> None:
        while not stop.is_set():
            seen.extend(Decision.objects.of_market(market).after(seen[-1] if seen else 0).values_list("pk", flat=True))
        seen.extend(Decision.objects.of_market(market).after(seen[-1] if seen else 0).values_list("pk", flat=True))
        connection.close()

    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(read_on)
        for _ in range(15):
            rows = [make_candidate(channel_of("de", name)) for name in ("politics", "economy", "sport", "celebrity")]
            at_once([partial(operations.approve, row, by=by, version=1) for by, row in zip(people, rows, strict=True)])
        stop.set()
        reading.result(10)
    assert seen == list(Decision.objects.of_market(market).after(0).values_list("pk", flat=True))
    assert len(seen) == 60


def test_races_through_the_real_server(tmp_path: Path) -> None:
    """The smaller form of tests/soak/test_races: mixed verbs, bulks, twins and undo, by users of two markets."""
    channels = [channel_of("de", "politics"), channel_of("hr", "sport")]
    with serving(environment()["DATABASE_URL"], tmp_path) as port:
        lanes = run_races(port, channels, 60, seed=3)
    assert [words for lane in lanes for words in lane.wrong] == []
    assert set(compare(lanes).values()) == {0}, compare(lanes)
    assert [lane.counts["races"] for lane in lanes] == [30, 30]
    assert all(lane.counts["twins"] and lane.counts["lost"] > 30 for lane in lanes)
