"""What stands in a backup: a folder with the dump, the seals, and a manifest that vouches for both."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from feeds.backups.programs import Failed, program, run

DUMP, SEALS, MANIFEST = "database.dump", "seals.jsonl", "manifest.json"
NAMED = re.compile(r"^tickerdesk-(\d{8}T\d{6})Z$")
FORM = 1
PIECE = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """`server`: version of the PostgreSQL it was made of. `rows` of each table, and the `heads` of each market's log
    (number of the seal, id of the last decision, head), are of the moment `made_at`. `files`: bytes and SHA-256."""

    made_at: str
    server: int
    migrations: dict[str, list[str]]
    rows: dict[str, int]
    heads: dict[str, tuple[int, int, str]]
    files: dict[str, tuple[int, str]]
    form: int = FORM

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.made_at)

    def text(self) -> str:
        told = asdict(self)
        return json.dumps(told | {"checksum": checksum_of(told)}, indent=1, sort_keys=True) + "\n"


def checksum_of(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def read(folder: Path) -> Manifest:
    """Raises Failed where it is none of ours, or not as it was written."""
    try:
        told = json.loads((folder / MANIFEST).read_bytes())
        checksum = told.pop("checksum")
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        raise Failed(f"{folder} is no backup: its {MANIFEST} is missing or cannot be read.") from None
    if checksum != checksum_of(told):
        raise Failed(f"The backup {folder} is damaged: its {MANIFEST} was changed.")
    if told["form"] != FORM:
        raise Failed(f"The backup {folder} is of another form ({told['form']}): use the version that made it.")
    told["heads"] = {market: tuple(head) for market, head in told["heads"].items()}
    told["files"] = {name: tuple(file) for name, file in told["files"].items()}
    return Manifest(**told)


def verify(folder: Path) -> Manifest:
    """Reads a backup whole: each file as it was written, and pg_restore understands every row. Raises Failed."""
    told = read(folder)
    for name, wanted in told.files.items():
        if not (folder / name).is_file():
            raise Failed(f"The backup {folder} is damaged: {name} is missing.")
        if standing_of(folder / name) != wanted:
            raise Failed(f"The backup {folder} is damaged: {name} is not as it was written.")
    run(program("pg_restore", told.server // 10000), "--file=/dev/null", str(folder / DUMP))
    return told


def standing_of(file: Path) -> tuple[int, str]:
    """Bytes and SHA-256."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            digest.update(piece)
        return opened.tell(), digest.hexdigest()


def name_of(moment: datetime) -> str:
    return f"tickerdesk-{moment.astimezone(UTC):%Y%m%dT%H%M%S}Z"


def moment_in(name: str) -> datetime | None:
    """When a backup was made, by its folder's name; None for other folders."""
    found = NAMED.match(name)
    return datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if found else None
