"""Pages on which X repeats posts of other pages, in any order: the cursor passes nothing that was not read."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from curation.ingest.polling.poll import poll
from curation.models import Cursor, IngestRun, Tweet
from curation.x.client import Door
from regions.models import Source
from tests.canned import Canned, page, post

pytestmark = pytest.mark.django_db
Read = Callable[[], IngestRun]
SourceOf = Callable[..., Source]
ID = 2_000_000_000_000_000_000
TIMELINE = "/2/users/5001/tweets"


def texts() -> list[str]:
    return list(Tweet.objects.order_by("first_id").values_list("text", flat=True))


def numbered(*numbers: int) -> list[dict[str, Any]]:
    return [post(ID + number, f"Nummer {number}.") for number in numbers]


def cursor() -> tuple[int, ...]:
    """Newest id and the gap that is still to be read, counted from ID."""
    told = Cursor.objects.get()
    return tuple(n - ID for n in (told.newest_id, told.gap_floor_id, told.gap_until_id) if n is not None)


def test_an_old_post_on_a_new_page_does_not_hide_what_lies_between(odd: Canned, read_odd: Read) -> None:
    """The next page fails; what is older than the bound that was asked for says nothing of how far the page goes."""
    odd.tell(TIMELINE, page(*numbered(10)), times=1)
    odd.tell(TIMELINE, page(*numbered(90, 80, 5), meta={"next_token": "further"}), times=1)
    odd.tell(TIMELINE, {"title": "Service Unavailable"}, 503, times=1)
    odd.tell(TIMELINE, page(*numbered(20)), times=1)
    odd.tell(TIMELINE, page())
    read_odd(), read_odd()
    assert cursor() == (90, 10, 80)
    read_odd()
    assert (cursor(), len(texts())) == ((90,), 5)


def test_a_post_from_between_does_not_hide_it_either_when_X_names_its_oldest(odd: Canned, read_odd: Read) -> None:
    odd.tell(TIMELINE, page(*numbered(10)), times=1)
    further = {"next_token": "further", "oldest_id": str(ID + 80)}
    odd.tell(TIMELINE, page(*numbered(90, 30, 80), meta=further), times=1)
    odd.tell(TIMELINE, {"title": "Service Unavailable"}, 503, times=1)
    read_odd(), read_odd()
    assert cursor() == (90, 10, 80)


def test_a_newer_post_on_the_page_of_a_gap_moves_no_cursor(odd: Canned, read_odd: Read, odd_source: Source) -> None:
    Cursor.objects.filter(pk=odd_source.pk).update(newest_id=ID + 50, gap_floor_id=ID + 10, gap_until_id=ID + 30)
    odd.tell(TIMELINE, page(*numbered(20, 95), meta={"next_token": "further"}), times=1)
    odd.tell(TIMELINE, {"title": "Service Unavailable"}, 503, times=1)
    read_odd()
    assert (cursor(), texts()) == ((50, 10, 20), ["Nummer 20.", "Nummer 95."])


def test_a_known_post_on_a_list_out_of_order_does_not_end_the_reading(odd: Canned, source_of: SourceOf) -> None:
    """A list has no bounds: one more page tells whether the known post came from elsewhere."""
    odd.tell("/2/lists/9/tweets", page(*numbered(10)), times=1)
    odd.tell("/2/lists/9/tweets", page(*numbered(90, 5, 80), meta={"next_token": "further"}), times=1)
    odd.tell("/2/lists/9/tweets", page(*numbered(70, 10), meta={"next_token": "known"}), times=1)
    listed = source_of(Source.Kind.LIST, "9")
    for _ in range(2):
        now = timezone.now()
        Cursor.objects.update(due_at=now)
        poll(listed.pk, now=now, ask=Door(odd.base_url, odd.token))
    assert (cursor(), len(texts()), len(odd.asked)) == ((90,), 5, 3)


def test_what_X_adds_to_a_look_up_is_no_post_of_the_source(odd: Canned, read_odd: Read) -> None:
    """The newest version of one is asked for; X repeats another post, which no source of this channel reads."""
    edited = {"edit_history_tweet_ids": [str(ID + 10), str(ID + 20)]}
    odd.tell(TIMELINE, page(post(ID + 10, "Davor.", **edited)))
    foreign = post(ID + 7, "Von anderswo.")
    odd.tell("/2/tweets", page(post(ID + 20, "Danach.", **edited), foreign))
    read_odd()
    assert texts() == ["Danach."]
