"""The faults of the promises' soak: each once a round, in an order that its seed alone decides; each can be done."""

from __future__ import annotations

from itertools import islice

from tests.soak.promises.faults import Hand, every_fault, schedule
from tests.soak.promises.whole import Whole

ROUND = len(every_fault())


def test_a_seed_gives_the_same_faults_again() -> None:
    first, again, other = (list(islice(schedule(seed), 2 * ROUND)) for seed in (1, 1, 2))
    assert first == again
    assert first[:ROUND] != other[:ROUND]


def test_each_round_has_every_fault() -> None:
    told = list(islice(schedule(3), 2 * ROUND))
    assert sorted(map(str, told[:ROUND])) == sorted(map(str, every_fault())) == sorted(map(str, told[ROUND:]))


def test_a_short_run_meets_faults_of_every_kind() -> None:
    kinds = {fault.kind for fault in every_fault()}
    assert {fault.kind for fault in islice(schedule(4), len(kinds))} == kinds


def test_each_fault_can_be_done_to_a_part_of_the_house() -> None:
    assert {fault.kind for fault in every_fault()} <= set(dir(Hand))
    assert {fault.target for fault in every_fault()} <= {*Whole.parts, "postmaster", "redis", ""}


def test_every_part_is_killed() -> None:
    assert {fault.target for fault in every_fault() if fault.kind == "kill"} == {*Whole.parts, "postmaster", "redis"}
