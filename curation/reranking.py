"""A channel's half-life was changed: what waits is sorted by the new one, as what comes from now on is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

from curation.ranking import POINTS_A_HALF_LIFE
from regions.signals import channel_changed

SORTED_BY = "half_life_minutes"
REOPENED = "14 days"  # decided ones that young may come back to the queue
AGAIN = f"""
UPDATE curation_candidate AS candidate
SET rank = extract(epoch FROM posted_at) * {POINTS_A_HALF_LIFE} / (60 * greatest(1, half_life_minutes)) + (
    SELECT coalesce(sum(CASE jsonb_typeof(value) WHEN 'number' THEN value::text::float END), 0)
    FROM jsonb_each(rank_parts))
FROM regions_channel AS channel
WHERE channel.id = channel_id AND channel_id = ANY(%s)
    AND (state = 'pending' OR posted_at > now() - interval '{REOPENED}')
"""  # noqa: S608  ours


def listen() -> None:
    """Within the transaction that changed the setting, which holds the channels."""
    channel_changed.connect(_on_change, dispatch_uid="curation.reranking")


def _on_change(channels: Iterable[int], settings: Iterable[str] = (), **_kwargs: Any) -> None:
    if SORTED_BY in settings:
        with connection.cursor() as cursor:
            cursor.execute(AGAIN, [list(channels)])
