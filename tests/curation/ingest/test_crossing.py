"""Passes, editors and each other's rows: nothing is lost, nobody waits in a circle."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from curation import operations
from curation.ingest.polling import leases
from curation.ingest.polling.poll import Pass
from curation.ingest.polling.reading import Reading
from curation.ingest.storing.candidates import offer
from curation.ingest.storing.tweets import store_tweets
from curation.ledger.metered import Metered
from curation.models import Author, Candidate, Cursor, IngestRun, Quarantined, State, Tweet
from curation.operations.record import lock_candidates, lock_channels, one_transaction
from curation.x.client import Door
from curation.x.simulator import Simulator
from curation.x.wire import Includes, Person, Post, read_post
from regions.models import Channel, Market, Source, User
from tests.cast import channel_of, make_author, make_candidate, make_tweet

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
Read = Callable[..., IngestRun]
SourceOf = Callable[..., Source]
ACCOUNT = Source.Kind.ACCOUNT
BASE = 1_900_000_000_000_000_000


def version(number: int, text: str, *, first: int = BASE, author: int = 5) -> Post:
    """A version of a post that began as `first`."""
    history = [str(one) for one in sorted({first, number})]
    payload = {
        "id": str(number),
        "text": text,
        "author_id": str(author),
        "created_at": "2025-03-13T00:00:00.000Z",
        "edit_history_tweet_ids": history,
    }
    return read_post(payload, Includes({}))


class Meanwhile:
    """Runs something in a thread of its own; `result` is what it gave, or its error."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.result: Any = None
        self.thread = threading.Thread(target=self._run, args=(call,))
        self.thread.start()

    def _run(self, call: Callable[[], Any]) -> None:
        try:
            self.result = call()
        except Exception as error:
            self.result = error
        finally:
            connections.close_all()

    def end(self) -> Any:
        self.thread.join(20)
        return self.result


def waits_for_a_lock() -> None:
    """Returns once some other connection waits for one."""
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


@contextmanager
def open_for_a_moment(call: Callable[[], Any]) -> Iterator[threading.Event]:
    """Another connection that did something and has not committed it; it commits when the event is set."""
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            call()
            ready.set()
            done.wait(10)

    other = Meanwhile(hold)
    assert ready.wait(10)
    try:
        yield done
    finally:
        done.set()
        assert other.end() is None


def pass_of(source: Source, posts: list[Post], *people: Person) -> Callable[[], Any]:
    """What a pass does in its transaction with posts that it read.

    An author whom X tells again makes passes wait for each other earlier, which hides some of what is tested here."""
    now = timezone.now()
    lease = now + leases.LEASE
    Cursor.objects.filter(pk=source.pk).update(due_at=lease)
    reading = Reading(posts={post.first_id: post for post in posts}, people={person.x_id: person for person in people})

    def store() -> None:
        market = Market.objects.get(code="de")
        one = Pass(source, lease, now, Metered(Door("http://127.0.0.1:1", ""), market))
        one.before = Cursor.objects.select_related("source").get(pk=source.pk)
        one._store(reading)

    return store


def test_an_edit_that_loses_the_race_of_a_new_post_is_stored(source_of: SourceOf) -> None:
    source = source_of(ACCOUNT, "stadtblatt")
    make_author("stadtblatt", x_id=5)
    now = timezone.now()
    with open_for_a_moment(lambda: store_tweets([version(BASE, "Alt.")], {}, now)) as commit:
        pass_ = Meanwhile(pass_of(source, [version(BASE + 9, "Neu.")]))
        waits_for_a_lock()
        commit.set()
        assert pass_.end() is None
    tweet = Tweet.objects.get()
    assert (tweet.text, tweet.current_id, tweet.previous_text) == ("Neu.", BASE + 9, "Alt.")
    run = IngestRun.objects.get()
    assert (run.fresh, run.known, run.edited, run.candidates) == (0, 0, 1, 1)


def test_a_post_known_by_a_later_version_gets_its_candidate(source_of: SourceOf) -> None:
    """The other pass knew no history: it stored the same version under another first id."""
    source = source_of(ACCOUNT, "stadtblatt")
    make_author("stadtblatt", x_id=5)
    now = timezone.now()
    alone = version(BASE + 9, "Neu.", first=BASE + 9)
    with open_for_a_moment(lambda: store_tweets([alone], {}, now)) as commit:
        pass_ = Meanwhile(pass_of(source, [version(BASE + 9, "Neu.")]))
        waits_for_a_lock()
        commit.set()
        assert pass_.end() is None
    assert Candidate.objects.get().tweet == Tweet.objects.get()


def in_two_channels(anna: User) -> tuple[Channel, Channel, Candidate, Candidate]:
    """A withheld post's approved candidate in the later channel, an edited post's in the earlier one."""
    low, high = sorted([channel_of("de", "politics"), channel_of("de", "sport")], key=lambda one: one.pk)
    author = make_author("stadtblatt", x_id=5)
    edited = make_candidate(low, tweet=make_tweet("Alt.", first_id=BASE, author=author))
    withheld = make_candidate(high, tweet=make_tweet("Bleibt.", first_id=BASE + 50, author=author), state="approved")
    return low, high, edited, withheld


@pytest.mark.parametrize("alone", [False, True])
def test_a_pass_and_a_bulk_decision_never_wait_for_each_other(anna: User, source_of: SourceOf, alone: bool) -> None:
    """The pass touches the later channel and edits in the earlier one; the bulk takes the earlier first."""
    low, high, edited, withheld = in_two_channels(anna)
    told = version(BASE + 50, "Bleibt.", first=BASE + 50)
    told.withheld_in.append("DE")
    posts = [version(BASE + 9, "Neu."), told]
    if alone:
        posts.append(version(BASE + 70, "x" * 10, first=BASE + 70, author=77))  # its author is missing: refused
    source = source_of(ACCOUNT, "stadtblatt", scope="", channel=high)

    def bulk() -> None:
        """As decide_many does: the channels in order, then their candidates; with a pause between the channels."""
        with one_transaction():
            lock_channels([low.pk])
            time.sleep(0.6)
            lock_channels([high.pk])
            lock_candidates([edited.pk, withheld.pk])

    editor = Meanwhile(bulk)
    time.sleep(0.2)
    result = Meanwhile(pass_of(source, posts)).end()
    assert (editor.end(), result) == (None, None)
    edited.refresh_from_db()
    assert edited.version == 2
    assert Quarantined.objects.count() == int(alone)


def test_no_channel_is_held_while_a_post_is_waited_for(source_of: SourceOf, de_politics: Channel) -> None:
    """Also not where an author is refused and everything is stored one by one."""
    source = source_of(ACCOUNT, "stadtblatt")
    author = make_author("stadtblatt", x_id=5)
    make_candidate(de_politics, tweet=make_tweet("Alt.", first_id=BASE, author=author))
    slow = version(BASE + 20, "Langsam.", first=BASE + 20)
    bad = version(BASE + 70, "Wer?", first=BASE + 70, author=77)
    posts = [version(BASE + 9, "Neu."), slow, bad]
    with open_for_a_moment(lambda: store_tweets([slow], {}, timezone.now())) as commit:
        pass_ = Meanwhile(pass_of(source, posts, Person(77, "wer", "Wer", followers=-1)))
        waits_for_a_lock()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '500ms'")
            lock_channels([de_politics.pk])
        commit.set()
        assert pass_.end() is None
    told = list(Candidate.objects.order_by("pk").values_list("tweet__text", "version"))
    assert told == [("Neu.", 2), ("Langsam.", 1)]
    assert Quarantined.objects.get().payload["text"] == "Wer?"


def test_editors_do_not_wait_for_arrivals(source_of: SourceOf, anna: User, de_politics: Channel) -> None:
    make_author("stadtblatt", x_id=5)
    waiting = make_candidate(de_politics)
    source = source_of(ACCOUNT, "stadtblatt")
    with open_for_a_moment(pass_of(source, [version(BASE, "Neu.")])):
        began = time.monotonic()
        operations.approve(waiting, by=anna, version=1)
        assert time.monotonic() - began < 2
    assert Candidate.objects.count() == 2


@pytest.mark.parametrize("code", ["40P01", "55P03"])
def test_a_pass_that_crossed_others_fails_cleanly_and_comes_again_soon(
    x: Simulator, source_of: SourceOf, read: Read, code: str
) -> None:
    x.post("stadtblatt", "Neu.")
    source = source_of(ACCOUNT, "stadtblatt")
    Cursor.objects.update(failures=3)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION crossed() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'crossed' USING ERRCODE = '{code}'; END $$"
        )
        cursor.execute("CREATE TRIGGER crossed BEFORE INSERT ON curation_tweet FOR EACH ROW EXECUTE FUNCTION crossed()")
    try:
        run = read(source)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION crossed() CASCADE")
    due = Cursor.objects.get().due_at - run.started_at
    assert (run.outcome, run.error) == ("failed", "Others were at the same rows; it is read again soon.")
    assert (due, Cursor.objects.get().failures, Author.objects.count()) == (timedelta(seconds=5), 3, 0)
    assert read(source).candidates == 1


def test_candidates_become_visible_in_the_order_of_their_ids(source_of: SourceOf) -> None:
    """The desk counts what is newer than the newest id it saw: a late commit of an older id would be lost."""
    source = source_of(ACCOUNT, "stadtblatt")
    slow, fast = make_tweet("Langsam."), make_tweet("Schnell.")
    now: datetime = timezone.now()
    here = partial(offer, source=source, channels=list(source.channels()), now=now)

    def quick() -> None:
        with transaction.atomic():
            here([fast.pk])

    with open_for_a_moment(lambda: here([slow.pk])) as commit:
        other = Meanwhile(quick)
        time.sleep(0.4)
        seen = list(Candidate.objects.values_list("tweet__text", flat=True))
        commit.set()
        assert other.end() is None
    assert seen == []
    ordered = list(Candidate.objects.order_by("pk").values_list("tweet__text", "state"))
    assert ordered == [("Langsam.", State.PENDING), ("Schnell.", State.PENDING)]
