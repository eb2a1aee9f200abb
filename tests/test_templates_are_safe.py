"""Pages hold under a strict policy, and no foreign text becomes markup: what is banned everywhere."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SOURCES = [path for room in ("regions", "curation", "feeds") for path in sorted((ROOT / room).rglob("*.py"))]
BANNED = {
    "inline script": r"<script(?![^>]*\bsrc=)",
    "inline style": r"<style|\sstyle\s*=",
    "event attribute": r"\son[a-z]+\s*=",
    "hx-on": r"hx-on",
    "script in a value": r"(?:^|[\"'\s])(?:js|javascript):",
    "trigger filter": r"hx-trigger=\"[^\"]*\[",
    "hx-vals with js": r"hx-vals=[\"']\s*js",
    "unescaped text": r"\|\s*safe\b|\{%\s*autoescape\s+off",
    "sequence unescaped": r"\|\s*safeseq\b",
}
UNSAFE = {"mark_safe", "SafeString", "SafeText", "html_safe"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_template_holds_nothing_banned(path: Path) -> None:
    text = path.read_text()
    assert [what for what, pattern in BANNED.items() if re.search(pattern, text, re.I)] == []


@pytest.mark.parametrize(
    "text",
    [
        "<script>run()</script>",
        '<p style="color: red">',
        '<a onclick="x()">',
        '<a hx-on:click="x()">',
        '<a href="javascript:x()">',
        '<a hx-trigger="keyup[key==1]">',
        '<p hx-vals="js:{}">',
        "{{ text|safe }}",
    ],
)
def test_what_is_banned_would_be_found(text: str) -> None:
    assert [what for what, pattern in BANNED.items() if re.search(pattern, text, re.I)] != []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_calls_nothing_safe_that_is_not(path: Path) -> None:
    """`format_html` escapes what it is given; the functions that do not are called nowhere."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = {getattr(call, "id", getattr(call, "attr", "")) for call in calls}
    assert names & UNSAFE == set()


def test_format_html_is_never_given_a_made_up_pattern() -> None:
    """Its first argument is a literal, else it would escape nothing of it."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "format_html":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"


def test_htmx_is_told_to_be_careful() -> None:
    page = (ROOT / "templates/curation/desk.html").read_text()
    for setting in ('"allowEval": false', '"includeIndicatorStyles": false', '"selfRequestsOnly": true'):
        assert setting in page


def test_no_template_is_too_long() -> None:
    assert [path.name for path in TEMPLATES if len(path.read_text().splitlines()) > 60] == []
