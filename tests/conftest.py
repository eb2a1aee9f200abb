"""What tests of every room share."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections
from django.test import Client
from django.utils import translation
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker, Settings
from rest_framework.test import APIClient

from regions.models import Channel, Role, User
from tests.cast import channel_of, make_user
from tests.chromium import QUIET, chromium
from tests.emptying import flush_by_copies, keep_first_rows
from tests.servers import MIGRATED, wait_until_migrated

SHARED = Path(__file__).parents[2] / "shared/data/x"


def pytest_configure() -> None:
    """For the whole run, since a live server may still answer when a test has ended: static files without a
    manifest, passwords that cost nothing."""
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    django_settings.STORAGES = django_settings.STORAGES | {"staticfiles": static}
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    flush_by_copies()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest, django_db_modify_db_settings: None) -> None:
    """A worker's database is a copy of the one that was migrated for all."""
    if hasattr(request.config, "workerinput") and MIGRATED in os.environ:
        wait_until_migrated()
        connection.settings_dict["TEST"]["TEMPLATE"] = connection.settings_dict["NAME"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database, as pytest-django makes it, with copies of its first rows. Where no test asks for one it
    makes none, and the connection still leads to the server's own."""
    if connection.settings_dict["NAME"] == urlsplit(os.environ["DATABASE_URL"]).path[1:]:
        return
    with django_db_blocker.unblock():
        keep_first_rows()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in a browser may try again; tests that commit need the markets back, which a migration made; long ones
    begin first, so that at the end no worker is left alone with one."""
    items.sort(key=lambda test: not test.get_closest_marker("long"))
    for test in items:
        if "browser" in getattr(test, "fixturenames", ()):
            test.add_marker(pytest.mark.flaky(reruns=2))  # a busy machine may keep a page waiting too long
        if {"live_server", "transactional_db"} & set(getattr(test, "fixturenames", ())):
            test.add_marker(pytest.mark.django_db(transaction=True, serialized_rollback=True), append=False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole session; every test opens its own context in it.

    Playwright's loop then runs in this thread, which Django takes for an async view's: it forbids queries, and
    gives this thread other connections, which know nothing yet of the rows that migrations made."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    places = getattr(connection, "_test_serialized_contents", None)
    connections.close_all()  # else children that a test forks, which have no loop, would all meet this one again
    with sync_playwright() as playwright:
        if places is not None:
            connection._test_serialized_contents = places  # type: ignore[attr-defined]
        opened = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield opened
        opened.close()
        connections.close_all()


@pytest.fixture(autouse=True)
def quiet_before_tables_are_emptied(request: pytest.FixtureRequest, _django_db_helper: None) -> Iterator[None]:
    """A closed page's last requests may still run in the live server: emptying tables would deadlock with them."""
    yield
    if "live_server" in request.fixturenames:
        quiet = 0
        for _ in range(100):
            quiet = 0 if others_at_work() else quiet + 1
            if quiet == 3:
                return
            time.sleep(0.05)


def others_at_work() -> int:
    """How many other connections to the test database do something."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def plain_settings(settings: Settings, tmp_path: Path) -> None:
    """A feed folder and a file of seals for each test, and no language that an earlier test's request left."""
    translation.deactivate()
    settings.FEED_ROOT = tmp_path / "feeds"
    settings.LOG_SEALS = tmp_path / "seals.jsonl"
    settings.ERASURE_LOG = tmp_path / "erasures.jsonl"


@pytest.fixture
def anna(db: None) -> User:
    """Edits DE."""
    return make_user("anna", {"de": Role.EDITOR}, first_name="Anna", last_name="Amsel")


@pytest.fixture
def ben(db: None) -> User:
    """Edits DE too."""
    return make_user("ben", {"de": Role.EDITOR}, first_name="Ben", last_name="Buche")


@pytest.fixture
def bram(db: None) -> User:
    """Edits NL."""
    return make_user("bram", {"nl": Role.EDITOR})


@pytest.fixture
def eleni(db: None) -> User:
    """Leads GR."""
    return make_user("eleni", {"gr": Role.LEAD})


@pytest.fixture
def lena(db: None) -> User:
    """Leads DE."""
    return make_user("lena", {"de": Role.LEAD})


@pytest.fixture
def vera(db: None) -> User:
    """May only look at DE."""
    return make_user("vera", {"de": Role.VIEWER})


@pytest.fixture
def chief(db: None) -> User:
    return make_user("chief", is_superuser=True, is_staff=True)


@pytest.fixture
def guest(db: None) -> User:
    """Can log in, belongs to no market."""
    return make_user("guest")


@pytest.fixture
def de_politics(db: None) -> Channel:
    return channel_of("de", "politics")


@pytest.fixture
def nl_politics(db: None) -> Channel:
    return channel_of("nl", "politics")


@pytest.fixture
def api() -> "Caller":
    """Calls the editorial API as somebody: api(anna).post(...)."""
    return Caller()


class Caller:
    def __call__(self, user: User | None = None) -> APIClient:
        client = APIClient()
        if user is not None:
            client.force_authenticate(user)
        return client


@pytest.fixture
def browse() -> "Browse":
    """Opens pages as somebody: browse(anna).get(...)."""
    return Browse()


class Browse:
    def __call__(self, user: User | None = None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client


@pytest.fixture(scope="session")
def shared() -> Path:
    """X's documents and recordings: the folder shared beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("../shared is absent")
    return SHARED


@pytest.fixture(scope="session")
def recorded(shared: Path) -> Path:
    return shared / "recorded"
