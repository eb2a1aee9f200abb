"""A simulator without posts, a door to it, and sources of DE politics."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from curation.config.celery import app
from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.models import Cursor, IngestRun
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Channel, Source
from tests.canned import USER, Canned
from tests.curation.ingest.listening import SHORT

ROOT = Path(__file__).parents[3]
POLITICS_DE = "1500000000000000000"  # the simulator's list


@pytest.fixture
def x() -> Iterator[Simulator]:
    """A simulator that invents nothing, with two accounts in the list of German politics."""
    with Simulator(rate=0, catalogue=0, keep_alive=0.1) as simulator:
        simulator.account("stadtblatt", name="Stadtblatt", category="politics", language="de")
        simulator.account("rathaus", name="Rathaus Lindmark", category="politics", language="de")
        yield simulator


@pytest.fixture
def this_x(x: Simulator, settings: Any) -> Simulator:
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    return x


@pytest.fixture
def eager() -> Iterator[None]:
    """A job that rings for another does it itself."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def ask(x: Simulator) -> Door:
    return Door(x.base_url, x.token, read_seconds=2)


@pytest.fixture
def source_of(de_politics: Channel) -> Callable[..., Source]:
    """A source with its cursor; of DE politics unless a scope is given."""

    def make(kind: str, value: str, **fields: Any) -> Source:
        scope = {} if "market" in fields or "scope" in fields else {"channel": de_politics}
        fields.pop("scope", None)
        source = Source.objects.create(kind=kind, value=value, least_seconds=10, **scope | fields)
        leases.add_missing_cursors()
        return source

    return make


@pytest.fixture
def read(ask: Door) -> Callable[..., IngestRun]:
    """Reads a source as if it were due."""

    def now(source: Source, at: datetime | None = None) -> IngestRun:
        at = at or timezone.now()
        Cursor.objects.filter(pk=source.pk).update(due_at=at)
        run = poll(source.pk, now=at, ask=ask)
        assert run is not None
        return run

    return now


@pytest.fixture
def odd() -> Iterator[Canned]:
    """An X that says what it is told to say; it knows the account 5001."""
    with Canned() as canned:
        canned.tell("/2/users/by", {"data": [USER]})
        canned.tell("/2/users", {"data": []})
        yield canned


@pytest.fixture
def odd_source(source_of: Callable[..., Source]) -> Source:
    """The account 5001."""
    return source_of(Source.Kind.ACCOUNT, "stadtblatt")


@pytest.fixture
def read_odd(odd: Canned, odd_source: Source) -> Callable[[], IngestRun]:
    """Reads the account from the odd X as if it were due."""

    def now() -> IngestRun:
        at = timezone.now()
        Cursor.objects.filter(pk=odd_source.pk).update(due_at=at)
        run = poll(odd_source.pk, now=at, ask=Door(odd.base_url, odd.token, read_seconds=2))
        assert run is not None
        return run

    return now


@pytest.fixture
def process(x: Simulator) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts `manage.py stream` with short times; whatever is left is killed."""
    started: list[subprocess.Popen[bytes]] = []
    told = connection.settings_dict
    host, port = str(told["HOST"]).replace("/", "%2F"), f":{told['PORT']}" if told["PORT"] else ""
    password = f":{told['PASSWORD']}" if told["PASSWORD"] else ""
    url = f"postgres://{told['USER']}{password}@{host}{port}/{told['NAME']}"
    shared = os.environ | {"DATABASE_URL": url, "X_API_BASE_URL": x.base_url, "X_BEARER_TOKEN": x.token}
    times = [f"--{name.replace('_', '-')}={value}" for name, value in vars(SHORT).items()]

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "stream", *times]
        started.append(subprocess.Popen(command, cwd=ROOT, env=shared, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait()
