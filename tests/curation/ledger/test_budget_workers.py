"""The ledger under several workers, and under kill -9: it is never exceeded, and what was drawn stays drawn."""

import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection, connections

from curation.ledger import budget
from curation.ledger.metered import Metered
from curation.models import BudgetDay, Charge, Reservation
from curation.x.client import Door
from curation.x.outcomes import BudgetSpent, Failure
from curation.x.simulator import Simulator
from regions.models import Market

pytestmark = pytest.mark.usefixtures("transactional_db")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)
FORK = multiprocessing.get_context("fork")


def limited(code: str, day: int) -> Market:
    Market.objects.filter(code=code).update(posts_a_day=day, posts_a_month=100_000, recheck_reserve=0)
    return Market.objects.get(code=code)


def used(market: Market) -> int:
    return BudgetDay.objects.get(market=market, day=TODAY).used


def in_processes(work: Callable[..., None], *arguments: tuple[Any, ...]) -> list[multiprocessing.process.BaseProcess]:
    """Real processes with connections of their own."""
    connections.close_all()
    workers = [FORK.Process(target=work, args=given) for given in arguments]
    for worker in workers:
        worker.start()
    return list(workers)


def draw_and_settle(code: str, seed: int) -> None:
    """Draws until nothing is left; settles with some of what it drew, ids that others have too."""
    chance, market = random.Random(seed), Market.objects.get(code=code)
    while True:
        try:
            drawn = budget.reserve(market, chance.randint(1, 40), now=NOON)
        except BudgetSpent as spent:
            if not spent.passing:
                return
            time.sleep(0.01)
            continue
        count = chance.randint(0, drawn.posts)
        budget.settle(drawn, posts=chance.sample(range(1, 900), count), now=NOON)


def test_several_processes_never_draw_more_than_there_is() -> None:
    de, nl = limited("de", 400), limited("nl", 400)
    workers = in_processes(draw_and_settle, *[(code, seed) for seed in range(2) for code in ("de", "nl")])
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    for market in (de, nl):
        assert used(market) == Charge.objects.filter(market=market).count() == 400
    assert Charge.objects.values("x_id").distinct().count() == 800
    before = {market: used(market) for market in (de, nl)}
    budget.rebuild(TODAY, now=NOON)
    assert {market: used(market) for market in (de, nl)} == before


def test_several_threads_that_all_draw_at_once_get_no_more_than_there_is() -> None:
    de, granted = limited("de", 100), []

    def work() -> None:
        try:
            granted.append(budget.reserve(de, 30, now=NOON).posts)
        except BudgetSpent:
            granted.append(0)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(granted, reverse=True) == [30, 30, 30, 10, 0, 0, 0, 0]
    assert used(de) == 100


def ask_slowly(base_url: str, token: str) -> None:
    meter = Metered(Door(base_url, token, clock=NOON.timestamp), Market.objects.get(code="de"))
    meter.search("from:stadtblatt")


def test_who_is_killed_between_call_and_settlement_has_spent_what_was_drawn() -> None:
    de = limited("de", 150)
    with Simulator(rate=0, catalogue=0, clock=NOON.timestamp) as x:
        x.account("stadtblatt", name="Stadtblatt", category="politics", language="de")
        for n in range(3):
            x.post("stadtblatt", f"Nummer {n}.")
        x.fail("/2/tweets/search", slow=30)
        (worker,) = in_processes(ask_slowly, (x.base_url, x.token))
        for _ in range(500):
            if Reservation.objects.exists():
                break
            time.sleep(0.02)
        assert worker.pid
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        x.mend()
        assert (used(de), Reservation.objects.get().settled_at) == (100, None)
        budget.rebuild(TODAY, now=NOON)
        assert used(de) == 100
        meter = Metered(Door(x.base_url, x.token, clock=NOON.timestamp), de)
        assert len(meter.search("from:stadtblatt").raw) == 3
        assert (used(de), meter.charged, x.meter.posts("2026-11-22")) == (103, 3, 3)


def ask_chaotically(code: str, base_url: str, token: str, seed: int) -> None:
    chance, market = random.Random(seed), Market.objects.get(code=code)
    meter = Metered(Door(base_url, token, read_seconds=1, clock=NOON.timestamp), market)
    for _ in range(25):
        try:
            meter.search("from:stadtblatt", max_results=chance.choice([10, 20, 50]), until_id=chance.choice(IDS))
        except Failure:
            continue


IDS: list[str] = []


def test_four_workers_among_faults_never_exceed_it_by_the_simulators_meter() -> None:
    """Errors, cuts and nonsense; X's own meter, which counts what was sent, stays below each market's budget."""
    de, nl = limited("de", 130), limited("nl", 90)
    with Simulator(rate=0, catalogue=0, clock=NOON.timestamp) as x:
        x.account("stadtblatt", name="Stadtblatt", category="politics", language="de")
        IDS[:] = [x.post("stadtblatt", f"Nummer {n}.") for n in range(400)][20:]
        for order in ({"cut": True}, {"status": 503}, {"status": 200, "body": "<html>"}, {"status": 500, "body": ""}):
            x.fail("/2/tweets/search", times=2, **order)
        told = [(code, x.base_url, x.token, seed) for seed, code in enumerate(("de", "nl", "de", "nl"))]
        workers = in_processes(ask_chaotically, *told)
        for worker in workers:
            worker.join(60)
        charged = {charge.id for charge in x.meter.charges("2026-11-22", "post")}
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    limits, held = {de: 130, nl: 90}, {}
    for market, limit in limits.items():
        paid = set(Charge.objects.filter(market=market).values_list("x_id", flat=True))
        held[market] = used(market) - len(paid)
        assert 0 < len(paid) <= used(market) <= limit
        assert paid <= charged  # nobody pays for what X did not charge
        charged -= paid
    # What X charged and nobody paid for lies in answers that were cut: it is drawn by those who asked.
    assert len(charged) <= sum(held.values())
