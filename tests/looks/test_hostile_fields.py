"""Hostile words in every text of every table: on whatever page shows them nothing runs, nothing is drawn as markup, and
a phone does not scroll sideways. `make test` looks at the desk, `make soak` at every page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from playwright.sync_api import Page

from regions.models import Category, Market
from tests.looks import test_looks as looks
from tests.looks.sights import ROOMS, Sight
from tests.looks.test_looks import PHONE, Visit, listed

visit, world, nobody_tried_before = looks.visit, looks.world, looks.nobody_tried_before
pytestmark = [looks.committed, pytest.mark.browser, pytest.mark.urls("tests.looks.urls")]

CORPUS = (
    "\"'><x-hostile></x-hostile><script>broken.push('ran')</script><img src=x onerror=broken.push('ran')>",
    "\u202e\u2067gro.elpmaxe\u202d links \u2066 rechts\u200b\u200d\ufeff offen",
    "".join(letter + "\u0301\u0316\u035b\u0489" * 12 for letter in "Zalgo"),
    "W" * 400,
    "{{ 7|add:7 }}{% debug %}${7*7}<%= 7 %>%s%(name)s{0}{name}",
    "javascript:broken.push('ran')//https://www.example.org/\u2028\u0001\u007f",
    "]]>--></title></style></textarea></template><x-hostile a='b\">'>&lt;b&gt;&#60;",
    "Теlеkоm раураl \u0435\u0301 ﷽𒐫 " + "😱👨‍👩‍👧‍👦🇩🇪" * 20,
)
# What is no text for people: addresses, codes and hashes that the product itself gives or reads.
CODES = {
    *("slug", "code", "username", "password", "language", "zone", "country", "lang", "theme", "key", "hash", "digest"),
    *("head", "path", "token", "uuid", "etag", "cursor", "locale", "checksum", "noun", "verb", "id"),
}
DRAWN = """() => [...document.querySelectorAll(
  "x-hostile, [onerror], [onload], [href^='javascript:' i], [src^='javascript:' i], [action^='javascript:' i]")]
  .map((one) => one.outerHTML.slice(0, 120))"""

WIDE = """() => [...document.body.querySelectorAll("*")].filter((one) =>
  one.getBoundingClientRect().right > innerWidth + 1
  && one.parentElement.getBoundingClientRect().right <= innerWidth + 1
  && !one.closest(".tabs, .markets, .rail")).map((one) => "wide: " + one.outerHTML.slice(0, 160)).slice(0, 6)"""


def texts() -> Iterator[models.Field[str, str]]:
    for model in (one for room in ("regions", "curation", "feeds") for one in apps.get_app_config(room).get_models()):
        for field in model._meta.concrete_fields:
            text = isinstance(field, models.CharField | models.TextField) and not isinstance(field, models.URLField)
            if text and not field.choices and not CODES & set(field.name.split("_")):
                yield field


def poison() -> int:
    """Each row of each table gets its own of these words; what the database refuses stays as it is. Gives how many."""
    changed = 0
    for at, field in enumerate(texts()):
        for row, pk in enumerate(list(field.model._base_manager.values_list("pk", flat=True))):
            words = (f"{pk} " * field.unique + CORPUS[(at + row) % len(CORPUS)])[: field.max_length or 3000]
            changed += written(field, pk, words)
    for place in (*Market.objects.all(), *Category.objects.all()):
        place.names = dict.fromkeys(place.names, CORPUS[place.pk % len(CORPUS)][:60])
        place.save(update_fields=["names"])
    return changed


def written(field: models.Field[str, str], pk: object, words: str) -> int:
    table, quote = field.model._meta, connection.ops.quote_name
    statement = f"UPDATE {quote(table.db_table)} SET {quote(field.column)} = %s WHERE {quote(table.pk.column)} = %s"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [words, pk])
            return cursor.rowcount
    except DatabaseError:
        return 0


def drawn(page: Page) -> list[str]:
    return [f"drawn as markup: {one}" for one in page.evaluate(DRAWN)]


def wrong_in(visit: Visit, sights: list[Sight]) -> list[tuple[str, str]]:
    """Each page as it opens; what is pressed there else goes by the words that stood there."""
    for sight in {(one.path, one.who): one for one in reversed(sights)}.values():
        try:
            visit.reach(replace(sight, then=None, seen="body"), ("light", PHONE))
        except AssertionError as trouble:
            visit.eye.found.append((sight.told, f"not reached: {str(trouble)[:200]}"))
            continue
        wide = visit.eye.too_wide()
        told = [*visit.eye.policy(), *wide, *(visit.eye.page.evaluate(WIDE) if wide else []), *drawn(visit.eye.page)]
        visit.eye.found += [(sight.told, one) for one in told]
    return visit.eye.found


@pytest.mark.long
@pytest.mark.parametrize("language", ["de"])
@pytest.mark.parametrize(
    "room", [pytest.param(room, marks=() if room == "desk" else pytest.mark.soak) for room in ROOMS]
)
def test_hostile_words_stay_words_on_every_page(visit: Visit, room: str) -> None:
    assert poison() > 100
    found = wrong_in(visit, ROOMS[room])
    assert not found, listed(found)
