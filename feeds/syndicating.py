"""Puts what feed readers read beside the feeds at the edge; the publisher does it at every turn."""

from __future__ import annotations

from pathlib import Path

from feeds import files
from feeds.models import Feed, Mode, Place, Rendering
from feeds.syndication import FORMATS, Format, Titled

Made = tuple[int, int, Titled]


class Syndicator:
    """Remembers what it made each file of, so that a turn in which nothing happened costs two queries."""

    def __init__(self) -> None:
        self.made: dict[Path, Made] = {}

    def turn(self) -> int:
        """Writes what differs from the database; returns how many files. An older publication replaces nothing."""
        named = {(feed.market.code, slug_of(feed)): Titled.of(feed.market, feed.channel) for feed in public()}
        changed = 0
        for place, (number, size) in Rendering.objects.public().filter(mode=Mode.IDS).standing():
            titled = named.get((place.market, place.category))
            wanted = [one for one in FORMATS.values() if titled and self._differs(place, one, (number, size, titled))]
            if titled and wanted:
                changed += self._write(place, titled, wanted)
        return changed

    def _differs(self, place: Place, kind: Format, made: Made) -> bool:
        file = files.beside(place, kind.name)
        return self.made.get(file) != made or files.number_of(file) != made[0]

    def _write(self, place: Place, titled: Titled, wanted: list[Format]) -> int:
        """Under the market's lock, from the newest bytes."""
        changed = 0
        with files.locked(place.market):
            found = Rendering.objects.read_by(None, place.market, place.category)
            for kind in wanted if found else []:
                number, body = found or (0, b"")
                file = files.beside(place, kind.name)
                changed += files.put_beside(file, number, kind.gzipped(body, titled))
                self.made[file] = (number, len(body), titled)
        return changed


def public() -> list[Feed]:
    return list(Feed.objects.public())


def slug_of(feed: Feed) -> str | None:
    return feed.channel.category.slug if feed.channel else None
