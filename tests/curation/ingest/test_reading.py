"""Pages, gaps and malformed payloads: what is read is stored, and the cursor never passes what was not."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation.ingest.polling import reading
from curation.models import Candidate, Cursor, IngestRun, Quarantined, Tweet
from curation.x.simulator import Simulator
from curation.x.wire import id_at
from regions.models import Source
from tests.curation.ingest.conftest import POLITICS_DE

pytestmark = pytest.mark.django_db
Read = Callable[..., IngestRun]
SourceOf = Callable[..., Source]
ACCOUNT, LIST, SEARCH = Source.Kind.ACCOUNT, Source.Kind.LIST, Source.Kind.SEARCH
AUTHOR = {"id": "5001", "username": "rathaus", "name": "Rathaus"}
FIRST = id_at(timezone.now() - timedelta(minutes=5))
"""For all posts here: asked for with each, it would give the same `n` ids of two milliseconds."""


def posts(x: Simulator, count: int, start: datetime | None = None) -> set[int]:
    start = start or timezone.now() - timedelta(hours=1)
    return {int(x.post("stadtblatt", f"Nummer {n}.", at=start + timedelta(seconds=n))) for n in range(count)}


def stored() -> set[int]:
    return set(Tweet.objects.values_list("first_id", flat=True))


def cursor_of(source: Source) -> tuple[int | None, int | None, int | None]:
    cursor = Cursor.objects.get(pk=source.pk)
    return cursor.newest_id, cursor.gap_floor_id, cursor.gap_until_id


def page(*data: Any, **more: Any) -> dict[str, Any]:
    return {"data": list(data), "includes": {"users": [AUTHOR]}, "meta": {"result_count": len(data)}} | more


def post(**fields: Any) -> dict[str, Any]:
    return {"id": str(FIRST + int(fields.pop("n", 0))), "text": "Guten Tag.", "author_id": "5001"} | fields


def test_the_first_reading_takes_the_newest_page_alone(x: Simulator, source_of: SourceOf, read: Read) -> None:
    ids = posts(x, 130)
    source = source_of(ACCOUNT, "stadtblatt")
    run = read(source)
    assert (run.read, stored()) == (100, set(sorted(ids)[-100:]))
    assert cursor_of(source) == (max(ids), None, None)


@pytest.mark.parametrize(("kind", "value"), [(ACCOUNT, "stadtblatt"), (SEARCH, "from:stadtblatt"), (LIST, POLITICS_DE)])
def test_several_pages_are_read_in_one_pass(
    x: Simulator, source_of: SourceOf, read: Read, kind: str, value: str
) -> None:
    first = posts(x, 1)
    source = source_of(kind, value)
    read(source)
    ids = posts(x, 230, timezone.now() - timedelta(minutes=30))
    run = read(source)
    assert (run.fresh, stored(), cursor_of(source)) == (230, ids | first, (max(ids), None, None))


@pytest.mark.parametrize(("kind", "value"), [(ACCOUNT, "stadtblatt"), (SEARCH, "from:stadtblatt")])
def test_more_than_a_pass_reads_is_continued_by_the_next(
    x: Simulator, source_of: SourceOf, read: Read, monkeypatch: pytest.MonkeyPatch, kind: str, value: str
) -> None:
    monkeypatch.setattr(reading, "PAGES", 2)
    first = posts(x, 1)
    source = source_of(kind, value)
    read(source)
    ids = sorted(posts(x, 450, timezone.now() - timedelta(minutes=30)))
    run = read(source)
    assert (run.fresh, cursor_of(source)) == (200, (ids[-1], min(first), ids[-200]))
    assert Cursor.objects.get(pk=source.pk).due_at == run.started_at + timedelta(seconds=source.least_seconds)
    newer = posts(x, 3, timezone.now() - timedelta(seconds=15))
    assert (read(source).fresh, cursor_of(source)) == (200, (ids[-1], min(first), ids[-400]))
    assert read(source).fresh == 53
    assert (stored(), cursor_of(source)) == (first | set(ids) | newer, (max(newer), None, None))


def test_a_pass_that_breaks_off_keeps_what_it_read_and_the_gap(x: Simulator, source_of: SourceOf, read: Read) -> None:
    first = posts(x, 1)
    source = source_of(ACCOUNT, "stadtblatt")
    read(source)
    ids = sorted(posts(x, 250, timezone.now() - timedelta(minutes=30)))
    x.fail("/2/users/", times=1)  # the first page as usual
    x.fail("/2/users/", status=503, times=1)  # the second not
    run = read(source)
    assert (run.outcome, run.fresh, run.error[:13]) == ("failed", 100, "X answered 50")
    assert cursor_of(source) == (ids[-1], min(first), ids[-100])
    assert (read(source).outcome, stored()) == ("read", first | set(ids))
    assert cursor_of(source) == (ids[-1], None, None)


@pytest.mark.parametrize(("kind", "value"), [(ACCOUNT, "stadtblatt"), (LIST, POLITICS_DE)])
def test_a_pass_that_takes_too_long_ends_after_a_page_and_leaves_a_gap(
    x: Simulator, source_of: SourceOf, read: Read, monkeypatch: pytest.MonkeyPatch, kind: str, value: str
) -> None:
    first = posts(x, 1)
    source = source_of(kind, value)
    read(source)
    ids = sorted(posts(x, 120, timezone.now() - timedelta(minutes=30)))
    monkeypatch.setattr(reading, "PATIENCE", 0)
    run = read(source)
    assert (run.outcome, run.error) == ("failed", "X is slow: the rest follows.")
    assert cursor_of(source) == (ids[-1], min(first), ids[-run.fresh])
    monkeypatch.undo()
    assert (read(source).outcome, stored(), cursor_of(source)) == ("read", first | set(ids), (ids[-1], None, None))


def test_a_list_that_breaks_off_is_walked_again_from_the_top(x: Simulator, source_of: SourceOf, read: Read) -> None:
    first = posts(x, 1)
    source = source_of(LIST, POLITICS_DE)
    read(source)
    ids = sorted(posts(x, 120, timezone.now() - timedelta(minutes=30)))
    x.fail("/2/lists/", times=1)
    x.fail("/2/lists/", status=503, times=1)
    assert (read(source).fresh, cursor_of(source)) == (50, (ids[-1], min(first), ids[-50]))
    assert (read(source).fresh, stored(), cursor_of(source)) == (70, first | set(ids), (ids[-1], None, None))


def test_page_tokens_that_go_round_end(x: Simulator, source_of: SourceOf, read: Read) -> None:
    source = source_of(SEARCH, "Brücke lang:de")
    x.fail("/2/tweets/search/recent", status=200, body=page(post()), times=1)
    read(source)
    body = page(post(n=5), meta={"result_count": 1, "next_token": "again"})
    x.fail("/2/tweets/search/recent", status=200, body=body, times=None)
    run = read(source)
    assert (run.outcome, run.read, run.fresh) == ("read", 2, 1)


def test_a_search_never_asks_for_more_than_X_keeps(x: Simulator, source_of: SourceOf, read: Read) -> None:
    """X refuses a since_id older than seven days: that would pause a quiet source for ever."""
    source = source_of(SEARCH, "from:stadtblatt")
    Cursor.objects.filter(pk=source.pk).update(newest_id=id_at(timezone.now() - timedelta(days=30)))
    ids = posts(x, 3)
    run = read(source)
    assert (run.outcome, stored()) == ("read", ids)


def test_reordered_and_repeated_posts_are_one_each(x: Simulator, source_of: SourceOf, read: Read) -> None:
    data = [post(n=n) for n in (3, 1, 2, 3, 1)]
    x.fail("/2/tweets/search/recent", status=200, body=page(*data))
    source = source_of(SEARCH, "Brücke lang:de")
    run = read(source)
    assert (run.read, run.fresh, Candidate.objects.count()) == (5, 3, 3)
    assert cursor_of(source)[0] == int(data[0]["id"])


MALFORMED: list[tuple[Any, str]] = [
    ("text", "the post is not an object"),
    ({"id": "x", "text": "a", "author_id": "5001"}, "id is not an id"),
    ({"text": "no id", "author_id": "5001"}, "id is not an id"),
    ({"id": "9223372036854775807", "text": "a", "author_id": "5001"}, "its id is from the future"),
    (post(n=1, text=None), "text is missing"),
    (post(n=1, created_at="soon"), "created_at is not a time"),
    (post(n=1, author_id=None), "the post names no author"),
    (post(n=1, author_id="4711"), "its author is not known"),
]


def test_a_payload_that_comes_again_and_again_is_set_aside_once(x: Simulator, source_of: SourceOf, read: Read) -> None:
    """A cursor does not pass what is from the future."""
    source, other = source_of(SEARCH, "Brücke lang:de"), source_of(SEARCH, "Tunnel lang:de")
    broken = {"id": "9223372036854775807", "text": "a", "author_id": "5001"}
    x.fail("/2/tweets/search/recent", status=200, body=page(broken), times=None)
    runs = [read(source) for _ in range(3)]
    (kept,) = Quarantined.objects.all()
    assert (kept.run, kept.payload, kept.at) == (runs[-1], broken, runs[-1].started_at)
    assert [run.quarantined for run in runs] == [1, 1, 1]
    read(other)
    assert Quarantined.objects.count() == 2


@pytest.mark.parametrize(("payload", "reason"), MALFORMED)
def test_malformed_posts_are_set_aside_and_stop_nothing(
    x: Simulator, source_of: SourceOf, read: Read, payload: Any, reason: str
) -> None:
    good = post(n=0)
    x.fail("/2/tweets/search/recent", status=200, body=page(payload, good))
    source = source_of(SEARCH, "Brücke lang:de")
    run = read(source)
    aside = Quarantined.objects.get()
    assert (run.outcome, run.read, run.fresh, run.quarantined) == ("read", 2, 1, 1)
    assert (aside.reason, aside.payload, aside.run) == (reason, payload, run)
    newest = cursor_of(source)[0]
    assert newest is not None
    assert newest < id_at(timezone.now() + timedelta(days=1))


def test_characters_that_postgresql_cannot_store_are_replaced(x: Simulator, source_of: SourceOf, read: Read) -> None:
    body = json.dumps(page(post(text="a\x00b\ud800c")))
    x.fail("/2/tweets/search/recent", status=200, body=body)
    read(source_of(SEARCH, "Brücke lang:de"))
    assert Tweet.objects.get().text == "a\ufffdb\ufffdc"


def test_authors_that_X_does_not_send_along_are_asked_for(x: Simulator, source_of: SourceOf, read: Read) -> None:
    account = x.world.account("rathaus")
    assert account is not None
    x.fail("/2/tweets/search/recent", status=200, body=page(post(author_id=str(account.id)), includes={}))
    read(source_of(SEARCH, "Brücke lang:de"))
    tweet = Tweet.objects.select_related("author").get()
    assert tweet.author is not None
    assert tweet.author.username == "rathaus"


def test_the_post_dialect_is_read_alike(x: Simulator, source_of: SourceOf, read: Read) -> None:
    original = post(n=1, text="Das Original.", edit_history_post_ids=[post(n=1)["id"]])
    repost = post(n=2, text="RT @rathaus: Das …", referenced_posts=[{"type": "reposted", "id": original["id"]}])
    long = post(n=3, text="Kurz …", note_post={"text": "Lang und ganz."})
    body = page(long, repost, includes={"users": [AUTHOR], "posts": [original]})
    x.fail("/2/tweets/search/recent", status=200, body=body)
    read(source_of(SEARCH, "Brücke lang:de"))
    assert set(Tweet.objects.values_list("text", flat=True)) == {"Das Original.", "Lang und ganz."}


def test_a_page_whose_author_sends_nonsense_costs_that_author(x: Simulator, source_of: SourceOf, read: Read) -> None:
    users = [AUTHOR, {"id": "6001", "username": None}, "x"]
    body = page(post(), post(n=1, author_id="6001"), includes={"users": users, "media": "x", "tweets": [1]})
    x.fail("/2/tweets/search/recent", status=200, body=body)
    run = read(source_of(SEARCH, "Brücke lang:de"))
    assert (run.fresh, run.quarantined) == (1, 1)
