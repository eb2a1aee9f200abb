"""What jobs are sent through: RabbitMQ with quorum queues where it is named, Redis else; and web sends none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from curation.config.celery import app

ROOT = Path(__file__).resolve().parents[2]
TOLD = """
import json
from curation.config.celery import app
from celery.utils.quorum_queues import detect_quorum_queues
app.amqp.queues.select(["celery", "ingest"])  # as -Q does
queues = {name: queue.queue_arguments for name, queue in app.amqp.queues.items()}
link = app.connection_for_write()
print(json.dumps({"queues": queues, "detected": detect_quorum_queues(app, link.transport.driver_type)[0],
                  "options": link.transport_options, "heartbeat": app.conf.broker_heartbeat}))
"""


def told(broker: str) -> dict[str, Any]:
    """How a worker started with this broker sees its queues."""
    done = subprocess.run(
        [sys.executable, "-c", TOLD],
        cwd=ROOT,
        env=os.environ | {"CELERY_BROKER_URL": broker},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_rabbitmq_gets_quorum_queues_without_a_global_prefetch() -> None:
    found = told("amqp://someone:secret@127.0.0.1:9/house")
    assert found["queues"] == {"celery": {"x-queue-type": "quorum"}, "ingest": {"x-queue-type": "quorum"}}
    assert found["detected"] is True
    assert found["options"] == {"confirm_publish": True, "read_timeout": 10, "write_timeout": 10}


def test_redis_waits_for_nothing_for_ever() -> None:
    found = told("redis://127.0.0.1:9/0")
    assert found["detected"] is False and not any(found["queues"].values())
    assert {"socket_timeout", "socket_connect_timeout"} <= set(found["options"])


@pytest.mark.parametrize("room", ["regions", "curation", "feeds"])
def test_only_jobs_send_jobs(room: str) -> None:
    """So that no page and no publication ever waits for the broker."""
    sends = re.compile(r"\.(?:delay|apply_async|send_task)\(")
    found = {str(file.relative_to(ROOT)) for file in (ROOT / room).rglob("*.py") if sends.search(file.read_text())}
    assert found <= {"curation/tasks.py", "feeds/tasks.py"}


def test_a_job_leaves_the_queue_when_it_is_done() -> None:
    """Else a worker that is killed takes it along, and those that it had fetched ahead."""
    app.loader.import_default_modules()
    ours = [job for name, job in app.tasks.items() if name.startswith(("curation.", "feeds."))]
    assert {(job.acks_late, job.reject_on_worker_lost) for job in ours} == {(True, True)}
    assert app.conf.worker_prefetch_multiplier == 1
