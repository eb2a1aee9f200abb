"""What leads set of their market and its channels: each setting with its words and bounds, for pages and programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from regions.models.places import Channel

Words = str | Promise
WEIGHTS = {"source": 20.0, "engagement": 20.0, "author": 15.0, "language": 10.0, "sensitive": 15.0, "similar": 20.0}
"""The parts of the rank with their usual weights, in points."""
HEAVIEST = 100
PARTS: dict[str, tuple[Words, Words]] = {
    "source": (_("source"), _("Points for a source that is trusted fully.")),
    "engagement": (_("engagement"), _("Points for many likes, replies and reposts an hour.")),
    "author": (_("author"), _("Points for an author of whom this channel approves much; as many off where it blocks.")),
    "language": (_("language"), _("Points for a post in a language of the market; twice as many off for another.")),
    "sensitive": (_("sensitive"), _("Points off where X marks the post as sensitive.")),
    "similar": (_("similar to what is live"), _("Points off where the same is live already.")),
}
"""Names, as the cards have them, and what the weight does."""

REASONS: dict[str, Words] = {
    "not_chosen": _("not chosen"),
    "off_topic": _("off topic"),
    "duplicate": _("duplicate"),
    "spam": _("spam"),
    "hate": _("hate"),
    "false": _("false"),
    "legal": _("legal"),
    "personal": _("personal"),
    "other": _("other reason"),
}
"""Why editors block."""
ASKED_FOR = tuple(REASONS)[1:]
"""Those that a channel may offer: "not_chosen" is a key of its own, without a panel."""


def grouped(value: float) -> str:
    """A number as the reader's language groups it, without a fraction where there is none."""
    return str(number_format(int(value) if value == int(value) else value, use_l10n=True, force_grouping=True))


class Kind(StrEnum):
    NUMBER, FLAG, CHOICE, REASONS, WEIGHTS = "number", "flag", "choice", "reasons", "weights"


@dataclass(frozen=True)
class Setting:
    """One thing that a lead sets. `least` and `most` bound a number, of which there are so many `unit`."""

    name: str
    label: Words
    help: Words
    kind: Kind = Kind.NUMBER
    least: int = 0
    most: int = 0
    unit: Words = ""

    @property
    def least_told(self) -> str:
        return grouped(self.least)

    @property
    def most_told(self) -> str:
        return grouped(self.most)

    @property
    def between(self) -> dict[str, str]:
        return {"least": self.least_told, "most": self.most_told}


OUT_OF_BOUNDS = _("From %(least)s to %(most)s.")
RANK = Setting(
    "rank_weights", _("weights of the rank"), _("How much each part counts for the order of the queue."), Kind.WEIGHTS
)
OF_MARKET = (
    Setting(
        "posts_a_day",
        _("posts to read a day"),
        _("What is read of X in a day of UTC, for all categories. At the limit reading pauses until midnight."),
        most=10_000_000,
        unit=_("posts"),
    ),
    Setting(
        "posts_a_month",
        _("posts to read a month"),
        _("The same for a calendar month. What is reached first counts."),
        most=300_000_000,
        unit=_("posts"),
    ),
    Setting(
        "recheck_reserve",
        _("posts a day kept for rechecks"),
        _("Part of the day's posts that new ones cannot take: live ones are checked at X with it."),
        most=10_000_000,
        unit=_("posts"),
    ),
    Setting(
        "feed_length",
        _("entries in the market's feed"),
        _("So many posts of all categories together reach a phone at most."),
        least=1,
        most=100,
        unit=_("entries"),
    ),
    Setting(
        "retention_days",
        _("days that undecided texts are kept"),
        _("After it text, author and pictures of what nobody decided are deleted; the log stays."),
        least=1,
        most=365,
        unit=_("days"),
    ),
    Setting(
        "figures_per_editor",
        _("figures per editor"),
        _("The log counts decisions by person. Off unless your works council agreed."),
        Kind.FLAG,
    ),
    RANK,
)
OF_CHANNEL = (
    Setting(
        "slots",
        _("slots for pins"),
        _("So many places at the top can be held by hand. Pins beyond stay until they end."),
        most=10,
        unit=_("slots"),
    ),
    Setting(
        "feed_length",
        _("entries in the feed"),
        _("So many posts of this category reach a phone at most, pins among them."),
        least=1,
        most=100,
        unit=_("entries"),
    ),
    Setting(
        "live_hours",
        _("hours that an entry stays live"),
        _("Then it leaves the feed by itself; pins stay until they end."),
        least=1,
        most=720,
        unit=_("hours"),
    ),
    Setting(
        "pending_hours",
        _("hours that a candidate waits"),
        _("Undecided ones leave the queue then; they can be reopened."),
        least=1,
        most=720,
        unit=_("hours"),
    ),
    Setting(
        "half_life_minutes",
        _("minutes in which freshness halves"),
        _("The shorter, the sooner newer posts stand above better ones. What waits is sorted anew at once."),
        least=5,
        most=10_080,
        unit=_("minutes"),
    ),
    Setting(
        "minimum_fill",
        _("fewest entries"),
        _("Below it editors are warned, and what the next setting says is done."),
        most=100,
        unit=_("entries"),
    ),
    Setting(
        "fallback",
        _("when it runs thin"),
        _("Keep older ones: the newest that ran out of hours stay. Hide: the category shows nothing."),
        Kind.CHOICE,
    ),
    Setting(
        "second_pair", _("second pair of eyes"), _("A post goes live when a second person approves it too."), Kind.FLAG
    ),
    Setting(
        "reasons",
        _("reasons offered"),
        _("Why a post is blocked, as the panel asks. None ticked: all of them."),
        Kind.REASONS,
    ),
    RANK,
)


def settings_of(noun: models.Model) -> tuple[Setting, ...]:
    """The settings of a market or a channel, in the order of their page."""
    return OF_CHANNEL if isinstance(noun, Channel) else OF_MARKET


def values_of(noun: models.Model) -> dict[str, Any]:
    """What is set now, by name. Weights are the noun's own alone: what it leaves out is inherited."""
    told = {setting.name: getattr(noun, setting.name) for setting in settings_of(noun)}
    if "reasons" in told:
        told["reasons"] = [slug for slug in ASKED_FOR if slug in told["reasons"]]
    return told | {"rank_weights": weights_in(told["rank_weights"])}


def weights_in(given: Any) -> dict[str, float]:
    """Those that are numbers, under names that the rank knows."""
    known = given if isinstance(given, Mapping) else {}
    return {name: float(known[name]) for name in WEIGHTS if is_number(known.get(name))}


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def inherited_weights(noun: models.Model) -> dict[str, float]:
    """What holds where a market or channel has no weight of its own."""
    return WEIGHTS | (weights_in(noun.market.rank_weights) if isinstance(noun, Channel) else {})


def usual(noun: models.Model, name: str) -> Any:
    """A setting's value in a new market or channel."""
    return noun._meta.get_field(name).get_default()  # type: ignore[union-attr]


def check(noun: models.Model, names: set[str]) -> None:
    """Raises ValidationError, by field, where one of the named settings is out of its bounds, or two do not go
    together."""
    wrong: dict[str, Any] = {field: told for field, told in _wrong(noun) if field in names}
    try:
        noun.full_clean(exclude={field.name for field in noun._meta.fields} - names)
    except ValidationError as error:
        wrong = error.error_dict | wrong  # what is out of bounds has its own sentence
    if wrong:
        raise ValidationError(wrong)


def _wrong(noun: models.Model) -> Iterator[tuple[str, ValidationError]]:
    for setting in settings_of(noun):
        value = getattr(noun, setting.name)
        if setting.kind == Kind.NUMBER and not setting.least <= value <= setting.most:
            yield setting.name, ValidationError(OUT_OF_BOUNDS, params=setting.between)
        if setting.kind == Kind.REASONS and set(value) - set(ASKED_FOR):
            yield setting.name, ValidationError(_("There is no such reason."))
        if setting.kind == Kind.WEIGHTS and not all(is_weight(name, one) for name, one in value.items()):
            yield setting.name, ValidationError(OUT_OF_BOUNDS, params={"least": 0, "most": HEAVIEST})
    if isinstance(noun, Channel) and noun.minimum_fill > noun.feed_length:
        told = _("Of %(n)s entries in the feed no more than these can be the fewest.")
        yield "minimum_fill", ValidationError(told, params={"n": noun.feed_length})


def is_weight(name: str, value: Any) -> bool:
    return name in WEIGHTS and is_number(value) and 0 <= value <= HEAVIEST
