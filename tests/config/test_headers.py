"""What browsers are told, judged by the rules of the HTTP Observatory: nothing is deducted, and what it gives extra is
there. The settings are those behind https, in a process of their own."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

PAGES = ["/accounts/login/", "/nowhere/", "/livez", "/api/v1/schema/", "/ticker/de/"]
ASK = """
import json, sys
import django
django.setup()
from django.conf import settings
from django.test import Client
settings.STORAGES['staticfiles']['BACKEND'] = 'django.contrib.staticfiles.storage.StaticFilesStorage'
told = {}
for path in sys.argv[1:]:
    answer = Client(raise_request_exception=False).get(path, secure=True, headers={"host": "localhost"})
    cookies = {name: {key: one[key] for key in ("secure", "samesite")} for name, one in answer.cookies.items()}
    told[path] = {"headers": {name.lower(): value for name, value in answer.headers.items()}, "cookies": cookies}
names = ("SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE")
print(json.dumps({"pages": told, "session": [getattr(settings, name) for name in names]}))
"""


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """Headers and cookies of each page, and the flags of a session's cookie. None of these pages needs PostgreSQL."""
    environment = os.environ | {"SECURE": "true", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    environment["DJANGO_SETTINGS_MODULE"] = "curation.config.settings"
    done = subprocess.run(
        [sys.executable, "-c", ASK, *PAGES], env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def directives(policy: str) -> dict[str, list[str]]:
    return {words[0]: words[1:] for part in policy.split(";") if (words := part.split())}


@pytest.mark.parametrize("path", PAGES)
def test_the_observatory_deducts_nothing_and_gives_its_extras(told: dict[str, Any], path: str) -> None:
    headers = told["pages"][path]["headers"]
    policy = directives(headers["content-security-policy"])
    sources = [source for words in policy.values() for source in words]
    assert policy["default-src"] == ["'none'"] and policy["base-uri"] == ["'none'"]  # +10
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "blob:"} & set(sources)
    assert "data:" not in [*policy.get("script-src", []), *policy.get("object-src", []), *policy.get("style-src", [])]
    assert policy["frame-ancestors"] == ["'none'"] and headers["x-frame-options"] == "DENY"  # +5
    seconds = int(headers["strict-transport-security"].split(";")[0].removeprefix("max-age="))
    assert seconds >= 15_768_000, "six months"
    assert "includeSubDomains" in headers["strict-transport-security"]
    assert headers["referrer-policy"] in ("no-referrer", "same-origin", "strict-origin")  # +5
    assert headers["cross-origin-resource-policy"] == "same-origin"  # +10
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers
    assert "camera=()" in headers["permissions-policy"] and "geolocation=()" in headers["permissions-policy"]
    for cookie in told["pages"][path]["cookies"].values():  # +5
        assert cookie["secure"] and cookie["samesite"] == "Lax"


def test_the_cookie_of_a_session_is_out_of_reach(told: dict[str, Any]) -> None:
    assert told["session"] == [True, True, "Lax"]
