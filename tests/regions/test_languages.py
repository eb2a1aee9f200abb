"""Days and quotation marks stand as each language writes them."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone, translation

from regions.clocks import moment
from regions.words import QUOTES, in_quotes

AT = datetime(2026, 11, 20, 13, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "day", "with_year"),
    [
        ("en", "November 20, 14:02", "Nov. 20, 2026, 14:02"),
        ("de", "20. November, 14:02", "20. November 2026, 14:02"),
        ("nl", "20 november, 14:02", "20 november 2026, 14:02"),
        ("el", "20 Νοεμβρίου, 14:02", "20/11/2026, 14:02"),
        ("ro", "20 Noiembrie, 14:02", "20 Noiembrie 2026, 14:02"),
        ("hr", "20. studenoga, 14:02", "20. studenoga 2026., 14:02"),
    ],
)
def test_a_moment(language: str, day: str, with_year: str) -> None:
    with translation.override(language), timezone.override("Europe/Berlin"):
        assert (moment(AT), moment(AT, year=True)) == (day, with_year)
        assert moment(AT, seconds=True) == f"{day}:03"


def test_no_page_writes_days_by_one_language_s_pattern() -> None:
    wrong = [
        str(page)
        for page in (Path(settings.BASE_DIR) / "templates").rglob("*.html")
        if re.search(r"\|date:.[djDnmM]+[. ]", page.read_text())
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "“so”"), ("de", "„so“"), ("nl", "‘so’"), ("el", "«so»"), ("ro", "„so”"), ("hr", "„so”")],
)
def test_words_in_quotes(language: str, told: str) -> None:
    with translation.override(language):
        assert in_quotes("so") == told


def test_the_log_s_own_quotes_are_the_same() -> None:
    css = (Path(settings.BASE_DIR) / "static/curation/log.css").read_text()
    rules = re.findall(r'^(.*lang\(.*) q \{ quotes: "(.)" "(.)"; \}', css, re.MULTILINE)
    told = {
        language: f"{before}{after}" for led, before, after in rules for language in re.findall(r"lang\((\w+)", led)
    }
    assert told == QUOTES
