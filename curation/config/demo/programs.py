"""Tickerdesk's processes as the demo runs them, and the environment they share."""

import hashlib
import os
import secrets
import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from curation.config.demo.options import ROOT, Options
from curation.config.demo.ports import HOST
from curation.config.demo.program import Program
from curation.config.demo.servers import private

LASTING = ("--respawn-failed-workers", "--workers-kill-timeout", "3")
LOCAL = build_opener(ProxyHandler({}))
AS_ROOT = "You're running the worker with superuser privileges"
NAMED = (
    "DATABASE_URL",
    "REDIS_URL",
    "CELERY_BROKER_URL",
    "X_API_BASE_URL",
    "X_BEARER_TOKEN",
    "LOG_FORMAT",
    "LOG_LEVEL",
)
PICTURE_HOSTS = "https://pbs.twimg.com,https://video.twimg.com"


def environment(options: Options, ports: dict[str, int], urls: dict[str, str]) -> dict[str, str]:
    """What every process gets. `urls` holds DATABASE_URL, REDIS_URL and CELERY_BROKER_URL."""
    secret = secret_in(options.folder)
    web, events = f"http://localhost:{options.port}", f"http://localhost:{ports['events']}"
    shared = os.environ | urls
    shared |= {
        "DJANGO_SETTINGS_MODULE": "curation.config.settings",
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), "localhost", HOST))),
        "SECRET_KEY": secret,
        "DEBUG": "false",
        "SECURE": "false",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "CSRF_TRUSTED_ORIGINS": f"{web},http://{HOST}:{options.port}",
        "FEED_ROOT": str(options.folder / "feeds"),
        "LOG_SEALS": str(options.folder / "seals.jsonl"),
        "STATIC_ROOT": str(options.folder / "static"),
        "PUBLIC_FEED_URL": f"{web}/api/v1/feeds/",
        "CONSOLE_URL": web,
        "EVENTS_URL": f"{events}/events/",
        "LOG_FORMAT": os.environ.get("LOG_FORMAT") or "plain",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL") or "WARNING",
    }
    return shared | (own_x(ports["simulator"], secret) if options.own_x else {})


def write_environment(folder: Path, shared: dict[str, str]) -> None:
    """Keeps what Tickerdesk's processes get, and nothing else of ours, for `make manage`: one `NAME=value` a line."""
    ours = {name: value for name, value in shared.items() if os.environ.get(name) != value or name in NAMED}
    lines = [f"{name}={value}" for name, value in sorted(ours.items()) if "\n" not in value]
    private(folder / "environment", "\n".join(lines) + "\n")


def own_x(port: int, secret: str) -> dict[str, str]:
    """Where the simulated X is; its pictures may be shown."""
    origin = f"http://{HOST}:{port}"
    hosts = os.environ.get("PICTURE_HOSTS") or PICTURE_HOSTS
    token = hashlib.sha256(f"simulator {secret}".encode()).hexdigest()[:40]
    return {"X_API_BASE_URL": origin, "X_BEARER_TOKEN": token, "PICTURE_HOSTS": f"{hosts},{origin}"}


def secret_in(folder: Path) -> str:
    """The demo's SECRET_KEY, made on the first start."""
    file = folder / "secret"
    if not file.exists():
        private(file, secrets.token_urlsafe(50))
    return file.read_text().strip()


def simulator(folder: Path, port: int, shared: dict[str, str]) -> Program:
    state = str(folder / "simulator.sqlite3")
    options = ("--host", HOST, "--port", str(port), "--token", shared["X_BEARER_TOKEN"], "--state", state)
    health = f"{shared['X_API_BASE_URL']}/simulator/health"
    program = python("simulator", shared, "manage.py", "x_simulator", *options)
    return Program(program.name, program.command, shared, ROOT, ready=lambda: answer(health)[0] == 200)


def processes(options: Options, ports: dict[str, int], shared: dict[str, str]) -> list[Program]:
    """Web, events, publisher, worker, beat and stream; docs/operating.md runs the same ones."""
    celery = ("-W", f"ignore:{AS_ROOT}", "-m", "celery", "-q", "-A", "curation.config.celery")
    return [
        granian("web", shared, "wsgi", options.port, "--workers", "2", "--blocking-threads", "4"),
        granian("events", shared, "asgi", ports["events"], "--workers", "1"),
        python("publisher", shared, "manage.py", "publisher"),
        python("worker", shared, *celery, "worker", "-Q", "celery,ingest", "-c", "2", "-l", "WARNING"),
        python("beat", shared, *celery, "beat", "--pidfile=", "-l", "WARNING"),
        python("stream", shared, "manage.py", "stream"),
    ]


def granian(name: str, shared: dict[str, str], interface: str, port: int, *more: str) -> Program:
    where = ("--host", HOST, "--port", str(port), "--log-level", "warning", *LASTING)
    app = f"curation.config.{interface}:application"
    return python(name, shared, "-m", "granian", "--interface", interface, *where, *more, app)


def python(name: str, shared: dict[str, str], *words: str) -> Program:
    return Program(name=name, command=(sys.executable, *words), environment=shared, folder=ROOT)


def answer(url: str) -> tuple[int, str]:
    """Status and text of a GET; 0 while nobody answers."""
    try:
        with LOCAL.open(url, timeout=3) as reply:
            return reply.status, reply.read(2000).decode(errors="replace")
    except HTTPError as error:
        return error.code, error.read(2000).decode(errors="replace")
    except (URLError, OSError) as error:
        return 0, str(error)
