"""Triage by keys while candidates arrive and a colleague decides: no key hits another row than the one looked at.
The same for 200 candidates, with figures: tests/soak/test_triage.py."""

from random import Random

from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_keys as keys
from tests.curation import test_together_browser as together
from tests.curation.test_together_browser import Seat, at_the_desk
from tests.curation.triage import NOTES, decide_all, meanwhile, strays

pytestmark = keys.pytestmark
events_port, seat = together.events_port, together.seat
MANY = 24


def test_no_key_hits_another_row(seat: Seat, anna: User, ben: User, de_politics: Channel) -> None:
    for n in range(MANY):
        make_candidate(de_politics, f"Beitrag {n}\n" * (n % 4 + 1), rank=100 - n)
    context = seat(anna)
    context.add_init_script(NOTES)
    page = at_the_desk(context)
    with meanwhile(de_politics, ben, arrivals=20, decisions=2) as others:
        triage = decide_all(page, MANY // 2, chance=Random(1), rest=250)
    assert (triage.other, triage.moved, strays(triage, anna)) == ([], [], [])
    assert len(triage.pressed) >= MANY // 3
    assert min(others["arrived"], others["decided"]) > 0
    assert page.evaluate("window.broken") == []
