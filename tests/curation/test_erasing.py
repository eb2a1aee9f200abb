"""An author is erased on request: whatever can be read of them goes, everywhere, and does not come back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from curation import operations
from curation.models import (
    Author,
    Candidate,
    Decision,
    ErasedAuthor,
    IngestRun,
    Quarantined,
    Tweet,
)
from curation.operations.errors import NotAnId
from curation.tombstones import author_digest, bury, erased
from regions.models import Block, Change, Source, User
from regions.operations import add_source
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet

pytestmark = pytest.mark.django_db
NAME, X_ID = "Stadtblatt_Nord", 4_711_000_000_000


@pytest.fixture
def author() -> Author:
    return make_author(NAME, x_id=X_ID, name="Stadtblatt Nord", avatar_url="https://pbs.example/nord.jpg")


def posts_of(author: Author, *states: str) -> list[Candidate]:
    """A post each, offered to DE politics in a state and to NL sport as pending."""
    rows = []
    for n, state in enumerate(states):
        tweet = make_tweet(f"Aus dem Norden, {n}.", author=author, raw={"text": NAME})
        rows.append(make_candidate(channel_of("de", "politics"), tweet=tweet, state=state))
        make_candidate(channel_of("nl", "sport"), tweet=tweet)
    return rows


def everything_stored() -> str:
    """Every column of every row of all tables, Django's own among them."""
    rows = [list(model._base_manager.values()) for model in apps.get_models(include_auto_created=True)]
    return json.dumps(rows, default=str, ensure_ascii=False).casefold()


def erase(given: str | int = X_ID, by: User | None = None) -> operations.Erasure:
    return operations.erase_author(given, by=by, now=timezone.now())


@pytest.mark.parametrize("given", [X_ID, str(X_ID), NAME, f"@{NAME.lower()}", f" {NAME} "])
def test_nothing_that_can_be_read_stays(given: str | int, author: Author, lena: User) -> None:
    rows = posts_of(author, "pending", "approved", "blocked", "lapsed")
    hashes = {row.tweet.text_hash for row in rows}
    other = make_candidate(channel_of("de", "politics"), "Von einem anderen.", state="approved")
    done = erase(given, by=lena)
    assert (done.x_id, done.posts, done.withdrawn) == (X_ID, 4, 8)
    mine = Candidate.objects.exclude(pk=other.pk)
    assert set(mine.values_list("state", "folded", "tweet__gone_cause", "tweet__text")) == {
        ("withdrawn", "", "erased", "")
    }
    assert set(Decision.objects.values_list("verb", "reason")) == {("withdraw", "erased")}
    assert set(Decision.objects.values_list("text_hash", flat=True)) == hashes
    assert not Author.objects.filter(pk=X_ID).exists()
    assert list(ErasedAuthor.objects.values_list("digest", flat=True)) == [author_digest(X_ID)]
    stored = everything_stored()
    assert [word for word in (NAME.casefold(), "stadtblatt nord", "aus dem norden", "nord.jpg") if word in stored] == []
    other.refresh_from_db()
    assert (other.state, other.tweet.text) == ("approved", "Von einem anderen.")
    change = Change.objects.get(verb="erase")
    assert (change.by, change.noun, change.after) == (lena, "author", {"posts": 4, "sources": []})


def test_posts_that_were_gone_before_are_erased_too(author: Author) -> None:
    (row,) = posts_of(author, "approved")
    operations.withdraw([row.tweet_id], cause="unverified", now=timezone.now())
    erase()
    assert Tweet.objects.values_list("gone_cause", "text").get() == ("erased", "")


def test_more_posts_than_a_batch(author: Author, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.operations.erasing.BATCH", 2)
    posts_of(author, *["pending"] * 5)
    assert erase().withdrawn == 10
    assert Tweet.objects.exclude(text="").count() == 0


def test_an_id_never_seen_leaves_a_tombstone() -> None:
    done = erase(99)
    assert (done.posts, done.username, done.withdrawn) == (0, "", 0)
    assert erased([99, 98]) == {99}


def test_repeated_it_changes_nothing_more(author: Author) -> None:
    posts_of(author, "approved")
    erase()
    assert (erase().withdrawn, ErasedAuthor.objects.count(), Decision.objects.count()) == (0, 1, 2)


@pytest.mark.parametrize("given", ["niemand", "@", ""])
def test_an_unknown_name_is_refused(given: str) -> None:
    for call in (operations.preview_erasure, erase):
        with pytest.raises(operations.UnknownAuthor) as refused:
            call(given)
        assert refused.value.code == "unknown_author"
    assert ErasedAuthor.objects.count() == 0


@pytest.mark.parametrize("given", ["0", "9" * 23, str(2**63)])
def test_a_number_that_is_no_id_is_refused_as_such(given: str) -> None:
    for call in (operations.preview_erasure, erase):
        with pytest.raises(NotAnId) as refused:
            call(given)
        assert "19 digits" in str(refused.value.detail)
    assert ErasedAuthor.objects.count() == 0


def test_a_name_that_several_had_is_refused(author: Author) -> None:
    make_author(NAME.upper(), x_id=5)
    with pytest.raises(operations.SeveralAuthors) as refused:
        erase(NAME)
    assert (str(X_ID) in str(refused.value.detail), ErasedAuthor.objects.count()) == (True, 0)


def test_sources_of_theirs_are_paused_and_lose_the_name(author: Author, lena: User) -> None:
    german = channel_of("de", "politics")
    by_name = add_source("account", f"@{NAME}", by=lena, channel=german, name="Stadtblatt Nord")
    by_id = add_source("account", str(X_ID), by=lena, channel=german)
    renamed = add_source("account", "alter_name", by=lena, market=german.market)
    Source.objects.filter(pk=renamed.pk).update(x_id=str(X_ID))
    stays = add_source("account", "rathaus", by=lena, channel=german)
    run = IngestRun.objects.create(source=by_name, error=f"Could not find user with username: [{NAME}].")
    done = erase()
    assert [source.pk for source in done.sources] == [by_name.pk, by_id.pk, renamed.pk]
    for source in Source.objects.exclude(pk=stays.pk):
        assert (source.paused_at is None, source.paused_until, source.name) == (False, None, "")
        assert (source.value, source.x_id, source.paused_reason) == (
            f"erased/{source.pk}", "", "The author was erased. Nothing of theirs is read any more.",
        )  # fmt: skip
    assert Source.objects.get(pk=stays.pk).paused_at is None
    run.refresh_from_db()
    assert run.error == "[erased]"
    stored = everything_stored()
    assert [word for word in ("stadtblatt", "alter_name", str(X_ID)) if word in stored] == []


def test_what_the_admin_noted_of_their_sources_loses_the_name(author: Author, browse: Any, chief: User) -> None:
    """It keeps what a row was called when a chief edited it."""
    mine, other = (add_source("account", name, by=None) for name in (f"@{NAME}", "@rathaus"))
    for source in (mine, other):
        address = f"/admin/regions/source/{source.pk}/change/"
        form = browse(chief).get(address).context["adminform"].form
        shown = {name: form.initial.get(name) for name in form.fields}
        fields = {name: value for name, value in shown.items() if value not in (None, False)}
        assert browse(chief).post(address, fields | {"trust": 80}).status_code == 302
    assert NAME in LogEntry.objects.get(object_id=str(mine.pk)).object_repr
    erase()
    told = dict(LogEntry.objects.values_list("object_id", "object_repr"))
    assert (told[str(mine.pk)], "rathaus" in told[str(other.pk)]) == ("[erased]", True)
    assert NAME.casefold() not in everything_stored()


def test_blocks_that_name_them_go_on_by_id(author: Author) -> None:
    german = channel_of("de", "politics").market
    named = make_block(f"@{NAME}", "author", market=german, note=f"{NAME} schreibt Unfug")
    twin = make_block(str(X_ID), "author")
    doubled = make_block(NAME.lower(), "author")
    other = make_block("rathaus", "author")
    done = erase()
    assert [block.pk for block in done.blocks] == [named.pk, doubled.pk]
    told = dict(Block.objects.values_list("pk", "value"))
    assert told == {named.pk: str(X_ID), twin.pk: str(X_ID), doubled.pk: str(X_ID), other.pk: "rathaus"}
    assert list(Block.objects.filter(lifted_at=None).order_by("pk")) == [named, twin, other]
    assert "stadtblatt" not in everything_stored()


def test_queries_and_words_that_hold_the_name_are_for_a_person(author: Author, lena: User) -> None:
    german = channel_of("de", "politics")
    query = add_source("search", f"from:{NAME} lang:de", by=lena, channel=german)
    longer = add_source("search", f"from:{NAME}er lang:de", by=lena, channel=german)
    word = make_block(f"laut {NAME.upper()}")
    assert operations.preview_erasure(X_ID).mentions == [query, word]
    erase()
    assert set(Source.objects.filter(paused_at=None)) == {query, longer}


def test_payloads_of_theirs_that_were_set_aside_go(author: Author) -> None:
    run = IngestRun.objects.create()
    payloads: list[Any] = [
        {"author_id": str(X_ID), "text": "Eins."},
        {"author_id": X_ID, "text": "Zwei."},
        {"username": NAME.upper()},
        f"@{NAME} schrieb",
        {"author_id": f"{X_ID}1", "text": "Ein anderer."},
        {"username": f"{NAME}er"},
    ]
    for payload in payloads:
        Quarantined.objects.create(run=run, reason="unlesbar", payload=payload)
    erase()
    assert [row.payload for row in Quarantined.objects.order_by("pk")] == payloads[4:]


def test_the_preview_tells_and_changes_nothing(author: Author, lena: User) -> None:
    posts_of(author, "approved", "approved", "blocked")
    source = add_source("account", NAME, by=lena, channel=channel_of("de", "politics"))
    before = everything_stored()
    found = operations.preview_erasure(NAME)
    assert (found.x_id, found.username, found.posts, found.withdrawn) == (X_ID, NAME, 3, 0)
    assert (found.live, found.sources) == ({channel_of("de", "politics"): 2}, [source])
    assert everything_stored() == before


def test_the_command_asks_first(author: Author, monkeypatch: pytest.MonkeyPatch) -> None:
    posts_of(author, "approved")
    out = StringIO()
    monkeypatch.setattr("builtins.input", lambda _: "no")
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_author", NAME, stdout=out)
    assert (Author.objects.count(), ErasedAuthor.objects.count()) == (1, 0)
    assert f"@{NAME} ({X_ID})" in out.getvalue()
    monkeypatch.setattr("builtins.input", lambda _: "Yes")
    call_command("erase_author", NAME, stdout=out)
    assert ErasedAuthor.objects.count() == 1
    assert "Erased: 1 posts, 2 candidates withdrawn." in out.getvalue()


def test_the_command_need_not_ask_and_refuses_in_words() -> None:
    call_command("erase_author", "99", yes=True, stdout=StringIO())
    assert ErasedAuthor.objects.count() == 1
    with pytest.raises(CommandError, match="Give X's id"):
        call_command("erase_author", "niemand", yes=True)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_who_stores_and_who_erases_wait_for_each_other() -> None:
    """A pass that asked before the tombstone stood must have stored before the posts are looked for."""
    asked, go_on, order = threading.Event(), threading.Event(), []

    def beside(call: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                with transaction.atomic():
                    call()
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def store() -> None:
        order.append(erased([X_ID]))
        asked.set()
        go_on.wait(10)
        order.append("stored")

    def erase() -> None:
        bury(X_ID)
        order.append("buried")

    storing = beside(store)
    assert asked.wait(10)
    erasing = beside(erase)
    erasing.join(0.5)
    go_on.set()
    for thread in (storing, erasing):
        thread.join(10)
    with transaction.atomic():
        assert (order, erased([X_ID])) == ([set(), "stored", "buried"], {X_ID})
