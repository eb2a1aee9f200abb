"""The files that the edge serves: one gzipped body each, replaced whole, never by an older one.

    FEED_ROOT/ids/{market}/index.json.gz              and full/... likewise
    FEED_ROOT/ids/{market}/{category}/index.json.gz
    FEED_ROOT/ids/{market}/{category}/feed.json.gz    and rss.xml.gz, for feed readers; beside a market's feed too
    FEED_ROOT/ids/index.json.gz                       the feeds there are
    FEED_ROOT/consumers/{key}/{market} -> ../../full/{market}, or ids/ by the consumer's mode
    FEED_ROOT/problems/403.json.gz, 404.json.gz       problem+json

A file's mtime is 1,000,000,000 + its snapshot's number, since nginx makes its ETag of mtime and size."""

from __future__ import annotations

import fcntl
import gzip
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from curation.appended_file import sync_folder
from feeds.models import Consumer, Feed, Mode, Place, Rendering, Snapshot
from regions.models import Market

EPOCH = 1_000_000_000
NAME = "index.json.gz"
BESIDE = ("feed.json.gz", "rss.xml.gz")
CONSUMERS = "consumers"
COMMON = "common"


def root() -> Path:
    return Path(settings.FEED_ROOT)


def path_of(place: Place) -> Path:
    """The file of a rendering. Its parts are codes and slugs that the database vouches for."""
    return root() / place.mode / place.market / (place.category or "") / NAME


def beside(place: Place, name: str) -> Path:
    """The file of another document of the same feed."""
    return path_of(place).with_name(f"{name}.gz")


def number_of(file: Path) -> int:
    """The snapshot number of a file; -1 where there is none."""
    try:
        return int(file.stat().st_mtime) - EPOCH
    except (FileNotFoundError, NotADirectoryError):
        return -1


def read(file: Path) -> tuple[int, bytes] | None:
    """Number and gzipped bytes of one and the same file, whatever replaces it meanwhile."""
    try:
        with file.open("rb") as opened:
            return int(os.fstat(opened.fileno()).st_mtime) - EPOCH, opened.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


@contextmanager
def locked(name: str) -> Iterator[None]:
    """One writer at a time, over all threads and programs of this machine."""
    file = root() / "locks" / f"{name}.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def write(market: str, feed_ids: list[int]) -> int:
    """Puts the newest bytes of these feeds of a market in place, if public; returns how many files it wrote.

    The database is read under the lock, so that a slower writer never carries older bytes. Every file is
    tried; then the last OSError is raised."""
    written, trouble = 0, None
    with locked(market):
        for place, number, body in Rendering.objects.public().filter(feed__in=feed_ids).bodies():
            try:
                written += put(path_of(place), number, body)
            except OSError as error:
                trouble = error
    if trouble:
        raise trouble
    return written


def mend() -> int:
    """Makes the files agree with the public feeds; returns how many it wrote or removed. None may be ahead."""
    wanted = {path_of(place): (place.market, stands) for place, stands in Rendering.objects.public().standing()}
    there = {file: (market, standing_of(file)) for market, file in _files()}
    astray = wanted.items() ^ there.items()
    return sum(settle(market) for market in sorted({market for _file, (market, _stands) in astray}))


def ahead() -> set[str]:
    """Codes of markets with a file of a higher number than their feed has in the database, which is asked after the
    files: what is published between the two is known to it."""
    files = [(market, file.relative_to(root()).parts[1:-1], number_of(file)) for market, file in _files()]
    known = Feed.objects.numbers()
    return {market for market, place, number in files if number > known.get(place, number)}


def behind(feeds: Iterable[Feed]) -> dict[int, int]:
    """Feeds, by id, with a file older than their newest snapshot: the lowest number; -1 where a file is missing."""
    lowest = {feed: min(number_of(path_of(place)) for place in _places(feed)) for feed in feeds}
    return {feed.pk: number for feed, number in lowest.items() if number < feed.number}


def shown(feeds: Iterable[Feed]) -> dict[int, Snapshot]:
    """What phones read of each feed, by its id: the newest snapshot, or an older one for as long as a file has that;
    feeds with a file that is missing are left out. Where there is no folder for files, the database is believed."""
    rows = list(feeds)
    late = behind(rows) if root().exists() else {}
    found = {pk: Snapshot.objects.filter(feed=pk, number=number).first() for pk, number in late.items()}
    return {pk: one for pk, one in (Snapshot.objects.newest_of(rows) | found).items() if one}


def _places(feed: Feed) -> list[Place]:
    category = feed.channel.category.slug if feed.channel else None
    return [Place(mode, feed.market.code, category) for mode in Mode]


def settle(market: str) -> int:
    """Under the lock of a market: what the database has, and no file of a feed that is gone."""
    changed, trouble = 0, None
    with locked(market):
        bodies = {path_of(place): (number, body) for place, number, body in Rendering.objects.public().of(market)}
        for file, (number, body) in bodies.items():
            try:
                changed += _replace_astray(file, number, body)
            except OSError as error:
                trouble = error
        for home, file in _files():
            if home == market and file not in bodies:
                changed += _remove(file)
    if trouble:
        raise trouble
    return changed


def _files() -> list[tuple[str, Path]]:
    """Every feed's file that stands, with the code of its market: those of channels before their market's."""
    found = [(mode, file) for mode in Mode.values for file in (root() / mode).glob(f"*/**/{NAME}")]
    placed = [(file.relative_to(root() / mode).parts[0], file) for mode, file in found]
    return sorted(placed, key=lambda pair: -len(pair[1].parts))


def standing_of(file: Path) -> tuple[int, int] | None:
    """Number and size, of which nginx makes the ETag."""
    try:
        told = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return int(told.st_mtime) - EPOCH, told.st_size


def _replace_astray(file: Path, number: int, body: bytes) -> bool:
    astray = standing_of(file) != (number, len(body))
    if astray:
        _replace(file, number, body)
    return astray


def _remove(file: Path) -> bool:
    for one in (file, *map(file.with_name, BESIDE)):
        one.unlink(missing_ok=True)
    with suppress(OSError):  # other feeds stand in it
        file.parent.rmdir()
    return True


def put(file: Path, number: int, body: bytes) -> bool:
    """Replaces a file if `number` is newer than what is there. Whoever calls holds the lock of its folder."""
    if number <= number_of(file):
        return False
    _replace(file, number, body)
    return True


def put_beside(file: Path, number: int, body: bytes) -> bool:
    """The same for what is made of a feed, which may change with its names while the number stays."""
    there = read(file)
    if there == (number, body) or (there and there[0] > number):
        return False
    _replace(file, number, body)
    return True


def _replace(file: Path, number: int, body: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    try:
        _write_through(new, number, body)
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def write_common(texts: Callable[[], dict[Path, str]]) -> int:
    """Puts the texts that no snapshot numbers in place, those that differ; returns how many files it wrote.

    They are asked for under the lock, so that a slower writer never carries older ones."""
    with locked(COMMON):
        return sum(_put_unnumbered(file, text) for file, text in texts().items())


def _put_unnumbered(file: Path, text: str) -> bool:
    told = number, body = unnumbered(text)
    if read(file) == told:
        return False
    _replace(file, number, body)
    return True


def unnumbered(text: str) -> tuple[int, bytes]:
    """What no snapshot numbers, gzipped, with a number made of its bytes: Django and the edge then say the same ETag.
    Below 2038 as an mtime, since not every disk knows later times."""
    body = gzip.compress(text.encode(), mtime=0)
    return zlib.crc32(body) % 1_000_000_000, body


def link_consumers() -> None:
    """Makes the keys' links agree with the database: one folder a key, one link a market."""
    with locked(CONSUMERS):
        consumers = dict(Consumer.objects.active().values_list("key", "mode"))
        markets = list(Market.objects.active().values_list("code", flat=True))
        folder = root() / CONSUMERS
        folder.mkdir(exist_ok=True)
        _unlink_all_but(set(consumers))
        for key, mode in consumers.items():
            _link(folder / key, {market: Path("../..") / mode / market for market in markets})


def unlink_consumers() -> int:
    """Takes away the links of keys that hold no more, and makes none; returns of how many."""
    with locked(CONSUMERS):
        return _unlink_all_but(set(Consumer.objects.active().values_list("key", flat=True)))


def _unlink_all_but(keys: set[str]) -> int:
    folder = root() / CONSUMERS
    strangers = {path.name for path in folder.iterdir()} - keys if folder.is_dir() else set()
    for stranger in strangers:
        shutil.rmtree(folder / stranger)
    return len(strangers)


def folder_of(key: str) -> Path:
    """Where a key's links stand. The key must have been matched against KEY_PATTERN."""
    return root() / CONSUMERS / key


def _link(folder: Path, targets: dict[str, Path]) -> None:
    folder.mkdir(exist_ok=True)
    there = {path.name: path.readlink() for path in folder.iterdir()}
    for name in there.keys() - targets.keys():
        (folder / name).unlink()
    for name, target in targets.items():
        if there.get(name) != target:
            new = folder / f".{name}"
            new.unlink(missing_ok=True)
            new.symlink_to(target)
            new.replace(folder / name)


def _write_through(file: Path, number: int, body: bytes) -> None:
    """Writes to the disk itself, with the mtime of the number."""
    with file.open("wb") as opened:
        opened.write(body)
        opened.flush()
        os.utime(opened.fileno(), (EPOCH + number, EPOCH + number))
        os.fsync(opened.fileno())
