"""How many posts this app has read. X sends these numbers as strings, whatever its older document says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from curation.x.simulator.asking import Request
from curation.x.simulator.fields import Json, chosen
from curation.x.simulator.posts import iso

PROJECT = "1000000000000000001"
APP = "20000001"
CAP = 3_000_000
USUAL = {"cap_reset_day", "project_cap", "project_id", "project_usage"}


def posts(request: Request) -> Json:
    meter = request.meter
    usage = [{"date": f"{day}T00:00:00.000Z", "usage": str(meter.posts(day))} for day in _last(request)]
    makers: dict[str, Callable[[], Any]] = {
        "cap_reset_day": lambda: 1,
        "project_cap": lambda: str(CAP),
        "project_id": lambda: PROJECT,
        "project_usage": lambda: str(meter.posts()),
        "daily_project_usage": lambda: {"project_id": PROJECT, "usage": usage},
        "daily_client_app_usage": lambda: [{"client_app_id": APP, "usage": usage, "usage_result_count": len(usage)}],
    }
    return {"data": chosen(request.wanted.usage or USUAL, makers)}


def _last(request: Request) -> list[str]:
    """The UTC days asked for, newest first."""
    today = datetime.fromtimestamp(request.world.now() / 1000, UTC)
    count = request.number("days", 7)
    return [iso((today - timedelta(days=n)).timestamp() * 1000)[:10] for n in range(count)]
