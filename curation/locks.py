"""Classes of PostgreSQL's advisory locks, every one of the house: two that are equal would wait for each other."""

from __future__ import annotations

LOG_LOCK = 7301  # a market's log
ARRIVALS_LOCK = 7302  # behind which candidates get their ids and their groups
STREAM_LOCK = 7303  # reading the stream
ERASURE_LOCK = 7304  # between those who store and those who erase
SEAL_LOCK = 7305  # under which a market is sealed
LANE_LOCK = 7306  # the places for slow sources
