"""Texts that the collector of translations cannot see stay English for ever."""

import ast
from pathlib import Path

import pytest

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
