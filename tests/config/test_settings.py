"""Every variable is documented, and a bad one stops the start with its name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs/settings.md"
READ = re.compile(r"""\bread\(\s*"([A-Z_]+)\"""")


def variables() -> set[str]:
    return set(READ.findall((ROOT / "curation/config/settings.py").read_text()))


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)`", DOCUMENT.read_text(), re.MULTILINE))
    by_the_demo = {"PORT", "DEMO_DIR"}
    assert variables() - documented == set()
    assert documented - variables() - by_the_demo == set()


def start(**changed: str | None) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in changed}
    environment = kept | {name: value for name, value in changed.items() if value is not None}
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("DATABASE_URL", None),
        ("DATABASE_URL", "mysql://somewhere/db"),
        ("REDIS_URL", "localhost"),
        ("DEBUG", "maybe"),
        ("X_API_BASE_URL", "api.x.com"),
        ("LOG_LEVEL", "LOUD"),
        ("INGEST_SLOW_AT_ONCE", "0"),
        ("OIDC_ISSUER", "id.example"),
        ("OIDC_ROLES", "ticker-de=de:boss"),
        ("OIDC_ROLES", "ticker-de"),
        ("OIDC_STRANGERS", "perhaps"),
        ("OIDC_ONLY", "true"),
        ("TRUSTED_PROXIES", "nginx"),
    ],
)
def test_a_missing_or_bad_variable_stops_the_start_with_its_name(name: str, value: str | None) -> None:
    started = start(**{name: value})
    assert started.returncode != 0
    assert name in started.stderr
    assert "Traceback" not in started.stderr
    assert len(started.stderr.strip().splitlines()) == 1


def test_the_message_never_tells_the_value() -> None:
    started = start(DATABASE_URL="mysql://anna:secret-word@somewhere/db")
    assert "secret-word" not in started.stderr + started.stdout


@pytest.mark.parametrize(("proxies", "taken"), [({}, "False"), ({"TRUSTED_PROXIES": "1"}, "True")])
def test_a_requests_id_is_taken_from_a_proxy_of_ours_alone(proxies: dict[str, str], taken: str) -> None:
    asked = "from curation.config import settings; print(settings.DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID)"
    environment = {name: value for name, value in os.environ.items() if name != "TRUSTED_PROXIES"} | proxies
    command = [sys.executable, "-c", asked]
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == taken
