"""A file is on the disk before it gets its name, and its name is on the disk before anybody is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from feeds import files


def test_the_bytes_then_the_name_then_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def syncing(opened: int) -> None:
        told.append(("synced", Path(os.readlink(f"/proc/self/fd/{opened}")).name))
        fsync(opened)

    def renaming(old: Any, new: Any) -> None:
        told.append(("renamed", Path(new).name))
        replace(old, new)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "replace", renaming)
    assert files.put(tmp_path / "politics/index.json.gz", 1, b"bytes")
    assert told == [("synced", ".index.json.gz.new"), ("renamed", "index.json.gz"), ("synced", "politics")]
