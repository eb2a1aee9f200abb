"""The house: one arrow, the same furniture in every room, no forbidden names."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("regions", "curation", "feeds")  # each may import those before it
FURNITURE = ("models", "operations", "views", "urls", "api", "admin", "apps")
BY_STRING = {"import_module", "import_string", "__import__"}
FORBIDDEN = {
    "item",
    "content",
    "data",
    "manager",
    "helper",
    "util",
    "utils",
    "process",
    "handle",
    "info",
    "common",
}
TOP_LEVEL = {
    "manage.py", "curation", "feeds", "regions", "templates", "static", "requirements.txt", "tests",
    "README.md", "Makefile", "pyproject.toml", "requirements-dev.txt", "CHANGELOG.md", "CONTRIBUTING.md",
    "GLOSSARY.md", "SECURITY.md", "locale", "docs", "deploy", "bench",
}  # fmt: skip


def modules(room: str) -> list[Path]:
    return [path for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]


def imported(path: Path) -> Iterator[str]:
    """Every module a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in BY_STRING:
            yield from (told.value for told in node.args if isinstance(told, ast.Constant))


def rooms_above(room: str) -> tuple[str, ...]:
    return ROOMS[ROOMS.index(room) + 1 :]


@pytest.mark.parametrize("room", ROOMS)
def test_imports_follow_the_arrow(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(room)
        for name in imported(path)
        if name.split(".")[0] in rooms_above(room)
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_templates_follow_the_arrow(room: str) -> None:
    """Included or extended templates and loaded static files; addresses by name are no import."""
    named = re.compile(r"{%\s*(?:include|extends|static|load)\s+['\"]?([\w-]+)[/'\"\s]")
    wrong = [
        f"{path.relative_to(ROOT)} names {name}"
        for path in (ROOT / "templates" / room).rglob("*.html")
        for name in named.findall(path.read_text())
        if name in rooms_above(room)
    ]
    assert wrong == []


def test_only_regions_is_known_to_the_switchboard_by_import() -> None:
    """curation/config names rooms by string; the permission and the health pages stand below it."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / "curation/config").rglob("*.py")
        for name in imported(path)
        if name.split(".")[0] == "feeds"
    ]
    assert wrong == []


@pytest.mark.parametrize("noun", ["candidates", "groups", "offered", "bulk"])
def test_what_makes_candidates_knows_nothing_of_verbs(noun: str) -> None:
    """Editors' verbs make candidates by it (move, offer), and ingest stands above both: no circle."""
    names = imported(ROOT / "curation/ingest/storing" / f"{noun}.py")
    above = ("curation.operations", "curation.ingest.polling", "curation.ingest.links", "curation.ingest.storing.store")
    assert [name for name in names if name.startswith(above) or name == "curation"] == []


def test_only_the_door_imports_tweepy() -> None:
    doors = {
        path for room in ROOMS for path in modules(room) if any(n.split(".")[0] == "tweepy" for n in imported(path))
    }
    assert doors == {ROOT / "curation/x/client.py"}


def test_nobody_imports_psycopg_3() -> None:
    lines = (ROOT / "requirements.txt").read_text() + (ROOT / "requirements-dev.txt").read_text()
    assert not re.search(r"^psycopg(\[|=|<|>|$)", lines, re.MULTILINE)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_the_same_furniture(room: str) -> None:
    missing = [name for name in FURNITURE if not list((ROOT / room).glob(f"{name}*"))]
    assert missing == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_drawer_without_a_noun(room: str) -> None:
    assert [path.name for path in modules(room) if path.stem in FORBIDDEN] == []


@pytest.mark.parametrize("room", ROOMS)
def test_names_say_what_they_hold(room: str) -> None:
    """The glossary's forbidden words are no names of functions, classes or models."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules(room)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and node.name.lower() in FORBIDDEN
        and not (node.name == "handle" and "commands" in path.parts)
    ]
    assert wrong == []


def test_the_top_level_is_what_the_design_fixes() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if not listed:
        pytest.skip("not a git checkout")
    top = {line.split("/")[0] for line in listed.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL
