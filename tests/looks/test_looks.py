"""Every page as people see it: six languages, light and dark, desktop and phone; for axe, for the policy, for the eye.

`make test` looks at each page once: at the desk in German on a light desktop, at all others in Greek on a dark phone;
`make soak` at each in every way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from django.conf import settings
from django.core.cache import cache
from django.urls import resolve
from playwright.sync_api import Browser, BrowserContext, Error, expect
from pytest_django.live_server_helper import LiveServer

from tests.config.test_rules import ROUTES
from tests.looks.eye import WATCH, Eye
from tests.looks.sights import ELSEWHERE, NO_PAGE, ROOMS, Sight, filled
from tests.looks.world import World, busy

committed = pytest.mark.django_db(transaction=True, serialized_rollback=True)
Colours = Literal["light", "dark"]
Look = tuple[Colours, int]
DESKTOP, PHONE = 1440, 360
HEIGHTS = {DESKTOP: 900, PHONE: 780}
ALL: list[Look] = [("light", DESKTOP), ("dark", DESKTOP), ("dark", PHONE), ("light", PHONE)]
ONCE: dict[str, tuple[str, list[Look]]] = {
    room: ("de", [("light", DESKTOP)]) if room == "desk" else ("el", [("dark", PHONE)]) for room in ROOMS
}


@pytest.fixture(autouse=True)
def nobody_tried_before() -> Iterator[None]:
    """allauth counts attempts in the cache, which outlives a test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def world(live_server: LiveServer) -> World:
    return busy()


@dataclass
class Visit:
    """One person after another at one browser, in one language."""

    context: BrowserContext
    world: World
    address: str
    eye: Eye

    def look(self, sight: Sight, looks: list[Look]) -> None:
        """One load of the page serves all looks. What cannot be reached is a finding too."""
        try:
            self.reach(sight, looks[0])
        except (AssertionError, Error) as trouble:
            self.eye.found.append((sight.told, f"not reached: {str(trouble)[:300]}"))
            return
        for look in looks:
            self.be(look)
            self.eye.look(f"{sight.told}, {look[0]} {look[1]}")

    def reach(self, sight: Sight, look: Look) -> None:
        page = self.eye.page
        self.be(look)
        self.context.clear_cookies(name="sessionid")
        if sight.who:
            session = self.sessions(sight.who)
            self.context.add_cookies([{"name": "sessionid", "value": session, "url": self.address}])
        path = filled(sight.path, self.world.values)
        self.eye.where, self.eye.strict = sight.told, sight.ours
        self.eye.forgiven = sight.forgiven or (f"status of {sight.status}" if sight.status > 399 else "")
        page.goto("about:blank")
        answer = page.goto(path, wait_until="domcontentloaded")
        assert answer and answer.status == sight.status, (sight.told, answer and answer.status)
        assert page.url.split("#")[0].endswith(path.split("#")[0]), (sight.told, page.url)
        expect(page.locator(sight.seen).first).to_be_visible()
        if sight.then:
            sight.then(page)

    def be(self, look: Look) -> None:
        colours, width = look
        self.eye.page.emulate_media(color_scheme=colours, reduced_motion="reduce")
        self.eye.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})

    def sessions(self, name: str) -> str:
        kept: dict[str, str] = self.__dict__.setdefault("kept", {})
        if name not in kept:
            kept[name] = self.world.session(name)
        return kept[name]


@pytest.fixture
def visit(request: Any, browser: Browser, live_server: LiveServer, world: World, language: str) -> Iterator[Visit]:
    world.speak(language)
    context = browser.new_context(base_url=live_server.url, timezone_id="Europe/Berlin", locale=language)
    context.add_init_script(WATCH)
    events = {"Access-Control-Allow-Origin": live_server.url, "Access-Control-Allow-Credentials": "true"}
    stream = {"status": 200, "content_type": "text/event-stream", "body": "retry: 600000\n\n", "headers": events}
    context.route(f"{settings.EVENTS_URL}**", lambda route: route.fulfill(**stream))  # type: ignore[arg-type]
    yield Visit(context, world, live_server.url, Eye(context.new_page()))
    context.close()


def wrong_in(visit: Visit, sights: list[Sight], looks: list[Look]) -> list[tuple[str, str]]:
    for sight in sights:
        visit.look(sight, looks)
    return visit.eye.found


def listed(found: list[tuple[str, str]]) -> str:
    return "\n".join(f"{where}: {what}" for where, what in found)


@committed
@pytest.mark.long
@pytest.mark.browser
@pytest.mark.urls("tests.looks.urls")
@pytest.mark.parametrize(("room", "language", "looks"), [(room, *once) for room, once in ONCE.items()], ids=ONCE)
def test_each_page_can_be_read_by_everyone(visit: Visit, room: str, looks: list[Look]) -> None:
    found = wrong_in(visit, [sight for sight in ROOMS[room] if not sight.rarely], looks)
    assert not found, listed(found)


@committed
@pytest.mark.soak
@pytest.mark.browser
@pytest.mark.urls("tests.looks.urls")
@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("language", ["de", "nl", "el", "ro", "hr", "en"])
def test_each_page_looks_well_in_every_way(visit: Visit, room: str) -> None:
    found = wrong_in(visit, ROOMS[room], ALL)
    print(f"{room}: {len(ROOMS[room])} sights, {visit.eye.looked} looks, {len(found)} findings")
    assert not found, listed(found)


def test_every_route_that_gives_a_page_is_looked_at() -> None:
    """A new page comes into `sights`, or says here that it is none."""
    values = dict.fromkeys(("first", "post", "passkey", "token", "source", "block", "block_list", "aside"), "1")
    sights = [sight for room in ROOMS.values() for sight in room if sight.status == 200 and not sight.rarely]
    seen = {resolve(filled(sight.path, values).split("?")[0].split("#")[0]).view_name for sight in sights}
    none = {name for names in NO_PAGE.values() for name in names}
    known = {name.split(":")[0] for name, _pattern in ROUTES}
    assert known - none - set(ELSEWHERE) == seen
