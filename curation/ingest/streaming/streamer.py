"""`manage.py stream`: one leader, one connection to X, rules in step, everything stored or left to search.

Turn by turn: hear, count, store; see to budget and rules; move the cursors; connect when it is time. What a turn cannot
do it leaves as it is: the cursors say what is stored, so that any end of the process, a kill too, costs a search.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from django.db import InterfaceError, OperationalError, connection

from curation.ingest import pauses
from curation.ingest.polling import gaps, leases
from curation.ingest.streaming import connects
from curation.ingest.streaming.allotments import Allotments
from curation.ingest.streaming.keeper import Batch, Keeper
from curation.ingest.streaming.leader import Leader
from curation.ingest.streaming.rules import Rulebook, Step, listened
from curation.models import IngestRun
from curation.operations.errors import Busy
from curation.x.client import Door, Ended
from curation.x.lines import Farewell, read_line
from curation.x.outcomes import Failure, NotPermitted, Unreachable, WindowClosed
from curation.x.stream import BackOff, Connection, Heard, Inbox, Times, failure_in, reset_of, unclean, utc_now
from curation.x.windows import Rate, SharedWindows
from curation.x.wire import Unreadable

log = structlog.get_logger(__name__)
BATCH = 100
BARRED = (*pauses.FOR_EVERYONE, NotPermitted)  # only people can mend these
LONGEST_PAUSE = 10.0
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
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.door, self.base_url, self.token, self.stop, self.clock = door, base_url, token, stop, clock
        self.times = times or Times()
        self.allotments = allotments or Allotments()
        self.back_off = BackOff(self.times)
        self.ahead = timedelta(seconds=self.times.ahead)
        self.keeper = Keeper(door, self.ahead)
        self.windows = SharedWindows()
        self.not_before = datetime.min.replace(tzinfo=UTC)
        self._begin()

    def _begin(self) -> None:
        """As who has just become the leader: X and the database are asked anew."""
        self.rulebook = Rulebook(self.door)
        self.connection: Connection | None = None
        self.run_row: IngestRun | None = None
        self.leader: Leader | None = None
        self.connected = False
        self.stored_to: datetime | None = None
        self.sync_at = self.beat_at = self.clock()
        self.breaks = self.rules_failed = 0

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
                    log.info("stream_standby")
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
        self._begin()
        self.leader = leader
        log.info("stream_leads")
        connects.close_stopped(self.clock())
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
        self.allotments.settle_all(self.clock())
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
            if now >= self.sync_at or self.allotments.pressing:
                self._keep_in_step(now)
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
            spent = self._keep(taken)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("stream_not_stored")
            self._leave(f"Posts could not be stored: {type(error).__name__}.")
            return
        if spent:
            line.drop("A market's budget is used up.", ours=True)
        line.inbox.most = max(1, min(Inbox.MOST, self.allotments.room))
        ended = next((heard.ended for heard in taken if heard.ended), None)
        if ended:
            self._on_ended(ended)

    def _keep(self, taken: list[Heard]) -> bool:
        """Stores what was heard; whether a market may have no more."""
        batch, spent = Batch(), False
        alive = [heard for heard in taken if not heard.ended]
        for heard in alive:
            if heard.connected:
                self._on_connected(heard)
                continue
            self.back_off.proven()
            self.breaks = 0
            spent |= bool(heard.line) and not self._read(heard, batch)
        now = self.clock()
        self.keeper.keep(batch, self.run_row, now)
        told = [heard.at for heard in alive] + [made for made in batch.made() if made <= now]
        self.stored_to = max([*told, *([self.stored_to] if self.stored_to else [])], default=None)
        return spent

    def _read(self, heard: Heard, batch: Batch) -> bool:
        """Adds a line to the batch; False when its market may have no more."""
        try:
            delivery = read_line(heard.line)
        except Farewell as farewell:
            log.info("stream_farewell", words=farewell.words)
            return True
        except Unreadable as wrong:
            batch.set_aside(wrong.reason, heard.line)
            return True
        matched = self.rulebook.matched(delivery)
        if not matched:
            batch.set_aside("it matches no rule of ours", heard.line)
            return True
        batch.add(delivery, [one for one in matched if one.source.pk in self.rulebook.live])
        return delivery.post_id is None or self.allotments.deliver(matched[0].market, delivery.post_id)

    def _on_connected(self, heard: Heard) -> None:
        """Before anything of this connection is stored, what came in between is written down as open."""
        gaps.open_gaps(self.rulebook.live, heard.at, self.ahead)
        self.connected, self.stored_to = True, None
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
        self._on_ended(Ended(words, ours=True))
        if line:
            line.thread.join(1)

    def _forget_connection(self) -> None:
        self.connection, self.run_row = None, None
        self.connected = False
        self.stored_to = None

    def _drop(self, words: str, *, ours: bool = False) -> None:
        line = self.connection
        if line is not None:
            line.drop(words, ours=ours)

    # Rules, budget, cursors

    def _keep_in_step(self, now: datetime) -> None:
        """Which sources may have a rule, and whether X has those and no other."""
        sources = listened()
        leases.add_missing_cursors()  # after that: each of these has one now
        may = self.allotments.keep_open([one.market for one in sources], now)
        book, self.sync_at = self.rulebook, now + timedelta(seconds=self.times.sync)
        book.want(one for one in sources if one.market.pk in may)
        if not book.wanted and not book.rules:
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

    def _rules_failed(self, failure: Failure, now: datetime) -> None:
        later = min(self.times.http_first * 2.0 ** min(self.rules_failed, 20), self.times.http_most)
        self.rules_failed += 1
        if isinstance(failure, BARRED):
            later = max(later, self.times.barred)
        if isinstance(failure, WindowClosed):
            later = max(later, failure.reset_at - now.timestamp())
        self.sync_at = now + timedelta(seconds=later)
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
        paused = pauses.admit(None, now) if again is None else None
        if again is not None or paused is not None:
            self.not_before = again or (paused.until if paused else now)
            return
        self.run_row = connects.note(now)
        inbox = Inbox(max(1, min(Inbox.MOST, self.allotments.room)))
        self.connection = Connection(self.base_url, self.token, self.times.silence, clock=self.clock, inbox=inbox)
        self.connection.start()
