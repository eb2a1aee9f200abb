"""The edge in a bucket: against an S3 server over a socket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.storage import storages
from moto.server import ThreadedMotoServer
from structlog.testing import capture_logs

from feeds import bucket, files
from feeds.bucket import Mirror, Mirroring
from feeds.models import Mode, Place
from feeds.operations import mend_edge, open_consumer, publish, revoke
from regions.models import Channel
from tests.feeds.conftest import at_the_edge, committed, id_of, ids, live, opened
from tests.feeds.test_publisher import soon

NAME, FOLDER = "ticker-feeds", "v1"
POLITICS = "ids/de/politics/index.json"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    started = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    yield f"http://{host}:{port}"
    started.stop()


@pytest.fixture
def there(server: str, settings: Any, feed_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket, as boto3 sees it; the house is told of it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "invented")
    told = {"bucket_name": NAME, "endpoint_url": server, "region_name": "us-east-1", "location": FOLDER}
    settings.STORAGES = settings.STORAGES | {"feeds": {"BACKEND": "feeds.bucket.FeedBucket", "OPTIONS": told}}
    found = boto3.resource("s3", endpoint_url=server, region_name="us-east-1").Bucket(NAME)
    found.create()
    yield found
    found.objects.delete()
    found.delete()


@pytest.fixture
def mirror(there: Any) -> Mirror:
    return Mirror(storages["feeds"])  # type: ignore[arg-type]


def names(there: Any) -> list[str]:
    return sorted(one.key.removeprefix(f"{FOLDER}/") for one in there.objects.all())


def put(there: Any, name: str) -> dict[str, Any]:
    return dict(there.Object(f"{FOLDER}/{name}").get())


def body(there: Any, name: str) -> dict[str, Any]:
    found = put(there, name)
    return opened((int(found["Metadata"]["snapshot"]), found["Body"].read()))


def shown(there: Any) -> list[str]:
    return ids(body(there, POLITICS))


def published(channel: Channel) -> None:
    publish(channel.market_id)
    mend_edge()


@committed
def test_it_holds_what_the_edge_holds_and_no_full_text_but_the_consumers(
    there: Any, mirror: Mirror, politics: Channel, feed_root: Path
) -> None:
    first = live(politics)
    consumer = open_consumer("A phone", by=None)
    published(politics)
    mirror.turn()
    edge = {file.relative_to(feed_root).as_posix().removesuffix(".gz"): file for file in feed_root.rglob("*.gz")}
    open_to_all = {name: file for name, file in edge.items() if name.startswith(("ids/", "problems/"))}
    copies = {name.replace("full/", f"consumers/{consumer.key}/", 1): edge[name] for name in edge.keys() - open_to_all}
    assert (len(open_to_all), len(copies), f"consumers/{consumer.key}/de/politics/index.json" in copies) == (
        19,
        5,
        True,
    )
    assert {name: put(there, name)["Body"].read() for name in names(there)} == {
        name: file.read_bytes() for name, file in (open_to_all | copies).items()
    }
    assert body(there, POLITICS) == at_the_edge("de", "politics")
    full = body(there, f"consumers/{consumer.key}/de/politics/index.json")
    assert (full["entries"][0]["text"], shown(there)) == (first.tweet.text, [id_of(first)])
    assert mirror.turn() == 0


@committed
def test_each_is_served_as_the_edge_serves_it(there: Any, mirror: Mirror, politics: Channel) -> None:
    published(politics)
    mirror.turn()
    kinds = {name: put(there, name)["ContentType"] for name in names(there)}
    assert kinds["ids/de/feed.json"].startswith("application/feed+json")
    assert kinds["ids/de/rss.xml"].startswith("application/rss+xml")
    assert (kinds[POLITICS], kinds["ids/index.json"]) == ("application/json", "application/json")
    assert kinds["problems/404.json"] == "application/problem+json"
    one = put(there, POLITICS)
    assert (one["ContentEncoding"], one["CacheControl"]) == (
        "gzip", "public, max-age=15, stale-while-revalidate=15, stale-if-error=3600",
    )  # fmt: skip


@committed
def test_a_publication_replaces_what_changed_and_nothing_else(there: Any, mirror: Mirror, politics: Channel) -> None:
    published(politics)
    mirror.turn()
    before = {one.key: one.e_tag for one in there.objects.all()}
    new = live(politics)
    published(politics)
    assert mirror.turn() == 6
    assert shown(there) == [id_of(new)]
    changed = {one.key for one in there.objects.all() if before[one.key] != one.e_tag}
    both, each = ("ids/de", "ids/de/politics"), ("index.json", "feed.json", "rss.xml")
    assert changed == {f"{FOLDER}/{place}/{name}" for place in both for name in each}


@committed
def test_a_revoked_key_and_a_feed_that_is_gone_leave_it(there: Any, mirror: Mirror, politics: Channel) -> None:
    consumer = open_consumer("A phone", by=None)
    live(politics)
    published(politics)
    mirror.turn()
    revoke(consumer, by=None)
    Channel.objects.filter(pk=politics.pk).update(active=False)
    published(politics)
    mirror.turn()
    assert not [name for name in names(there) if consumer.key in name or "politics" in name]
    assert "ids/de/index.json" in names(there)


@committed
def test_who_begins_anew_sends_nothing_again_and_takes_away_what_is_no_more(
    there: Any, mirror: Mirror, politics: Channel
) -> None:
    published(politics)
    mirror.turn()
    there.Object(f"{FOLDER}/consumers/0123456789abcdef/de/index.json").put(Body=b"old")
    assert Mirror(storages["feeds"]).turn() == 1  # type: ignore[arg-type]
    assert not [name for name in names(there) if name.startswith("consumers")]


@committed
def test_what_others_changed_or_took_is_mended_within_a_minute(there: Any, mirror: Mirror, politics: Channel) -> None:
    live(politics)
    published(politics)
    mirror.turn()
    there.Object(f"{FOLDER}/{POLITICS}").put(Body=b"{}")
    there.Object(f"{FOLDER}/ids/de/index.json").delete()
    assert mirror.turn() == 0
    mirror.looked -= bucket.LOOKED_AT
    assert mirror.turn() == 2
    assert body(there, POLITICS) == at_the_edge("de", "politics")


@committed
def test_of_two_machines_the_one_behind_replaces_nothing(there: Any, mirror: Mirror, politics: Channel) -> None:
    """The other one's edge is older: its publisher has not written yet."""
    live(politics)
    published(politics)
    older = files.read(files.path_of(Place(Mode.IDS, "de", "politics")))
    behind = Mirror(storages["feeds"])  # type: ignore[arg-type]
    behind.turn()
    newest = live(politics)
    published(politics)
    mirror.turn()
    assert older is not None
    files.path_of(Place(Mode.IDS, "de", "politics")).write_bytes(older[1])
    number = files.EPOCH + older[0]
    os.utime(files.path_of(Place(Mode.IDS, "de", "politics")), (number, number))
    for one in (behind, Mirror(storages["feeds"])):  # type: ignore[arg-type]
        one.known.pop(POLITICS, None)
        one.turn()
        assert id_of(newest) in shown(there)


@committed
def test_the_list_is_replaced_whatever_its_number(there: Any, mirror: Mirror, politics: Channel) -> None:
    """It is made of its bytes: after a change it may be lower, and another process knows nothing of the old one."""
    published(politics)
    mirror.turn()
    newer = {"Metadata": {"snapshot": "999999999"}, "ContentEncoding": "gzip"}
    there.Object(f"{FOLDER}/ids/index.json").put(Body=b"old", **newer)
    there.Object(f"{FOLDER}/{POLITICS}").put(Body=b"newer", **newer)
    assert Mirror(storages["feeds"]).turn() == 1  # type: ignore[arg-type]
    assert put(there, "ids/index.json")["Body"].read() != b"old"
    assert put(there, POLITICS)["Body"].read() == b"newer"


@committed
@pytest.mark.parametrize("etag", ["", '"0123"'])
def test_an_object_is_replaced_only_while_it_is_the_one_that_was_looked_at(
    etag: str, there: Any, mirror: Mirror, politics: Channel
) -> None:
    published(politics)
    mirror.turn()
    assert not mirror.bucket.replace(POLITICS, 99, b"{}", etag=etag)
    assert body(there, POLITICS) == at_the_edge("de", "politics")


@committed
def test_it_goes_on_when_the_bucket_is_back_and_the_edge_never_waits(there: Any, politics: Channel) -> None:
    published(politics)
    there.delete()  # as good as gone
    beside = Mirroring()
    try:
        with capture_logs() as log:
            beside.start()
            soon(lambda: [one for one in log if one["event"] == "bucket_not_reached"])
        new = live(politics)
        published(politics)
        assert ids(at_the_edge("de", "politics")) == [id_of(new)]
        there.create()
        soon(lambda: POLITICS in names(there), 30)
        assert shown(there) == [id_of(new)]
    finally:
        beside.stop()


def test_a_name_in_the_log_holds_no_key() -> None:
    assert bucket.without_key("consumers/0123456789abcdef/de/index.json") == "consumers/.../de/index.json"
    assert bucket.without_key(POLITICS) == POLITICS
