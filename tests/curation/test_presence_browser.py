"""How often a desk says where its reader stands, and what that costs."""

from typing import Any
from urllib.parse import parse_qs

from django.db import connection
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import BrowserContext, Request

from curation.models import Candidate
from regions.models import User
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open

pytestmark = keys.pytestmark
context, enter, rows = keys.context, keys.enter, keys.rows
HIDE = "Object.defineProperty(document, 'hidden', { get: () => Boolean(window.away) });"
TURN = "away => { window.away = away; document.dispatchEvent(new Event('visibilitychange')); }"


def test_it_is_said_at_most_once_a_second_on_change_and_while_seen(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    context.clock.install()
    context.add_init_script(HIDE)
    told: list[int] = []

    def hear(request: Request) -> None:
        if "/here/" in request.url:
            told.append(int(parse_qs(request.post_data or "")["candidate"][0]))

    context.on("request", hear)
    page = enter(anna)

    def after(milliseconds: int, *pressed: str) -> list[int]:
        """Whom the page told of since, once it had time to."""
        for key in pressed:
            page.keyboard.press(key)
        before = len(told)
        page.clock.run_for(milliseconds)
        page.evaluate("fetch('/livez')")  # requests keep their order: what was to be said was said by now
        return told[before:]

    first, second, third = (candidate.pk for candidate in rows)
    assert after(3_000) in ([first], [])  # said while the page opened, or now
    assert told == [first]
    assert after(650, "j", "j", "k") == [second]
    assert after(300, "j") == []
    assert after(800) == [third]
    assert after(3_000, "k", "j") == []
    assert after(15_000) == [third]
    page.evaluate(TURN, True)
    assert after(60_000, "k") == []
    page.evaluate(TURN, False)
    assert after(1_100) == [second]


def test_saying_it_is_cheap(browse: Any, anna: User, rows: list[Candidate]) -> None:
    person = browse(anna)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert person.post("/desk/de/here/", {"candidate": rows[0].pk}).status_code == 204
    told = [query["sql"][:90] for query in asked]
    assert len(told) <= 5, told
