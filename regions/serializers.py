"""Fields that programs fill."""

from __future__ import annotations

from datetime import datetime

from rest_framework import serializers


class TimeField(serializers.DateTimeField):
    """ISO 8601. With a zone a moment; without one it stays so, for `regions.clocks` to read as a wall clock."""

    def enforce_timezone(self, value: datetime) -> datetime:
        return value
