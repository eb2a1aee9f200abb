"""The ticker's page as an app on a phone: its manifest, and what its service worker keeps.

The worker keeps the page and what the page is made of, never a feed: the element keeps its own, for an hour."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.urls import reverse
from django.utils.translation import gettext as _

from feeds.module import served
from regions.models import Channel, Market

WORKER = "feeds/ticker_worker.js"
ICONS = "feeds/app"
SHELL = (
    "feeds/ticker.js",
    "feeds/ticker_page.js",
    "feeds/ticker_page.css",
    f"{ICONS}/icon.svg",
    f"{ICONS}/icon-192.png",
)
GROUNDS = {"light": "#f4f2f5", "dark": "#100f12"}


def address_of(market: Market, channel: Channel | None) -> str:
    if channel is None:
        return reverse("ticker", args=[market.code])
    return reverse("channel-ticker", args=[market.code, channel.category.slug])


def manifest(market: Market, channel: Channel | None, language: str) -> dict[str, Any]:
    """https://www.w3.org/TR/appmanifest/. One app for each page; a market's pages share their scope, for its tabs."""
    start, place = address_of(market, channel), (channel.category if channel else market).name_in(language)
    ticker = _("Ticker")
    return {
        "id": start,
        "start_url": start,
        "scope": address_of(market, None),
        "name": f"{ticker} · {place}",
        "short_name": place,
        "lang": language,
        "display": "standalone",
        "background_color": GROUNDS["light"],
        "theme_color": GROUNDS["light"],
        "categories": ["news"],
        "icons": [
            _icon("icon.svg", "any"),
            _icon("icon-192.png", "192x192"),
            _icon("icon-512.png", "512x512"),
            _icon("maskable-512.png", "512x512", purpose="maskable"),
        ],
    }


def _icon(name: str, sizes: str, purpose: str = "any") -> dict[str, str]:
    kind = "image/svg+xml" if name.endswith(".svg") else "image/png"
    return {"src": staticfiles_storage.url(f"{ICONS}/{name}"), "sizes": sizes, "type": kind, "purpose": purpose}


def worker() -> str:
    """The service worker's script. It changes whenever something that it keeps does, so that browsers renew it."""
    bodies = {name: served(name) for name in (*SHELL, WORKER)}
    version = hashlib.sha256(b"".join(bodies.values())).hexdigest()[:12]
    kept = {"version": version, "shell": [staticfiles_storage.url(name) for name in SHELL]}
    return f"self.KEPT = {json.dumps(kept)};\n{bodies[WORKER].decode()}"
