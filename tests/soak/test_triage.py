"""Two hundred candidates by keys: how fast the software lets one be, and that no key hits another row than the one
looked at while twenty a second arrive and a colleague decides. SOAK_TRIAGE changes the number."""

import json
import os
from random import Random
from statistics import quantiles

import pytest
from playwright.sync_api import Browser

from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_keys as keys
from tests.curation import test_together_browser as together
from tests.curation.test_together_browser import Seat, at_the_desk
from tests.curation.triage import NOTES, Triage, decide_all, meanwhile, strays

pytestmark = [pytest.mark.soak, *keys.pytestmark]
events_port, seat = together.events_port, together.seat
MANY = int(os.environ.get("SOAK_TRIAGE") or (40 if os.environ.get("SOAK") == "short" else 200))


def say(triage: Triage, capsys: pytest.CaptureFixture[str], **more: object) -> None:
    told = f"{len(triage.pressed)} decided in {triage.seconds:.0f} s, {triage.a_minute:.0f} a minute"
    marks = f"key to marked row p95 {triage.p95:.1f} ms, at most {max(triage.marked):.1f} ms"
    with capsys.disabled():
        hits = f"other rows hit: {len(triage.other)}, moved: {len(triage.moved)}; held back: {triage.held}"
        print(f"\n{told}; {marks}; {hits}; {more}")


def processor_time(trace: bytes) -> list[float]:
    """Milliseconds of processor time that each key took in the page, whatever else the machine did meanwhile."""
    pressed = [
        one for one in json.loads(trace)["traceEvents"] if one.get("args", {}).get("data", {}).get("type") == "keydown"
    ]
    return [one["tdur"] / 1000 for one in pressed if "tdur" in one]


def test_as_fast_as_the_software_allows(
    seat: Seat, browser: Browser, anna: User, de_politics: Channel, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(MANY + 50):
        make_candidate(de_politics, f"Beitrag {n}\n" * (n % 4 + 1), rank=1000 - n)
    context = seat(anna)
    context.add_init_script(NOTES)
    page = at_the_desk(context)
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    triage = decide_all(page, MANY, chance=Random(1))
    work = processor_time(browser.stop_tracing())
    say(triage, capsys, processor_p95=round(quantiles(work, n=20)[-1], 1), keys_timed=len(work))
    assert (len(triage.pressed), strays(triage, anna), triage.other) == (MANY, [], [])
    assert triage.p95 < 50


def test_no_wrong_row_is_hit_meanwhile(
    seat: Seat, browser: Browser, anna: User, ben: User, de_politics: Channel, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(2 * MANY):
        make_candidate(de_politics, f"Beitrag {n}\n" * (n % 4 + 1), rank=1000 - n)
    context = seat(anna)
    context.add_init_script(NOTES)
    page = at_the_desk(context)
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    with meanwhile(de_politics, ben, arrivals=20, decisions=2) as others:
        triage = decide_all(page, MANY, chance=Random(1), rest=200)
    work = processor_time(browser.stop_tracing())
    say(triage, capsys, processor_p95=round(quantiles(work, n=20)[-1], 1), others=dict(others))
    assert (triage.other, triage.moved, strays(triage, anna)) == ([], [], [])
    assert len(triage.pressed) == MANY
