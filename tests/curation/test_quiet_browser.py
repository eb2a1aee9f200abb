"""Nothing that any page does is refused by its own policy, and no page says an error into the console."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from curation import operations
from curation.models import Candidate, Pause
from curation.x.simulator import Simulator
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_desk_links as at_x
from tests.curation import test_keys as keys

pytestmark = keys.pytestmark
context = keys.context
x = at_x.x
HARMLESS = (
    "favicon",
    "the server responded with a status of 4",
    "ERR_CONNECTION_REFUSED",
)  # events are not served here


@pytest.fixture
def number(x: Simulator, settings: Settings) -> str:
    """A post at X with a picture, which may be shown."""
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": directives | {"img-src": [*directives["img-src"], x.base_url]}}
    return x.post("rathaus", "Der Rat von Lindmark tagt.", lang="de", media=["bridge"])


@pytest.fixture
def said(context: BrowserContext) -> Iterator[list[str]]:
    """Errors and warnings of every console."""
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(words in message.text for words in HARMLESS):
            found.append(f"{message.page.url if message.page else ''}: {message.text}")

    context.on("console", hear)
    context.on("weberror", lambda error: found.append(str(error.error)))
    yield found


def log_in(context: BrowserContext, live_server: LiveServer, browse: Any, user: User) -> Page:
    session = browse(user).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return context.new_page()


def test_no_page_breaks_its_policy_or_says_an_error(
    context: BrowserContext, live_server: LiveServer, browse: Any, chief: User, anna: User, de_politics: Channel,
    said: list[str], number: str,
) -> None:  # fmt: skip
    rows = [make_candidate(de_politics, f"Beitrag Nummer {rank}", rank=rank) for rank in (40, 30, 20, 10)]
    operations.approve(rows[0], by=anna, version=1)
    now = timezone.now()
    Pause.objects.create(market=None, cause="token", words="Unauthorized", until=now + timedelta(minutes=9))
    page = log_in(context, live_server, browse, chief)
    waits, post = rows[1], rows[0].tweet.current_id
    paths = [
        "/", "/desk/de/", "/desk/de/politics/", f"/desk/de/politics/candidates/{waits.pk}/similar/", "/link/de/",
        f"/link/de/?category=politics&url={post}", f"/link/de/?category=politics&url={number}", "/erase/de/",
        "/log/de/", "/my/decisions/", f"/posts/{post}/", "/live/de/politics/", "/ticker/de/", "/ticker/de/politics/",
        "/nowhere/", "/admin/",
    ]  # fmt: skip
    for path in paths:
        page.goto(path, wait_until="load")
    assert said == []


def test_adding_by_link_breaks_no_policy(
    context: BrowserContext, live_server: LiveServer, browse: Any, anna: User, de_politics: Channel, said: list[str],
    number: str,
) -> None:  # fmt: skip
    make_candidate(de_politics, "Beitrag")
    page = log_in(context, live_server, browse, anna)
    page.goto("/desk/de/politics/", wait_until="load")
    page.locator("#open-link").click()
    page.locator("#link-url").fill(number)
    page.keyboard.press("Enter")
    page.locator("#link-told .button--primary").click()
    expect(page.locator("#rows > li")).to_have_count(2)
    added = Candidate.objects.get(tweet__current_id=int(number))
    expect(page.locator(f"#row-{added.pk} .row")).to_have_attribute("aria-current", "true")
    keys.glance(page)
    page.keyboard.press("a")
    expect(page.locator("#undo")).to_be_visible()
    page.locator("#undo").click()
    expect(page.locator("#undo")).to_be_hidden()
    assert said == []


def test_on_a_phone_the_page_of_links_ends_where_the_screen_does(
    context: BrowserContext, live_server: LiveServer, browse: Any, anna: User, de_politics: Channel
) -> None:
    page = log_in(context, live_server, browse, anna)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/link/de/", wait_until="load")
    box = page.locator("main.page").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == 844
