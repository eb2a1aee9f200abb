"""Decisions as lines in words: who did what to which post, why, what changed, and whether it can be taken back."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from curation.history.naming import block_words, through, usernames
from curation.history.reading import Run
from curation.history.said import REMOVED, SAID, Known, Turn, because, turns
from curation.history.taken import Back, Taken
from curation.models import Act, Decision, Enforcement, Tweet, Verb, Wording
from curation.models.acts import DecisionQuerySet
from curation.models.candidates import WORDS
from curation.operations.blocking import CARRIED
from curation.operations.errors import NotUndoable
from curation.operations.undoing import check, untouched
from curation.x.entities import plain_text
from regions.clocks import moment
from regions.models import Category, Market, User
from regions.permissions import may
from regions.problems import Refusal


@dataclass
class Line:
    """One act, or one decision of it. `count`: of how many decisions; `whole`: whether all were of one verb.

    `turns` is what changed, of the decision that stands for them all; `back` how many were taken back, and by which
    act."""

    decision: Decision
    count: int = 1
    whole: bool = True
    details: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    note: str = ""
    back: Back = field(default_factory=Back)
    undoable: bool = False
    refusal: Refusal | None = None
    remark: str = ""
    begins: date | None = None
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def answered(self) -> bool:
        """Whether it answers a press of its undo."""
        return bool(self.refusal or self.remark)

    @property
    def act(self) -> Act:
        return self.decision.act

    @property
    def at(self) -> datetime:
        return self.decision.at

    @property
    def by(self) -> User | None:
        return self.decision.by

    @property
    def said(self) -> Any:
        """The verb, as said of a post."""
        return SAID.get(Verb(self.decision.verb), self.decision.verb)

    @property
    def tweet(self) -> Tweet:
        return self.decision.candidate.tweet

    @property
    def undone(self) -> Act | None:
        """The act that took it back, or part of it; None while all of it stands."""
        return self.back.act if self.back.count else None

    @property
    def struck(self) -> bool:
        """Whether all of it was taken back."""
        return self.back.count >= self.count

    @property
    def followed(self) -> bool:
        """Whether the system did it, because of a person's act."""
        return self.decision.by_id is None and self.act.by_id is not None

    @property
    def folds(self) -> bool:
        """Whether it stands for several posts alike."""
        return self.count > 1 and self.whole

    @property
    def words(self) -> str:
        """The post's own words; empty for one that was purged."""
        return plain_text(self.tweet.text)

    @property
    def removed(self) -> Any:
        """Why the words are gone; empty while they are there."""
        return removed(self.tweet)


def removed(tweet: Tweet) -> Any:
    return REMOVED.get(tweet.gone_cause, REMOVED[""]) if tweet.purged_at else ""


def logged() -> Any:
    """Decisions with all that a line tells of them."""
    return Decision.objects.select_related(
        "act__note", "act__by", "act__undoes__by", "by", "market", "channel__category", "candidate__tweet__author"
    ).defer("candidate__folded", "candidate__tweet__raw", "candidate__tweet__wire")


def lines_of(runs: Sequence[Run], user: User, now: datetime, rows: DecisionQuerySet | None = None) -> list[Line]:
    """The lines of a page of the log, in its order. `rows`: all that is asked for, where that is not the whole log."""
    verbs = dict(Act.objects.filter(pk__in={run.act for run in runs}).values_list("pk", "verb"))
    found = logged().in_bulk([run.named(verbs[run.act]) for run in runs])
    lines = [Line(found[run.named(verbs[run.act])], run.count, run.uniform) for run in runs]
    return told(lines, user, now, rows)


def told(lines: list[Line], user: User, now: datetime, rows: DecisionQuerySet | None = None) -> list[Line]:
    """Lines with their words. To be called within the reader's clock."""
    known, tied = known_to(lines), Tied(lines, user)
    take_back(lines, Decision.objects.all() if rows is None else rows)
    offer_undo(lines, user, now)
    for line in lines:
        decision = line.decision
        line.turns = [] if line.folds else list(turns(decision.before, decision.after, known))
        line.details = [*details(line), *tied.of(line)]
        line.note = line.act.note.words if hasattr(line.act, "note") else ""
    return lines


def take_back(lines: list[Line], rows: DecisionQuerySet) -> None:
    """Notes on each line how many of its decisions were taken back."""
    taken = Taken(acts(lines))
    alone = taken.of_decisions([line.decision.pk for line in lines if line.count == 1])
    runs = taken.of_runs(rows, acts(line for line in lines if line.count > 1))
    for line in lines:
        run = (line.act.pk, line.at, line.by is None)
        line.back = (alone.get(line.decision.pk) if line.count == 1 else runs.get(run)) or Back()


def offer_undo(lines: list[Line], user: User, now: datetime) -> None:
    """Once for an act, on a line of the person who did it; never on what the system did because of it."""
    left = undoable_of(lines, user, now)
    for line in lines:
        line.undoable = line.act.pk in left and not line.followed
        if line.undoable:
            left.discard(line.act.pk)


class Dated(Protocol):
    """What stands in a list by days; `begins` is the day, on the first of each."""

    begins: date | None

    @property
    def at(self) -> datetime: ...


def dated(lines: Iterable[Dated], after: date | None = None) -> None:
    """Marks the first line of each day; `after` is the day of the line that stands before them."""
    for line in lines:
        day = localtime(line.at).date()
        line.begins = day if day != after else None
        after = day


def categories(lines: Iterable[Line]) -> set[str]:
    """The slugs of the categories that posts were moved to."""
    return {line.decision.after.get("to", {}).get("category", "") for line in lines} - {""}


def acts(lines: Iterable[Line]) -> set[int]:
    return {line.act.pk for line in lines}


def details(line: Line) -> list[str]:
    """Why, in words: whose act the system followed, the reason or the cause; of an undo, what it took back."""
    decision, undoes = line.decision, line.act.undoes
    parts = [led] if (led := through(decision)) else []
    parts += [because(decision.verb, decision.reason)] if decision.reason not in ("", "moved") else []
    if decision.verb == Verb.UNDO and undoes:
        given = {
            "did": SAID.get(Verb(undoes.verb), undoes.verb),
            "who": undoes.by.shown_name if undoes.by else _("The system"),
            "time": moment(undoes.at),
        }
        parts.append(_("was: %(did)s by %(who)s, %(time)s") % given)
    return parts


def known_to(lines: Iterable[Line]) -> Known:
    """The words and names that the lines' standings point at, in two queries."""
    standings = [each for line in lines for each in (line.decision.before, line.decision.after)]
    digests = {standing.get(name) or "" for standing in standings for name in WORDS}
    people = {pk for standing in standings if (pk := standing.get("confirmed_by_id"))}
    names = {person.pk: person.shown_name for person in User.objects.filter(pk__in=people)} if people else {}
    return Known(Wording.objects.read(digests) if digests - {""} else {}, names)


class Tied:
    """What acts left: where a move or an offer led, which blocks were laid or lifted."""

    def __init__(self, lines: Iterable[Line], user: User) -> None:
        self.own = {market.pk for market in Market.objects.visible_to(user)}
        self.names = {one.slug: one.name for one in Category.objects.filter(slug__in=categories(lines))}
        self.blocks: dict[int, list[str]] = defaultdict(list)
        wanted = acts(lines)
        rows = Enforcement.objects.filter(act__in=wanted).order_by("pk")
        held = list(rows.select_related("block__channel", "block__block_list", "block_list__channel"))
        authors = usernames(one.block for one in held if one.block)
        for one in held:
            noun = one.block or one.block_list
            if noun is not None and self.sees(noun):
                words = block_words(one.block, authors) if one.block else str(one.block_list)
                self.blocks[one.act_id].append(words)

    def sees(self, noun: Any) -> bool:
        """Blocks of foreign markets do not exist here; global ones do."""
        market = noun.channel.market_id if noun.channel else noun.market_id
        return market is None or market in self.own

    def of(self, line: Line) -> list[str]:
        return [*self.led(line), *self.blocks.get(line.act.pk, [])]

    def led(self, line: Line) -> list[str]:
        if line.folds:
            return []
        to = line.decision.after.get("to", {})
        if "market" in to:
            return [_("to %(market)s") % {"market": to["market"].upper()}]
        return [_("to %(category)s") % {"category": self.names.get(to["category"], to["category"])}] if to else []


def undoable_of(lines: Iterable[Line], user: User, now: datetime) -> set[int]:
    """The acts of which this person can still take something back: by the rules of operations.undo."""
    asked = {line.act.pk: line.act for line in lines if can_go_back(line.act, now)}
    if not asked:
        return set()
    last = untouched(Decision.objects.filter(act__in=asked)).exclude(CARRIED).order_by()
    pairs = last.values_list("act_id", "market_id").distinct()
    markets = Market.objects.in_bulk({market for _act, market in pairs})
    return {act for act, market in pairs if may_undo(user, asked[act], markets[market])}


def can_go_back(act: Act, now: datetime) -> bool:
    """Whether operations.undo refuses nothing of the act as such."""
    with suppress(NotUndoable):
        check(act, now)
        return True
    return False


def may_undo(user: User, act: Act, market: Market) -> bool:
    others = act.by_id != user.pk
    return may(user, "candidate.decide", market) and (not others or may(user, "act.undo_of_others", market))
