"""When beat rings for a job: by a clock that only runs on. One that is set, ahead or back, neither silences it for as
long nor makes it ring for what was not due; nothing of it is kept from one start to the next, so a start rings for
all."""

from datetime import UTC, datetime, timedelta
from typing import Any

from celery.schedules import schedule

from curation.shared_clock import clock_from

RUNNING_ON = clock_from(datetime.now(UTC))


def ring_for(task: str, *, every: float, lies_at_most: float | None = None) -> dict[str, Any]:
    """An entry of beat's schedule, in seconds: at each start, and so often from then on.

    `lies_at_most`: RabbitMQ drops the message when nobody takes it for so long; Redis drops none, and whoever comes
    second finds nothing to do. Celery's own `expires` is a time of day that one machine writes and another reads:
    where either's clock is off, the job is dropped."""
    span = timedelta(seconds=every)
    return {
        "task": task,
        "schedule": schedule(span, nowfun=RUNNING_ON),
        "last_run_at": RUNNING_ON() - span,
        "options": {} if lies_at_most is None else {"expiration": lies_at_most},
    }
