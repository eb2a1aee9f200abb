"""Ingest against COPY: authors, tweets, blocks, candidates and duplicates against the bare rows of the tweets.

Each round stores the same number of new pages in turn: read from JSON and stored, stored alone, and the distinct
tweets of as many pages by COPY into the same table, with its indexes and constraints, in transactions as large."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from bench.databases import copy_database, using
from bench.filling import fill
from bench.posts import KNOWN, Inventor, block_values
from bench.table import Measured, Taken, circumstances, table
from curation.ingest.polling.reading import Reading
from curation.ingest.storing.bulk import Lines
from curation.ingest.storing.candidates import CANDIDATES
from curation.ingest.storing.store import settle, store
from curation.ingest.storing.tweets import TWEETS, row_of, store_people
from curation.models import Candidate, Hit, Tweet
from curation.operations.record import one_transaction
from curation.x.wire import Includes, Post, read_post
from regions.models import Block, BlockList, Channel, Source

BATCH = 500  # posts a transaction: what a pass reads at most of an account or a search
Batch = list[str]


def reading_of(pages: Iterable[str]) -> Reading:
    """As the reader makes it of X's pages."""
    reading = Reading()
    for page in pages:
        body = json.loads(page)
        includes = Includes(body["includes"])
        reading.people |= includes.people
        for payload in body["data"]:
            post = read_post(payload, includes)
            reading.posts[post.first_id] = post
    return reading


class Bench:
    """A channel of DE with 300 blocks and a source; `now` is when everything arrives."""

    def __init__(self, *, batches: int, seed: int = 7) -> None:
        self.batches, self.seed = batches, seed
        self.now = timezone.now()
        self.channel = Channel.objects.select_related("market").get(market__code="de", category__slug="politics")
        self.source = Source.objects.create(kind="account", value="blatt_1", channel=self.channel)
        self._list_blocks()
        self.x = Inventor(seed, self.now - timedelta(hours=36))
        self.pages: Callable[[], Batch] = lambda: self.x.pages(BATCH)
        for _ in range(4):
            self.store(reading_of(self.pages()))

    def _list_blocks(self) -> None:
        listed = BlockList.objects.create(name="Bench", market=self.channel.market)
        Block.objects.bulk_create(
            Block(kind=kind, value=value, effect=effect, block_list=listed, market=self.channel.market)
            for kind, value, effect in block_values(Random(self.seed))
        )

    def store(self, reading: Reading) -> None:
        with one_transaction():
            store(reading, self.source, [self.channel], self.now)

    def whole(self) -> Taken:
        """To read and store."""
        given = [self.pages() for _ in range(self.batches)]
        return timed(lambda: [self.store(reading_of(pages)) for pages in given])

    def stored(self) -> Taken:
        """To store what was read before."""
        given = [reading_of(self.pages()) for _ in range(self.batches)]
        return timed(lambda: [self.store(reading) for reading in given])

    def copied(self) -> Taken:
        """COPY, its text made before: the new tweets of as many pages."""
        ready = ["".join(map(TWEETS.line, self._rows(self._fresh()))).encode() for _ in range(self.batches)]
        return timed(lambda: [self._copy(BytesIO(text)) for text in ready])

    def written(self) -> Taken:
        """The same from posts in memory, its text made while PostgreSQL stores what is made: as ingest does."""
        ready = [self._fresh() for _ in range(self.batches)]
        return timed(lambda: [self._copy(Lines(map(TWEETS.line, self._rows(posts)))) for posts in ready])

    def both(self) -> Taken:
        """COPY of the tweets and of the candidates that ingest made of them: what is left if all else cost nothing."""
        ready = [self._text_of_a_batch() for _ in range(self.batches)]
        return timed(lambda: [self._copy_both(*texts) for texts in ready])

    def _text_of_a_batch(self) -> tuple[BytesIO, BytesIO]:
        """As COPY reads it, of rows that ingest stored and that are then removed."""
        newest = [model.objects.aggregate(pk=Max("pk"))["pk"] for model in (Tweet, Candidate)]
        reading = reading_of(self.pages())
        self.store(reading)
        self._repeat_none_of(reading)
        texts = BytesIO(), BytesIO()
        with connection.cursor() as cursor:
            for table, pk, text in zip((TWEETS, CANDIDATES), newest, texts, strict=True):
                rows = f"SELECT {table.columns} FROM {table.name} WHERE id > {pk:d} ORDER BY id"
                cursor.copy_expert(f"COPY ({rows}) TO STDOUT", text)
                text.seek(0)
        with transaction.atomic():
            Hit.objects.filter(candidate__gt=newest[1]).delete()
            Candidate.objects.filter(pk__gt=newest[1])._raw_delete("default")
            Tweet.objects.filter(pk__gt=newest[0])._raw_delete("default")
        return texts

    def _copy_both(self, tweets: BytesIO, candidates: BytesIO) -> None:
        with transaction.atomic():
            TWEETS.copy_from(tweets)
            CANDIDATES.copy_from(candidates)
            settle()

    def _rows(self, posts: list[Post]) -> Iterable[tuple[Any, ...]]:
        return (row_of(pk, post, "", self.now) for pk, post in zip(TWEETS.ids(len(posts)), posts, strict=True))

    def _fresh(self) -> list[Post]:
        """The posts of a batch that are not stored; their authors are. No later batch repeats one."""
        reading = reading_of(self.pages())
        store_people(list(reading.people.values()), self.now)
        known = set(Tweet.objects.filter(first_id__in=reading.posts).values_list("first_id", flat=True))
        self._repeat_none_of(reading)
        return [post for first, post in sorted(reading.posts.items()) if first not in known]

    def _repeat_none_of(self, reading: Reading) -> None:
        """In later pages: what is copied is new."""
        self.x.told = [one for one in self.x.told if int(one["id"]) not in reading.posts]

    def _copy(self, lines: Lines | BytesIO) -> None:
        with transaction.atomic():
            TWEETS.copy_from(lines)


def timed(work: Callable[[], Any]) -> Taken:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with out_of_sight():
        began = time.perf_counter(), time.process_time(), on_processor(pid)
        work()
        return Taken(time.perf_counter() - began[0], time.process_time() - began[1], on_processor(pid) - began[2])


@contextmanager
def out_of_sight() -> Iterator[None]:
    """Python does not search for garbage in what stands in memory before: tens of thousands of posts that only the
    bench keeps, and no worker has."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def on_processor(pid: int) -> float:
    """Seconds that a process of this machine had a processor; 0 where the system does not tell."""
    told = Path(f"/proc/{pid}/schedstat")
    return int(told.read_text().split()[0]) / 1e9 if told.exists() else 0.0


FULL, STORED = "full", 5_000_000
BATCHES = 10  # a round and way
FRESH = BATCHES * BATCH * (1 - KNOWN)
WAYS = {
    "copied": "COPY, its text ready",
    "written": "COPY, posts in memory",
    "both": "COPY of tweets and candidates, their text ready",
    "stored": "ingest, posts in memory",
    "whole": "ingest, from X's JSON",
}
Times = dict[tuple[str, str], list[Taken]]


def run(rounds: int, given: Sequence[int] | None, command: str) -> tuple[str, str]:
    """Title and words of this row; so many tweets stand in the second database, 0 for none."""
    stored = max(given) if given else STORED
    names = {"empty": connection.settings_dict["NAME"]} | ({"full": FULL} if stored else {})
    if stored:
        copy_database(FULL)
    bench = {}
    for place, name in names.items():
        with using(name):
            bench[place] = Bench(batches=BATCHES)
            if name == FULL:
                fill(bench[place].channel.pk, stored)
    times: Times = {}
    for _ in range(rounds):
        for place, name in names.items():
            with using(name):
                for way in WAYS:
                    times.setdefault((place, way), []).append(getattr(bench[place], way)())
    return "Ingest against COPY", words_of(times, stored, circumstances(command))


def words_of(times: Times, stored: int, where: str) -> str:
    rows = []
    for (place, way), taken in times.items():
        rivals = [times[place, rival] for rival in ("both", "written", "copied")]
        compared = way in ("both", "stored", "whole")
        against = [ratio(rival, taken, by) if compared else "-" for rival in rivals for by in ("work", "clock")]
        rows.append(
            (
                WAYS[way],
                f"{stored:,} tweets" if place == "full" else "empty",
                Measured([FRESH / one.clock for one in taken]),
                Measured([FRESH / (1 - KNOWN) / one.clock for one in taken]) if way in ("stored", "whole") else "-",
                f"{each(taken, 'ours')} + {each(taken, 'servers')}",
                *against,
                ratio(times["empty", way], taken) if place == "full" else "1",
            )
        )
    heads = ("what", "database", "new tweets/s", "posts read/s", "processor, us a new tweet: Python + PostgreSQL",
             "of COPY of tweets and candidates: processor", "the same: clock",
             "of COPY of the tweets: processor", "the same: clock",
             "of COPY of the tweets, text ready: processor", "the same: clock",
             "of the same, empty: processor")  # fmt: skip
    return f"{table(heads, rows)}\n\n{EXPLAINED}\n\n{where}"


def each(taken: list[Taken], what: str) -> str:
    return f"{median(getattr(one, what) for one in taken) * 1e6 / FRESH:.0f}"


def ratio(others: list[Taken], mine: list[Taken], by: str = "work") -> Measured:
    """How much of the others' speed is ours, round by round. By default of the processors' time, which other programs
    disturb least."""
    return Measured([getattr(other, by) / getattr(one, by) for other, one in zip(others, mine, strict=True)], 2)


EXPLAINED = f"""\
Medians of the rounds, with the least and the most. Each way stores pages of 100 posts in transactions of {BATCH} posts,
as much as a pass reads of an account or a search; {KNOWN:.0%} of the posts are known already, and three in a hundred
of the rest say what another said. So {BATCH} posts are {BATCH * (1 - KNOWN):.0f} new tweets, and only those are given
to COPY: all columns with wire and raw, the same table with its indexes and constraints, transactions of the same
{BATCH * (1 - KNOWN):.0f} rows, on one connection. COPY is measured from posts in memory, its text made while PostgreSQL
stores what is made, as ingest does it; and with its text made before, where only PostgreSQL works; and of the tweets
with the candidates that ingest made of them, text ready: what is left if all else costs nothing. Ingest is `store` of
`curation/ingest/storing/store.py`: 200 authors, 300 blocks of all kinds, languages, groups, rank, candidates with their
search and hits. Every commit waits for the disk. All ratios are per new tweet: the work on known posts is ingest's
alone and stands in its time (per post read they would be {1 / (1 - KNOWN):.2f} times as high). "Processor" compares the
time of the processors, ours and PostgreSQL's together; "clock" what passes meanwhile, on this machine with two cores,
with what else runs there."""
