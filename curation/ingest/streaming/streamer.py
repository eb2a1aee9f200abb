"""`manage.py stream`: one leader, one connection to X, rules in step, everything stored or left to search.

Turn by turn: hear, count, store; see to budget and rules; move the cursors; connect when it is time. What a turn cannot
do it leaves as it is: the cursors say what is stored, so that any end of the process, a kill too, costs a search.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from django.db import InterfaceError, OperationalError, connection

from curation.ingest import pauses
from curation.ingest.polling import gaps, leases
from curation.ingest.streaming import connects
from curation.ingest.streaming.allotments import Allotments
from curation.ingest.streaming.keeper import Keeper
from curation.ingest.streaming.leader import Leader
from curation.ingest.streaming.rules import Rulebook, Step, listened
from curation.ingest.streaming.sorting import Sorted
from curation.ledger import ahead
from curation.models import IngestRun
from curation.operations.errors import Busy
from curation.shared_clock import SharedClock
from curation.x.client import Door, Ended
from curation.x.outcomes import Failure, NotPermitted, Unreachable, WindowClosed
from curation.x.stream import BackOff, Connection, Heard, Inbox, Times, failure_in, reset_of, unclean
from curation.x.windows import Rate, SharedWindows

log = structlog.get_logger(__name__)
BATCH = 100
BARRED = (*pauses.FOR_EVERYONE, NotPermitted)  # only people can mend these
LONGEST_PAUSE = 10.0
LONG_WAIT = timedelta(seconds=60)  # without a connection: then nothing stays drawn
PROBING = timedelta(seconds=60)  # for who is let through: rules, then the connection
MOST_JUMP = timedelta(seconds=30)
PERSISTENT = 8  # breaks in a row that are worth a warning
LOST = "The connection to PostgreSQL is lost: another may lead."


class Stopping(Protocol):
    """Whether the end was asked for, and a wait that it cuts short."""

    asked: bool

    def wait(self, seconds: float) -> None: ...


class Streamer:
    """Reads the stream of one app at X for all markets, for as long as it leads."""

    def __init__(
        self,
        door: Door,
        base_url: str,
        token: str,
        *,
        stop: Stopping,
        times: Times | None = None,
        allotments: Allotments | None = None,
    ) -> None:
        self.door, self.base_url, self.token, self.stop = door, base_url, token, stop
        self.clock = SharedClock()
        self.times = times or Times()
        self.allotments = allotments or Allotments()
        self.back_off = BackOff(self.times)
        self.ahead = timedelta(seconds=self.times.ahead)
        self.keeper = Keeper(self.ahead)
        self.windows = SharedWindows()
        self.not_before = datetime.min.replace(tzinfo=UTC)
        self.probing_until: datetime | None = None
        self.paused = False
        self._begin(None)

    def _begin(self, leader: Leader | None) -> None:
        """As who has just become the leader: X and the database are asked anew."""
        self.rulebook = Rulebook(self.door)
        self.connection: Connection | None = None
        self.run_row: IngestRun | None = None
        self.leader = leader
        self.connected = False
        self.stored_to: datetime | None = None
        self.sync_at = self.rules_at = self.beat_at = self.clock()
        self.breaks = self.rules_failed = 0
        self.allotments.forget()

    # Leading

    def run(self) -> None:
        """Until the end is asked for. PostgreSQL may come and go."""
        pause = 0.5
        while not self.stop.asked:
            try:
                self._stand_by()
                pause = 0.5
            except (OperationalError, InterfaceError) as error:
                log.warning("postgresql_lost", error=str(error).strip(), again_in_seconds=pause)
                connection.close()
                self.stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        connection.close()

    def _stand_by(self) -> None:
        """Waits to become the leader, then leads until it ends."""
        told = False
        leader = Leader(self._on_lost)
        try:
            while not self.stop.asked:
                if leader.take():
                    self._lead(leader)
                    return
                if not told:
                    log.warning(
                        "stream_standby", words="Another process reads the stream; this one waits to take over."
                    )
                    told = True
                self.stop.wait(self.times.standby)
        finally:
            self._drop("This process does not lead any more.")
            self._forget_connection()
            leader.give_up()

    def _on_lost(self) -> None:
        """Called by the thread that watches: nothing more may be read."""
        self._drop(LOST)

    def _lead(self, leader: Leader) -> None:
        jump = self.clock.set()
        self._begin(leader)
        if abs(jump) > MOST_JUMP:
            self._begin_anew()
        log.info("stream_leads")
        connects.close_stopped(self.clock())
        given_back = ahead.end_left_behind(self.clock())
        if given_back:
            log.info("stream_allotments_given_back", posts=given_back)
        while not self.stop.asked:
            if leader.lost.is_set():
                raise OperationalError(LOST)
            self.turn()
        self._end_well()

    def _end_well(self) -> None:
        """All that was heard is stored, the cursors are right, what was drawn and not used goes back."""
        self._drop("The process is ending.")
        for _ in range(20):
            if self.connection is None:
                break
            self._hear(0.2)
        self._move_cursors()
        self.allotments.end_all(self.clock())
        self._tell_cost()
        log.info("stream_stopped")

    # One turn

    def turn(self) -> None:
        try:
            if self.connection is not None:
                self._hear(self.times.gather)
            else:
                self.stop.wait(self._pause())
            now = self.clock()
            if now >= self.sync_at or self.allotments.pressing(now):
                self._keep_in_step()
            if self.allotments.spent:
                self._drop("A market's budget is used up.", ours=True)
            if now >= self.beat_at:
                self._move_cursors()
                self._tell_cost()
            if self.connection is None and now >= self.not_before:
                self._connect(now)
        except Busy:
            self._leave("PostgreSQL is busy.")

    def _pause(self) -> float:
        """Seconds until there is something to do; a moment at least, the time of a batch at most."""
        next_at = min(self.sync_at, max(self.not_before, self.clock()) if self.rulebook.live else self.sync_at)
        return max(0.01, min(self.times.gather, (next_at - self.clock()).total_seconds()))

    # Hearing

    def _hear(self, seconds: float) -> None:
        """Counts, stores, and only then says that it is stored. Whatever fails leaves it to search."""
        line = self.connection
        if line is None:
            return
        taken = line.inbox.take(BATCH, seconds)
        try:
            self._keep(taken)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("stream_not_stored")
            self._leave(f"Posts could not be stored: {type(error).__name__}.")
            return
        line.inbox.most = max(1, min(Inbox.MOST, self.allotments.room))
        ended = next((heard.ended for heard in taken if heard.ended), None)
        if ended:
            self._on_ended(ended)

    def _keep(self, taken: list[Heard]) -> None:
        """Counts what was heard, then stores it: X has charged it, whatever becomes of it here."""
        alive = [heard for heard in taken if not heard.ended]
        for heard in alive:
            if heard.connected:
                self._on_connected(heard)
                continue
            self.back_off.proven()
            self.breaks = 0
        sorted_ = self._sorted(alive)
        now = self.clock()
        self.allotments.count(sorted_.came, now)
        self.keeper.keep(sorted_.batch, self.run_row, now)
        told = [heard.at for heard in alive] + [made for made in sorted_.batch.made() if made <= now]
        self.stored_to = max([*told, *([self.stored_to] if self.stored_to else [])], default=None)

    def _on_connected(self, heard: Heard) -> None:
        """Before anything of this connection is stored, what came in between is written down as open."""
        gaps.open_gaps(self.rulebook.live, heard.at, self.ahead)
        self.connected, self.stored_to, self.probing_until = True, None, None
        if heard.rate:
            self.windows.tell("stream", heard.rate, heard.at.timestamp())
        pauses.take_note(None, None, began=heard.at, now=heard.at)
        log.info("stream_connected", rules=len(self.rulebook.rules))

    def _on_ended(self, ended: Ended) -> None:
        self._move_cursors()
        now, run, had_begun = self.clock(), self.run_row, self.connected
        self._forget_connection()
        failure = failure_in(ended, now.timestamp())
        words = f"{ended.words} {failure.message}" if failure else ended.words
        wait = self._wait_after(ended, failure, now)
        self.not_before = now + timedelta(seconds=wait)
        self.rulebook.forget()  # X is asked again before the next connect
        self.sync_at = min(self.sync_at, max(now, self.not_before))
        if had_begun and unclean(ended):
            self.allotments.broken()
        self.breaks += 1
        quiet = self.stop.asked or (not failure and not ended.ours and self.breaks < PERSISTENT)
        (log.info if quiet else log.warning)("stream_lost", why=words, again_in_seconds=round(wait, 2))
        connects.note_end(run, ended, words, now)

    def _wait_after(self, ended: Ended, failure: Failure | None, now: datetime) -> float:
        wait = self.back_off.after(ended)
        if isinstance(failure, BARRED):
            pauses.take_note(failure, None, began=now, now=now)
            wait = max(wait, self.times.barred)
        rate = Rate.of(ended.answer)
        if rate:
            self.windows.tell("stream", rate, now.timestamp())
        return max(wait, reset_of(ended, now.timestamp()) - now.timestamp())

    def _leave(self, words: str) -> None:
        """What this connection still has is left to search: the cursors stay where they are."""
        line = self.connection
        self._drop(words, ours=True)
        self.stored_to = None
        self._count_left(line)
        self._on_ended(Ended(words, ours=True))
        if line:
            line.thread.join(1)

    def _count_left(self, line: Connection | None) -> None:
        """X has charged what lies in the box. Where it cannot be counted now, search counts it."""
        left = self._sorted(line.inbox.take(Inbox.MOST, 0)) if line else None
        if left:
            with suppress(Busy):
                self.allotments.count(left.came, self.clock())

    def _sorted(self, taken: list[Heard]) -> Sorted:
        return Sorted(self.rulebook, self.allotments).add(heard.line for heard in taken if heard.line)

    def _forget_connection(self) -> None:
        self.connection, self.run_row = None, None
        self.connected = False
        self.stored_to = None

    def _drop(self, words: str, *, ours: bool = False) -> None:
        line = self.connection
        if line is not None:
            line.drop(words, ours=ours)

    # Rules, budget, cursors

    def _keep_in_step(self) -> None:
        """Our clock is PostgreSQL's; which sources may have a rule, and whether X has those and no other."""
        if abs(self.clock.set()) > MOST_JUMP:
            self._begin_anew()
        now = self.clock()
        self.sync_at = now + timedelta(seconds=self.times.sync)
        if self._at_rest(now):
            return
        sources = listened()
        leases.add_missing_cursors()  # after that: each of these has one now
        may = self.allotments.keep_open([one.market for one in sources], now)
        book = self.rulebook
        book.want(one for one in sources if one.market.pk in may)
        if now < self.rules_at or not (book.wanted or book.rules):
            return  # X need not know
        look = book.looked_at is None or (now - book.looked_at).total_seconds() >= self.times.review
        try:
            book.keep_in_step(now, look=look)
            self.rules_failed = 0
        except Failure as failure:
            self._rules_failed(failure, now)
        self._open(book.step())
        if self.connection is not None and not book.live:
            self._drop("No rule is left.")

    def _begin_anew(self) -> None:
        """Another clock told all that we know of when: what this connection still has is left to search."""
        if self.connection is not None:
            self._leave("The clock was wrong.")
        self.allotments.end_all(self.clock())
        self.allotments.paces.clear()
        self._begin(self.leader)
        self.not_before, self.probing_until = self.clock(), None

    def _at_rest(self, now: datetime) -> bool:
        """Whether X is not asked for a while: then nothing stays drawn ahead."""
        paused_until = self._paused_until(now)
        if paused_until and self.connection is not None:
            self._drop("Reading X is paused for everyone.")
        if paused_until and not self.paused:
            log.warning("stream_paused", until=paused_until.isoformat())
        if self.paused and not paused_until:
            self.not_before = self.rules_at = now
        self.paused = paused_until is not None
        resting = self.connection is None and (self.paused or self.not_before - now > LONG_WAIT)
        if resting:
            self.allotments.end_all(now)
        return self.paused or resting

    def _paused_until(self, now: datetime) -> datetime | None:
        """Until when X asks us to stay away; None also while we are the one who is let through to look."""
        standing = pauses.of_everyone()
        if standing is None:
            self.probing_until = None
            return None
        if self.probing_until and now < self.probing_until:
            return None
        pause = standing if self.connected else pauses.admit(None, now)
        self.probing_until = None if pause else now + PROBING
        return pause.until if pause else None

    def _rules_failed(self, failure: Failure, now: datetime) -> None:
        later = min(self.times.http_first * 2.0 ** min(self.rules_failed, 20), self.times.http_most)
        self.rules_failed += 1
        if isinstance(failure, BARRED):
            later = max(later, self.times.barred)
        if isinstance(failure, WindowClosed):
            later = max(later, failure.reset_at - now.timestamp())
        self.rules_at = now + timedelta(seconds=later)
        pauses.take_note(failure, None, began=now, now=now)
        line = log.info if isinstance(failure, Unreachable) and self.rules_failed <= 2 else log.warning
        line("stream_rules_not_in_step", error=failure.message, again_in_seconds=round(later))

    def _open(self, step: Step) -> None:
        """A rule that is new while we listen begins with a gap; a lost one was deaf, perhaps since it was last seen."""
        now = self.clock()
        if step.added and self.connected:
            gaps.open_gaps(step.added, now, self.ahead)
        for pk, seen_at in step.lost.items():
            gaps.open_gaps([pk], now, self.ahead, heard_at=seen_at - timedelta(seconds=self.times.late))

    def _move_cursors(self) -> None:
        self.beat_at = self.clock() + timedelta(seconds=self.times.heartbeat)
        if self.connected and self.stored_to:
            gaps.heard_up_to(self.rulebook.live, self.stored_to - timedelta(seconds=self.times.late))

    def _tell_cost(self) -> None:
        for market_id, posts in self.allotments.told().items():
            self.keeper.charge(market_id, posts)

    # Connecting

    def _connect(self, now: datetime) -> None:
        """One connect, if there is something to hear, X lets us, and there were not too many."""
        leads = self.leader is not None and not self.leader.lost.is_set()
        if not leads or not self.rulebook.in_step or not self.rulebook.live:
            return
        again = connects.not_before(now, self.times)
        reset = self.windows.take("stream", now.timestamp()) if again is None else None
        if reset is not None:
            again = datetime.fromtimestamp(reset, UTC)
        again = again or self._paused_until(now)
        if again is not None:
            self.not_before = again
            return
        self.run_row = connects.note(now)
        inbox = Inbox(max(1, min(Inbox.MOST, self.allotments.room)))
        self.connection = Connection(self.base_url, self.token, self.times.silence, clock=self.clock, inbox=inbox)
        self.connection.start()
