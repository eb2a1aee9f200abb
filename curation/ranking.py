"""The rank of a candidate: a few parts an editor can read, plus its time. Stored once; it does not age.

rank = sum of the parts (points) + POINTS_A_HALF_LIFE * created_at (epoch seconds) / half-life (seconds)

So a post that is older by one half-life of its channel needs POINTS_A_HALF_LIFE more points to stand level,
and two candidates never change places by waiting. The parts, each with the weight that is its greatest value:

source      trust of the source, 0 to the weight
engagement  likes, replies and twice the reposts and quotes an hour, logarithmic, up to 5,000 an hour
author      share of the author's posts approved in this channel in 30 days, from minus to plus the weight
language    the weight when a language of the market, minus twice the weight when another, 0 when unknown
sensitive   minus the weight when X marks the post as sensitive
similar     minus the weight when the same is live in this channel, less when it is only related

Weights: WEIGHTS, then the market's rank_weights, then the channel's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import log1p
from typing import Any, Protocol

from curation.language import CROATIAN, UNKNOWN
from regions.models import Channel
from regions.tunable import WEIGHTS

POINTS_A_HALF_LIFE = 10.0
FULL_SPEED = 5_000


class Rankable(Protocol):
    """A tweet, stored or about to be, as the rank looks at it."""

    @property
    def lang(self) -> str: ...
    @property
    def lang_guess(self) -> str: ...
    @property
    def sensitive(self) -> bool: ...
    @property
    def metrics(self) -> dict[str, int]: ...
    @property
    def created_at(self) -> datetime: ...


def weights_of(channel: Channel) -> dict[str, float]:
    """The weights of a channel; what is no number is passed over."""
    given: Mapping[str, Any] = channel.market.rank_weights | channel.rank_weights
    known = {name: given[name] for name in WEIGHTS if isinstance(given.get(name), int | float)}
    return WEIGHTS | known


def parts(
    tweet: Rankable,
    channel: Channel,
    *,
    trust: int,
    approved: int = 0,
    blocked: int = 0,
    similar: float = 0.0,
    ours: bool = True,
    weights: Mapping[str, float] | None = None,
    now: datetime,
) -> dict[str, float]:
    """Points by part, to one decimal, parts without points left out.

    `trust` is 0 to 100; `approved` and `blocked` count what this channel decided of the author; `similar`, 0 to 1,
    says how much of it is live; `ours`: the market itself chose who speaks (see `language`); `weights`: the channel's,
    where they are known already."""
    shares = {
        "source": trust / 100,
        "engagement": engagement(tweet.metrics, tweet.created_at, now),
        "author": 2 * (approved + 1) / (approved + blocked + 2) - 1,
        "language": language(tweet, channel.market.languages, ours=ours),
        "sensitive": -1.0 if tweet.sensitive else 0.0,
        "similar": -similar,
    }
    weights = weights or weights_of(channel)
    points = {name: round(share * weights[name], 1) for name, share in shares.items() if share}
    return {name: value for name, value in points.items() if value}


def rank(points: Mapping[str, float], created_at: datetime, channel: Channel) -> float:
    half_lives = created_at.timestamp() / (60 * max(1, channel.half_life_minutes))
    return sum(points.values()) + POINTS_A_HALF_LIFE * half_lives


def engagement(metrics: Mapping[str, int], created_at: datetime, now: datetime) -> float:
    """0 to 1. Younger than a quarter of an hour counts as that old: one early like is no wonder."""
    hours = max(0.25, (now - created_at).total_seconds() / 3600)
    shared = metrics.get("reposts", 0) + metrics.get("quotes", 0)
    speed = (metrics.get("likes", 0) + metrics.get("replies", 0) + 2 * shared) / hours
    return min(1.0, log1p(speed) / log1p(FULL_SPEED))


def language(tweet: Rankable, languages: list[str], *, ours: bool = True) -> float:
    """1 when X or our guess says a language of the market, -2 when another, 0 when neither says one.

    Bosnian, Serbian and Serbo-Croatian are Croatian where the market itself chose who speaks, by an account, a list or
    a link; else nobody can tell, and they count for nothing."""
    said, guessed = tweet.lang.lower().split("-")[0], tweet.lang_guess
    if said in languages:
        return 1.0
    if "hr" in languages and said in CROATIAN:
        return 1.0 if ours else 0.0
    if guessed in languages:
        return 1.0 if ours or guessed != "hr" or said in UNKNOWN else 0.0
    return -2.0 if {said, guessed} - UNKNOWN else 0.0
