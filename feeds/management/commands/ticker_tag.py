"""What a host page needs to show a ticker: the tags, with the hash of the module, and the lines of its policy."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.html import format_html

from feeds.models import KEY_PATTERN
from feeds.module import module
from regions.models import Channel, Market


class Command(BaseCommand):
    help = "Prints the tags that show a ticker on another page, and what that page's policy must allow."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("market", help="code of a market, such as de")
        parser.add_argument("category", nargs="?", default="", help="slug of a category; without it the market's feed")
        parser.add_argument("--key", default="", help=f"of the consumer that the page is ({KEY_PATTERN})")

    def handle(self, *args: Any, **options: Any) -> None:
        market, category = options["market"], options["category"]
        if not exists(market, category):
            raise CommandError("There is no such market or category.")
        feeds = settings.PUBLIC_FEED_URL.rstrip("/")
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(feeds))
        self.stdout.write(module().tag(origin))
        pictures = pictures_of(origin)
        self.stdout.write(element(market, category, options["key"], feeds, pictures))
        policy = f"script-src {origin}; connect-src {origin}; img-src {' '.join(hosts_of(pictures))}"
        self.stdout.write(f"\nContent-Security-Policy: {policy}")
        if not pictures:
            self.stdout.write("\nPictures come from X's host, which learns the phone's address. Behind our nginx "
                              "(docs/edge.md) set PICTURE_BASE=/pictures/ and print this again.")  # fmt: skip


def exists(market: str, category: str) -> bool:
    if not category:
        return Market.objects.active().filter(code=market).exists()
    return Channel.objects.active().filter(market__code=market, category__slug=category).exists()


def pictures_of(origin: str) -> str:
    """The element's media-base on another host's page; empty: pictures are asked for at their own address."""
    base = settings.PICTURE_BASE
    return f"{origin}{base}" if base.startswith("/") else base


def hosts_of(pictures: str) -> list[str]:
    """Where a page's pictures come from, as its policy names it."""
    if not pictures:
        return list(settings.PICTURE_HOSTS)
    return ["'none'"] if pictures == "none" else ["{0.scheme}://{0.netloc}".format(urlsplit(pictures))]


def element(market: str, category: str, key: str, feeds: str, pictures: str) -> str:
    named = {"market": market, "category": category, "key": key, "feed-base": feeds, "media-base": pictures}
    marks = "".join(format_html(' {}="{}"', name, words) for name, words in named.items() if words)
    return f"<telekom-ticker{marks}></telekom-ticker>"
