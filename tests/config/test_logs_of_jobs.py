"""A job's lines in the log say which request, or which job, rang for it."""

from __future__ import annotations

import re

import pytest
import structlog
from celery.contrib.testing.worker import start_worker

from curation.config.celery import app
from curation.config.demo.program import eventually

log = structlog.get_logger("tests.jobs")


@app.task(name="tests.says")
def says(word: str, further: str = "") -> None:
    log.warning(word)
    if further:
        says.delay(further)


def told(log: list[str], word: str) -> dict[str, str]:
    """What stands beside an event; nothing while the log lacks it."""
    lines = [line for line in "".join(log).splitlines() if f" {word} [tests.jobs]" in line]
    return dict(re.findall(r"(\w+)=(\S+)", lines[0])) if lines else {}


def test_a_request_is_known_in_the_jobs_it_rings_for(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    def both_said() -> bool:
        seen.append(capsys.readouterr().err)
        return bool(told(seen, "second"))

    with structlog.contextvars.bound_contextvars(request_id="asked-by-anna", user_id=7):
        first = says.delay("first", "second")
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        assert eventually(both_said, 60)
    one, other = told(seen, "first"), told(seen, "second")
    assert one == {"request_id": "asked-by-anna", "user_id": "7", "task_id": first.id}
    assert (other["request_id"], other["parent_task_id"]) == ("asked-by-anna", first.id)
    assert other["task_id"] != first.id
