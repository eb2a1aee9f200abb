"""The queue's page: from ten thousand to ten million candidates, beside the admin's list, and searched.

Each size stands in a database of its own on one server. Every round asks each of them for each page some times, through
the whole console from the cookie to the rendered page; only the web server before it is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from html import unescape
from statistics import median

from django.core.management import call_command
from django.test import Client

from bench.databases import copy_database, there_is, using
from bench.ingest import timed
from bench.stock import stock
from bench.table import Measured, Taken, circumstances, table
from curation.admin import CandidateAdmin
from curation.config.demo.static import collect
from curation.keyset import page
from curation.queue import Place
from regions.models import Channel, Market, User

STORED = (10_000, 1_000_000, 10_000_000)
ASKED, WARM = 3, 1  # times a page is asked in a round, and before that
EDITOR, CHIEF = "de0", "chief"  # of one market, of five
AUTHOR = 3_000_000_500  # wrote one post in 900
LOOKED_FOR = {  # in DE's stock; drawn alike for each size
    "Brückenfest": "one post in 1,000",
    "Haushalt": "one in 85",
    "Prozent": "one in 25",
    "aufstehen": "one in 12",
    "heute": "two in five",
}
BACKEND = "django.contrib.auth.backends.ModelBackend"
Times = dict[tuple[str, int], list[Taken]]


@dataclass(frozen=True)
class Way:
    """What is asked: an address, by whom; or a search of one of DE's channels or all, without the page. `plain`: the
    admin counts all rows, as it does unless told not to. `further`: the rows that follow those of the page."""

    told: str
    address: str = ""
    who: str = EDITOR
    words: str = ""
    channel: str = ""
    plain: bool = False
    further: bool = False


CHANNEL, ADMIN = "a channel's queue, best first", "the admin's list of the same channel, as Django makes it"
LIST = "/admin/curation/candidate/?channel__id__exact={politics}&state__exact=pending"
WAYS = (
    Way(CHANNEL, "/desk/de/politics/"),
    Way("the rows that follow, fetched as one comes near", "/desk/de/politics/", further=True),
    Way("a channel's queue, newest first", "/desk/de/politics/?order=newest"),
    Way("a market's queue, best first", "/desk/de/"),
    Way("a market's queue, newest first", "/desk/de/?order=newest"),
    Way("a market's queue, for the chief of five markets", "/desk/de/", CHIEF),
    Way("a channel's queue, one mark", "/desk/de/politics/?show=sensitive"),
    Way("a market's queue, a rare language", "/desk/de/?lang=ar"),
    Way("a market's queue, one author", f"/desk/de/?author={AUTHOR}"),
    Way("a channel's queue, searched", "/desk/de/politics/?q=Haushalt"),
    Way(ADMIN, LIST, CHIEF, plain=True),
    Way("the same as this house has it, without the count of all", LIST, CHIEF),
    *(
        Way(f"{place} searched for a word that {share} hold", words=word, channel=channel)
        for place, channel in (("a channel", "politics"), ("a market", ""))
        for word, share in LOOKED_FOR.items()
    ),
)


class House:
    """One size's database, with people who are signed in."""

    def __init__(self, name: str) -> None:
        self.name = name
        with using(name):
            self.market = Market.objects.get(code="de")
            self.channels = list(Channel.objects.filter(market=self.market).select_related("category", "market"))
            self.clients = {who: self._client(who) for who in (EDITOR, CHIEF)}

    def _client(self, who: str) -> Client:
        client = Client(SERVER_NAME="localhost")
        client.force_login(User.objects.get(username=who), backend=BACKEND)
        return client

    def asking(self, way: Way) -> Callable[[], object]:
        if way.words:
            return partial(self.search, way.words, way.channel)
        politics = next(one.pk for one in self.channels if one.category.slug == "politics")
        client, address = self.clients[way.who], way.address.format(politics=politics)
        if way.further:
            return partial(self.open, client, further(client, address), way.plain, {"HX-Request": "true"})
        return partial(self.open, client, address, way.plain)

    def open(self, client: Client, address: str, plain: bool, headers: dict[str, str] | None = None) -> None:
        CandidateAdmin.show_full_result_count = plain
        answer = client.get(address, headers=headers)
        assert answer.status_code == 200, (address, answer.status_code)

    def search(self, words: str, channel: str) -> None:
        """The first rows alone, as the page asks for them: what they become on a page costs the same for each size."""
        here = next((one for one in self.channels if one.category.slug == channel), None)
        assert len(page(Place(self.market, self.channels, here).queues(q=words)).rows) <= 50


def further(client: Client, address: str) -> str:
    """Where the page says that its next rows are."""
    found = re.search(r'hx-get="([^"]*cursor=[^"]*)"', client.get(address).content.decode())
    assert found, address
    return unescape(found[1])


def run(rounds: int, stored: Sequence[int] | None, command: str) -> tuple[str, str]:
    """Title and words of this row."""
    collect()
    sizes = sorted(stored or STORED)
    houses = {size: House(stocked(size)) for size in sizes}
    times: Times = {}
    for turn in range(rounds):
        for size, house in houses.items():
            with using(house.name):
                for way in WAYS:
                    times.setdefault((way.told, size), []).append(asked(house.asking(way), WARM if turn else 2 * WARM))
    return "The queue's page", words_of(times, sizes, circumstances(command))


def stocked(size: int) -> str:
    """The name of the database with so many; made where there is none, else migrated."""
    name = f"stock{size}"
    if not there_is(name):
        copy_database(name)
        with using(name):
            stock(size)
    with using(name):
        call_command("migrate", verbosity=0)
    return name


def asked(question: Callable[[], object], warm: int) -> Taken:
    """The median of some."""
    for _ in range(warm):
        question()
    taken = [timed(question) for _ in range(ASKED)]
    return Taken(*(median(getattr(one, what) for one in taken) for what in ("clock", "ours", "servers")))


def words_of(times: Times, sizes: Sequence[int], where: str) -> str:
    least, most = sizes[0], sizes[-1]
    heads = ["what", *(f"{size:,}: ms" for size in sizes), "processor, ms: Python + PostgreSQL, of the most",
             f"{most:,} of {least:,}: processor", "the same: clock",
             "the admin's of it: processor", "the same: clock"]  # fmt: skip
    rows = []
    for way in WAYS:
        taken = [times[way.told, size] for size in sizes]
        admin = times[ADMIN, most]
        rows.append([
            way.told,
            *(Measured([one.clock * 1000 for one in those], 1) for those in taken),
            f"{each(taken[-1], 'ours')} + {each(taken[-1], 'servers')}",
            ratio(taken[-1], taken[0], "work"), ratio(taken[-1], taken[0], "clock"),
            *(ratio(admin, taken[-1], by) if way.address and way.who == EDITOR else "-" for by in ("work", "clock")),
        ])  # fmt: skip
    return f"{table(heads, rows)}\n\n{EXPLAINED}\n\n{where}"


def each(taken: list[Taken], what: str) -> str:
    return f"{median(getattr(one, what) for one in taken) * 1000:.1f}"


def ratio(mine: list[Taken], others: list[Taken], by: str) -> Measured:
    return Measured([getattr(one, by) / getattr(other, by) for one, other in zip(mine, others, strict=True)], 2)


EXPLAINED = f"""\
Medians of the rounds, with the least and the most; each round asks {ASKED} times after {WARM} that do not count, one
database after the other. Each database holds so many tweets, each with a candidate in one of 20 channels: one in ten
waits, scattered over a month, so that hardly two stand on one page of the table; 5,000 authors, posts in the five
languages and three others, one in a hundred held, one in fifty sensitive, one in forty behind a similar one, and the
log of what people decided. Pages are asked by an editor of DE (four channels; the chief has 20) through the whole
console, all middleware and the rendered page of 25 posts included; only the web server before it is left out. A search
is what PostgreSQL and the ORM need for the first 50 rows, of which the smallest house has fewer. "Processor" adds the
time of the processors, ours and PostgreSQL's, which other programs disturb least."""
