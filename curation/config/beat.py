"""When beat rings for a job: by a clock that only runs on. One that is set, ahead or back, neither silences it for as
long nor makes it ring for what was not due; nothing of it is kept from one start to the next."""

from datetime import UTC, datetime, timedelta

from celery.schedules import schedule

from curation.shared_clock import clock_from

RUNNING_ON = clock_from(datetime.now(UTC))


def every(seconds: float) -> schedule:
    return schedule(timedelta(seconds=seconds), nowfun=RUNNING_ON)


def lies_at_most(seconds: int) -> dict[str, int]:
    """Options of a message that RabbitMQ drops when nobody takes it for so many seconds; Redis drops none, and whoever
    comes second finds nothing to do. Celery's own `expires` is a time of day that one machine writes and another
    reads: where either's clock is off, the job is dropped."""
    return {"expiration": seconds}
