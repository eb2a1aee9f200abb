"""What a pass could not make whole, and what X shows late, is read again: the cursor passes nothing of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation.ingest.polling import reading
from curation.models import Cursor, IngestRun, Quarantined, Tweet
from curation.x.simulator import Simulator
from curation.x.wire import id_at
from regions.models import Source

pytestmark = pytest.mark.django_db
Read = Callable[..., IngestRun]
SourceOf = Callable[..., Source]
SEARCH = Source.Kind.SEARCH
SEARCHED = "/2/tweets/search/recent"
NEAR = {"id": "5001", "username": "nah", "name": "Nah"}
HOUR = timedelta(hours=1)


def post(number: int, author: int) -> dict[str, Any]:
    return {"id": str(number), "text": f"Nummer {number}.", "author_id": str(author)}


def page(*posts: Any) -> dict[str, Any]:
    return {"data": list(posts), "includes": {"users": [NEAR]}, "meta": {"result_count": len(posts)}}


def stored() -> set[int]:
    return set(Tweet.objects.values_list("first_id", flat=True))


def cursor() -> tuple[int | None, int | None, int | None]:
    told = Cursor.objects.get()
    return told.newest_id, told.gap_floor_id, told.gap_until_id


@pytest.fixture
def ids(x: Simulator) -> list[int]:
    """Three posts on a page that names the author of the first and third alone."""
    author = x.world.account("rathaus")
    assert author is not None
    first = id_at(timezone.now() - timedelta(minutes=5))
    x.fail(
        SEARCHED, status=200, body=page(*(post(first + n, (5001, author.id, 5001)[n]) for n in range(3))), times=None
    )
    return [first, first + 1, first + 2]


def test_an_author_that_X_does_not_tell_now_leaves_a_gap(
    x: Simulator, source_of: SourceOf, read: Read, ids: list[int]
) -> None:
    source = source_of(SEARCH, "Rat lang:de")
    x.fail("/2/users", status=503)
    run = read(source)
    assert (run.outcome, run.fresh, run.quarantined, run.missing) == ("failed", 2, 0, 0)
    assert (stored(), cursor()) == ({ids[0], ids[2]}, (ids[2], ids[1] - 1, ids[1] + 1))
    assert read(source).outcome == "read"
    assert (stored(), cursor(), Quarantined.objects.count()) == (set(ids), (ids[2], None, None), 0)


def test_a_look_up_that_would_come_too_late_is_left_to_the_next_pass(
    source_of: SourceOf, read: Read, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(SEARCH, "Rat lang:de")
    monkeypatch.setattr(reading, "PATIENCE", 0)
    run = read(source)
    assert (run.outcome, run.error, stored()) == ("failed", "X is slow: the rest follows.", {ids[0], ids[2]})
    assert cursor() == (ids[2], ids[1] - 1, ids[1] + 1)
    monkeypatch.undo()
    assert (read(source).outcome, stored(), cursor()) == ("read", set(ids), (ids[2], None, None))


def test_an_older_gap_and_what_could_not_be_made_whole_are_one_gap(
    x: Simulator, source_of: SourceOf, read: Read, ids: list[int]
) -> None:
    """The gap is being read, and the author in it cannot be had."""
    source = source_of(SEARCH, "Rat lang:de")
    Cursor.objects.update(newest_id=ids[2] + 7, gap_floor_id=ids[0] - 9, gap_until_id=ids[2] + 5)
    x.fail("/2/users", status=503)
    read(source)
    assert cursor() == (ids[2] + 7, ids[1] - 1, ids[1] + 1)
    read(source)
    assert (stored(), cursor()) == (set(ids), (ids[2] + 7, None, None))


def test_an_id_from_the_future_does_not_move_the_cursor_and_is_stored_in_its_time(
    x: Simulator, source_of: SourceOf, read: Read
) -> None:
    now = timezone.now()
    early, far = id_at(now - HOUR), id_at(now + 20 * HOUR)
    x.fail(SEARCHED, status=200, body=page(post(far, 5001), post(early, 5001)))
    source = source_of(SEARCH, "Rat lang:de")
    run = read(source, now)
    assert (run.quarantined, stored(), cursor()) == (1, {early}, (early, None, None))
    between = id_at(now + HOUR)
    x.fail(SEARCHED, status=200, body=page(post(far, 5001), post(between, 5001)))
    read(source, now + 2 * HOUR)
    assert (stored(), cursor()) == ({early, between}, (between, None, None))
    x.fail(SEARCHED, status=200, body=page(post(far, 5001)))
    read(source, now + 21 * HOUR)
    assert (stored(), cursor()) == ({early, between, far}, (far, None, None))


def test_a_search_finds_what_X_indexed_after_a_newer_post(x: Simulator, source_of: SourceOf, read: Read) -> None:
    now = timezone.now()
    source = source_of(SEARCH, "from:stadtblatt")
    old = int(x.post("stadtblatt", "Lange her.", at=now - HOUR))
    newer = int(x.post("stadtblatt", "Gleich gefunden.", at=now - timedelta(seconds=3)))
    assert (read(source, now).fresh, stored()) == (2, {old, newer})
    late = int(x.post("stadtblatt", "Erst jetzt gefunden.", at=now - timedelta(seconds=8)))
    run = read(source, now + timedelta(minutes=1))
    assert (run.read, run.fresh, run.charged, stored()) == (2, 1, 1, {old, late, newer})
    assert cursor() == (newer, None, None)
    assert read(source, now + timedelta(minutes=2)).read == 0
