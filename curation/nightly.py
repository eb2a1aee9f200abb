"""When the night's work was last done well: an empty file each, beside LOG_SEALS, so that it outlives a restore."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from pathlib import Path

from django.conf import settings

BACKUP = "last-backup"
LOG_RIGHT = "last-log-right"


def file_of(work: str) -> Path:
    return Path(settings.LOG_SEALS).with_name(work)


def done(work: str) -> None:
    """Raises OSError."""
    file_of(work).parent.mkdir(parents=True, exist_ok=True)
    file_of(work).touch()


def not_done(work: str) -> None:
    """What was true is true no more. Raises OSError."""
    file_of(work).unlink(missing_ok=True)


def age_of(work: str, now: datetime) -> float:
    """Seconds since; infinite where it never was."""
    try:
        at = datetime.fromtimestamp(file_of(work).stat().st_mtime, UTC)
    except OSError:
        return inf
    return max(0.0, (now - at).total_seconds())
