"""Many rows a statement: what COPY writes stands there as it was given; nothing is cut."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from curation.ingest.storing.bulk import Table, as_array
from curation.models import Author, Tweet
from curation.x.wire import as_json
from tests.cast import make_author, make_tweet

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
PEOPLE = Table(Author, "x_id", "username", "name", "followers", "protected", "withheld_in", "avatar_url",
               "verified_type", "fetched_at")  # fmt: skip
TWEETS = Table(Tweet, "id", "first_id", "current_id", "text", "created_at", "wire", "raw", "metrics", "sensitive",
               "withheld_in", "edited_at", "lang", "lang_guess", "checked_at", "fetched_at", "previous_text",
               "gone_cause")  # fmt: skip
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


def person(name: str = "", pk: int = 7, **fields: Any) -> tuple[Any, ...]:
    told = {"username": "a", "followers": 3, "protected": True, "withheld": ["DE", "XX"]} | fields
    return (pk, told["username"], name, told["followers"], told["protected"], as_array(told["withheld"]), "", "", NOON)


def tweet(pk: int, text: str = "x", raw: Any = None) -> tuple[Any, ...]:
    whole = as_json(raw) if raw is not None else None
    return (pk, pk, pk, text, NOON, as_json({"said": text}), whole, "{}", False, "{}", None, "de", "",
            NOON, NOON, "", "")  # fmt: skip


@given(name=WORDS)
def test_copy_and_insert_write_what_is_given(name: str) -> None:
    with transaction.atomic():
        PEOPLE.copy([person(name)])
        PEOPLE.insert([person(name, pk=8)], conflict="DO NOTHING")
        rows = list(Author.objects.filter(pk__in=(7, 8)).values_list("name", "followers", "protected", "withheld_in"))
        times = set(Author.objects.filter(pk__in=(7, 8)).values_list("fetched_at", flat=True))
        transaction.set_rollback(True)
    assert rows == [(name, 3, True, ["DE", "XX"])] * 2
    assert times == {NOON}


@given(text=WORDS, raw=st.recursive(st.none() | WORDS, lambda one: st.dictionaries(WORDS, one, max_size=3)))
def test_documents_stand_as_they_were(text: str, raw: Any) -> None:
    with transaction.atomic():
        TWEETS.copy([tweet(1, text, raw)])
        stored = Tweet.objects.get(pk=1)
        transaction.set_rollback(True)
    assert (stored.text, stored.wire, stored.raw, stored.edited_at) == (text, {"said": text}, raw, None)


@pytest.mark.parametrize("way", ["copy", "insert"])
def test_what_is_too_long_is_refused_and_never_cut(way: str) -> None:
    long = person("x" * 201)
    with pytest.raises(DataError), transaction.atomic():
        PEOPLE.copy([long]) if way == "copy" else PEOPLE.insert([long], conflict="DO NOTHING")
    assert Author.objects.count() == 0


def test_what_is_there_already_is_left_out() -> None:
    make_tweet("Schon da.", first_id=500)
    rows = [tweet(pk) for pk in (500, 501)]
    with pytest.raises(IntegrityError), transaction.atomic():
        TWEETS.copy(rows)
    assert TWEETS.add(lambda: iter([(9, *rows[0][1:]), (10, *rows[1][1:])]), [9, 10]) == {10}
    assert sorted(Tweet.objects.values_list("text", flat=True)) == ["Schon da.", "x"]


def test_of_new_ones_all_are_told() -> None:
    assert TWEETS.add(lambda: iter([tweet(pk) for pk in (1, 2, 3)]), [1, 2, 3]) == {1, 2, 3}


def test_ids_rise_and_are_nobody_elses() -> None:
    first = TWEETS.ids(3)
    second = TWEETS.ids(2, "SELECT pg_advisory_xact_lock(9, 9)")
    assert [*first, *second] == list(range(first[0], first[0] + 5))
    assert make_tweet(author=make_author()).pk == second[-1] + 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 9")
        assert cursor.fetchone()[0] == 1
