"""What Prometheus is told of reading X, of the jobs and of the log (docs/metrics.md). Asked for at each scrape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import Error
from django.db.models import Max, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from kombu import Connection
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis import Redis, RedisError

from curation import nightly
from curation.ledger import budget
from curation.models import Cursor, Decision, Enforcement, IngestRun, Pause, Quarantined, Seal
from curation.wellbeing.reads import DAY
from regions.models import Market

SECONDS = 2  # how long a server may take to answer
WAITS = ("socket_timeout", "socket_connect_timeout", "read_timeout", "write_timeout")
QUEUES = (settings.CELERY_TASK_DEFAULT_QUEUE, "ingest")


class House(Collector):
    """The families of one function, when somebody asks for them; nothing of the database where that is away."""

    def __init__(self, told: Any) -> None:
        self.told = told

    def describe(self) -> list[Any]:
        """None: so that the database is not asked when the process starts."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            yield from list(self.told(timezone.now()))
        except Error:
            return


def gauge(name: str, told: str, values: Mapping[Any, float], *labels: str) -> GaugeMetricFamily:
    """A family from values by their labels; without labels by ()."""
    family = GaugeMetricFamily(f"tickerdesk_{name}", told, labels=labels)
    for key, value in values.items():
        family.add_metric([str(one) for one in (key if isinstance(key, tuple) else (key,))], value)
    return family


def age(at: datetime | None, now: datetime) -> float:
    """For how many seconds something has stood; 0 for nothing."""
    return max(0.0, (now - at).total_seconds()) if at else 0.0


class Servers(Collector):
    """Which servers answer, and how long the queues of jobs are."""

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        lengths = queue_lengths()
        yield gauge("database_up", "Whether PostgreSQL answers.", {(): database_answers()})
        yield gauge("redis_up", "Whether Redis answers.", {(): redis_answers()})
        yield gauge("broker_up", "Whether the jobs' broker answers.", {(): float(lengths is not None)})
        yield gauge("queue_messages", "Jobs that wait.", lengths or {}, "queue")


def database_answers() -> float:
    try:
        return float(Market.objects.exists())
    except Error:
        return 0.0


def redis_answers() -> float:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as server:
            return float(server.ping())
    except (RedisError, OSError):
        return 0.0


def queue_lengths() -> dict[str, float] | None:
    """Messages by queue, None where the broker is away. A queue that nobody declared yet has none."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    hurried = options | {name: SECONDS for name in WAITS if name in options}
    link = Connection(settings.CELERY_BROKER_URL, connect_timeout=SECONDS, transport_options=hurried)
    away: tuple[type[BaseException], ...] = (*link.connection_errors, OSError)
    try:
        with link:
            link.connect()
            return {name: length(link, name) for name in QUEUES}
    except away:
        return None


def length(link: Any, name: str) -> float:
    channel = link.channel()
    try:
        return float(channel.queue_declare(name, passive=True).message_count)
    except link.channel_errors:
        return 0.0


def ingest(now: datetime) -> Iterable[GaugeMetricFamily]:
    due = Cursor.objects.due(now).aggregate(since=Min("due_at"))["since"]
    yield gauge("ingest_lag_seconds", "For how long the source that waits longest is due.", {(): age(due, now)})
    markets = list(Market.objects.active())
    codes = {one.pk: one.code for one in markets}
    lasts = IngestRun.objects.filter(market__in=markets, outcome=IngestRun.Outcome.READ, started_at__gt=now - DAY)
    read = dict(lasts.values_list("market").annotate(last=Max("started_at")))
    yield gauge(
        "unread_seconds", "Since X was last read for a market, a day at most.",
        {code: age(read.get(pk, now - DAY), now) for pk, code in codes.items()}, "market",
    )  # fmt: skip
    pauses = Pause.objects.filter(ended_at=None, until__gt=now).values_list("market", "cause")
    paused = {(codes.get(pk, "all"), cause): 1.0 for pk, cause in pauses}
    yield gauge("ingest_paused", "Reading is paused for a market, or for all.", paused, "market", "cause")
    posts = {}
    for pk, one in budget.balances(markets, now).items():
        posts[codes[pk], "day", "used"], posts[codes[pk], "day", "limit"] = one.day_used, one.day_limit
        posts[codes[pk], "month", "used"], posts[codes[pk], "month", "limit"] = one.month_used, one.month_limit
    yield gauge("budget_posts", "Posts drawn from a market's budget, and its limit.", posts, "market", "span", "part")
    aside = Quarantined.objects.filter(run__started_at__gt=now - DAY).count()
    yield gauge("quarantined_posts", "Payloads of the last day that could not be read.", {(): aside})


def log(now: datetime) -> Iterable[GaugeMetricFamily]:
    oldest = Enforcement.objects.waiting().aggregate(at=Min("at"))["at"]
    yield gauge("block_uncarried_seconds", "For how long the oldest block waits to be carried.", {(): age(oldest, now)})
    sealed = Seal.objects.filter(market=OuterRef(OuterRef("pk"))).order_by("-number").values("last_id")[:1]
    loose = Decision.objects.filter(market=OuterRef("pk"), pk__gt=Coalesce(Subquery(sealed), 0)).order_by("pk")
    firsts = Market.objects.annotate(loose=Subquery(loose.values("at")[:1])).values_list("code", "loose")
    ages = {code: age(at, now) for code, at in firsts}
    yield gauge("unsealed_seconds", "For how long the oldest decision has no seal.", ages, "market")
    right = nightly.age_of(nightly.LOG_RIGHT, now)
    yield gauge("log_right_age_seconds", "Since the whole log was verified and found right.", {(): right})
