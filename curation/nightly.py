"""When the night's work was last done well: an empty file each, beside LOG_SEALS, so that it outlives a restore."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

BACKUP = "last-backup"
LOG_RIGHT = "last-log-right"


def file_of(work: str) -> Path:
    return Path(settings.LOG_SEALS).with_name(work)


def note(work: str, *, well: bool) -> None:
    """Keeps that it was done well now; or, where it was not, that what was true is true no more. Raises CommandError
    where that cannot be kept: the work itself is over by then."""
    file = file_of(work)
    try:
        if well:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        else:
            file.unlink(missing_ok=True)
    except OSError as why:
        raise CommandError(f"The rest is done, but {file} cannot be kept, and an alert will ring: {why}.") from why


def age_of(work: str, now: datetime) -> float:
    """Seconds since; infinite where it never was."""
    try:
        at = datetime.fromtimestamp(file_of(work).stat().st_mtime, UTC)
    except OSError:
        return inf
    return max(0.0, (now - at).total_seconds())
