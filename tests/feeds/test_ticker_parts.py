"""The names that host pages style the ticker by: documented, there, and of the house's vocabulary."""

import re

from django.conf import settings

ROOT = settings.BASE_DIR


def documented() -> list[str]:
    [names] = re.findall(r"Parts for `::part\(\)`: `([^`]+)`", (ROOT / "docs/ticker.md").read_text())
    return str(names).split()


def test_every_documented_part_is_a_class_of_the_module() -> None:
    module = (ROOT / "static/feeds/ticker.js").read_text()
    assert [name for name in documented() if not re.search(rf"[.\" ]{name}\b", module)] == []


def test_no_part_has_a_name_that_the_glossary_forbids() -> None:
    [never] = re.findall(r"Never used as names: ([^.]+)\.", (ROOT / "GLOSSARY.md").read_text())
    assert set(documented()) & set(never.split(", ")) == set()
