"""The demo's people and their file."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from rest_framework.test import APIClient

from feeds.models import Consumer
from regions.models import Membership, User

pytestmark = pytest.mark.django_db


def run(file: Path) -> dict[str, Any]:
    call_command("demo_people", credentials=str(file), verbosity=0)
    told: dict[str, Any] = json.loads(file.read_text())
    return told


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "credentials.json"


def test_everyone_can_log_in_with_the_role_the_file_says(file: Path) -> None:
    told = run(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for person in told["users"]:
        user = authenticate(username=person["username"], password=person["password"])
        assert isinstance(user, User)
        roles = set(Membership.objects.filter(user=user).values_list("market__code", "role"))
        if person["role"] == "chief":
            assert user.is_superuser
            assert (roles, person["markets"]) == (set(), ["de", "nl", "gr", "ro", "hr"])
        else:
            assert not user.is_superuser
            assert roles == {(code, person["role"]) for code in person["markets"]}


def test_every_market_has_every_role_and_someone_has_two(file: Path) -> None:
    users = run(file)["users"]
    held = {(code, person["role"]) for person in users for code in person["markets"]}
    for code in ("de", "nl", "gr", "ro", "hr"):
        assert {role for market, role in held if market == code} == {"viewer", "editor", "lead", "chief"}
    assert [person["markets"] for person in users if person["role"] == "editor" and len(person["markets"]) > 1] == [
        ["de", "nl"]
    ]
    assert User.objects.get(username="eleni").language == "el"


def test_tokens_and_the_key_work(file: Path) -> None:
    told = run(file)
    anna = next(person for person in told["users"] if person["username"] == "anna")
    client = APIClient(headers={"Authorization": f"Token {anna['token']}"})
    assert client.get("/api/v1/candidates/?market=de").status_code == 200
    assert client.get("/api/v1/candidates/?market=nl").status_code == 404
    assert Consumer.objects.get(name="Demo").key == told["consumer_key"]


def test_a_second_run_changes_nothing(file: Path) -> None:
    run(file)
    text, rows = file.read_text(), list(User.objects.order_by("pk").values())
    run(file)
    assert file.read_text() == text
    assert list(User.objects.order_by("pk").values()) == rows


def test_a_lost_or_spoilt_file_is_made_anew_for_the_same_people(file: Path) -> None:
    keys = list(User.objects.order_by("pk").values_list("pk")) if run(file) else []
    file.write_text("{")
    told = run(file)
    assert list(User.objects.order_by("pk").values_list("pk")) == keys
    assert authenticate(username="anna", password=next(p["password"] for p in told["users"] if p["username"] == "anna"))


def test_a_changed_password_is_set_back_to_the_file(file: Path) -> None:
    told = run(file)
    anna = User.objects.get(username="anna")
    anna.set_password("something else")
    anna.save()
    assert run(file) == told
    assert authenticate(username="anna", password=told["users"][2]["password"])
