"""Every text can be collected, was collected, and stands in all six languages."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("regions", "curation", "feeds")
MARKS = {"gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
FILES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py") if "migrations" not in file.parts)


def unseen(source: str) -> list[int]:
    """Lines whose text is marked within an f-string, or under another name than `_` or the function's own."""
    tree = ast.parse(source)
    calls = [
        call.lineno
        for text in ast.walk(tree)
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MARKS | {"_"}
    ]
    names = [
        name.lineno
        for name in ast.walk(tree)
        if isinstance(name, ast.ImportFrom)
        and name.module == "django.utils.translation"
        and any(alias.name in MARKS and alias.asname not in (None, "_") for alias in name.names)
    ]
    return calls + names


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_marked_texts_can_be_collected(file: Path) -> None:
    assert unseen(file.read_text(encoding="utf-8")) == []


def test_what_cannot_be_collected_is_seen() -> None:
    assert unseen("from django.utils.translation import gettext as say")
    assert unseen("x = f\"{_('text')}\"")
    assert not unseen("from django.utils.translation import gettext as _\nx = _('text')")


@pytest.mark.parametrize("language", ["de", "nl", "el", "ro", "hr", "en"])
def test_every_text_is_translated_and_none_doubtful(language: str) -> None:
    with (ROOT / "locale" / language / "LC_MESSAGES/django.po").open("rb") as file:
        texts = [text for text in read_po(file, locale=language) if text.id]
    forms = [(text, text.string if isinstance(text.string, list | tuple) else (text.string,)) for text in texts]
    assert len(texts) > 1000
    assert [text.id for text, told in forms if text.fuzzy or not all(told)] == []


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="the collector, GNU gettext, is not installed")
def test_collecting_anew_changes_nothing(tmp_path: Path) -> None:
    """`make messages` in a copy: nobody forgot to collect."""
    for room in (*ROOMS, "templates", "static", "locale", "manage.py"):
        source, copy = ROOT / room, tmp_path / room
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    languages = [word for code in ("de", "nl", "el", "ro", "hr", "en") for word in ("-l", code)]
    collect = [sys.executable, "manage.py", "makemessages", "--add-location", "file", *languages]
    subprocess.run(collect, cwd=tmp_path, check=True, capture_output=True)
    for catalogue in (ROOT / "locale").rglob("django.po"):
        assert undated(tmp_path / catalogue.relative_to(ROOT)) == undated(catalogue)


def undated(catalogue: Path) -> list[str]:
    lines = catalogue.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith('"POT-Creation-Date')]
