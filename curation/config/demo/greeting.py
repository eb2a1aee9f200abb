"""What the demo says when it is ready."""

import json
from typing import Any

from curation.config.demo.options import Options

RULE = "-" * 78


def greeting(options: Options, took: str) -> str:
    """The address, who can log in and with what, the consumer's key, and how it ends."""
    address = f"http://localhost:{options.port}"
    file = options.folder / "credentials.json"
    known: dict[str, Any] = json.loads(file.read_text())
    lines = [
        RULE,
        f"Tickerdesk is ready: {address}",
        "",
        *table(known["users"]),
        "",
        f"Feed, ids only:  {address}/api/v1/feeds/de/politics/",
        f"Feed, full text: {address}/api/v1/feeds/de/politics/?key={known.get('consumer_key', '')}",
        f"For scripts:     {file} (with API tokens)",
        f"Started in:      {took}",
        "Ctrl+C ends it; the next start keeps what you decided.",
        RULE,
    ]
    return "\n".join(lines) + "\n"


def table(users: list[dict[str, Any]]) -> list[str]:
    rows = [("username", "password", "role", "markets")]
    rows += [(u["username"], u["password"], u["role"], " ".join(u["markets"]).upper()) for u in users]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
