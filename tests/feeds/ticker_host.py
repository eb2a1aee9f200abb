"""A host page and a feed server for the ticker: strict policy, invented posts, any answer on command."""

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODULE = Path(__file__).parents[2] / "static/feeds/ticker.js"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'"
PAGE = """<!doctype html><html lang="en"><title>Host</title>
<meta name="viewport" content="width=device-width"><script type="module" src="/ticker.js"></script>
<main><h1>Host</h1><telekom-ticker market="de" category="politics" lang="{lang}" theme="{theme}"
 key="k" poll="10" feed-base="/feeds" media-base="/pictures?u="></telekom-ticker></main></html>"""
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><path d="M0 0h4v3H0z"/></svg>'
AUTHOR = {
    "id": "77",
    "name": "Wahlamt Lindmark",
    "username": "wahlamt_lindmark",
    "url": "https://x.com/wahlamt_lindmark",
    "avatar_url": "https://pics.example/a.png",
    "verified_type": "none",
}
PHOTO = {
    "type": "photo",
    "url": "https://pics.example/b.jpg?x=1",
    "preview_url": None,
    "width": 400,
    "height": 300,
    "alt": "A bridge",
}
VIDEO = PHOTO | {"type": "video", "url": None, "preview_url": "https://pics.example/v.jpg", "alt": None}


@dataclass
class Edge:
    """A feed server: set `feed`, `status` or `pictures` and the next question gets that."""

    feed: Any = None
    status: int = 200
    pictures: int = 200
    date: str | None = None
    """What the answers' Date header says; None: the host may not read it."""
    policy: str = POLICY
    url: str = ""
    asked: list[tuple[str, int]] = field(default_factory=list)

    def answer(self, path: str, seen: str | None) -> tuple[int, str, bytes]:
        if path.startswith("/feeds/"):
            body = self.feed if isinstance(self.feed, bytes) else json.dumps(self.feed).encode()
            status = 304 if self.status == 200 and seen == tag(body) else self.status
            self.asked.append((path, status))
            return status, "application/json", body if status == 200 else b""
        if path.startswith("/pictures"):
            return self.pictures, "image/svg+xml", PICTURE if self.pictures == 200 else b""
        if path == "/ticker.js":
            return 200, "text/javascript", MODULE.read_bytes()
        if not path.startswith("/host/"):
            return 404, "text/plain", b""
        lang, theme = path.split("/")[2:4]
        return 200, "text/html; charset=utf-8", PAGE.format(lang=lang, theme=theme).encode()


def tag(body: bytes) -> str:
    return f'"{hash(body)}"'


def door(edge: Edge) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, kind, body = edge.answer(self.path, self.headers.get("If-None-Match"))
            self.send_response_only(status)
            if edge.date:
                self.send_header("Date", edge.date)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", edge.policy)
            if self.path.startswith("/feeds/") and body:
                self.send_header("ETag", tag(body))
                self.send_header("Cache-Control", "public, max-age=15")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Door


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Browsers hang up; that is no error."""


def row(id: str, **more: Any) -> dict[str, Any]:
    """An entry as strangers get it."""
    bare = dict.fromkeys(["context", "label", "expires_at"])
    url = f"https://x.com/i/status/{id}"
    return {"id": id, "url": url, "category": "politics", "pinned": False, **bare, **more}


def post(id: str, text: str, **more: Any) -> dict[str, Any]:
    """A full entry by an invented author."""
    told = {"text": text, "entities": {}, "lang": "de", "created_at": "2026-11-22T06:54:00Z", "edited": False}
    return row(id) | told | {"author": AUTHOR, "media": []} | more


def feed(snapshot: int, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A channel's feed of contract version 1."""
    channel = {"version": 1, "market": "de", "category": "politics", "language": "de"}
    published = {"snapshot": snapshot, "published_at": "2026-11-22T08:41:07Z", "ttl": 60}
    return {**channel, **published, "entries": list(entries), "removed": [], **more}
