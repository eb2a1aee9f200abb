"""Translations are compiled without gettext, and only when they changed."""

import gettext
import os
from pathlib import Path

import pytest

from curation.config.demo.catalogues import compile_changed
from curation.config.demo.trouble import Trouble

PO = """
#, fuzzy
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2);\\n"

msgid "Block"
msgstr "Blokiraj"

#, fuzzy
msgid "Undo"
msgstr "Vjerojatno krivo"

msgid "%(n)s tweet"
msgid_plural "%(n)s tweets"
msgstr[0] "%(n)s objava"
msgstr[1] "%(n)s objave"
msgstr[2] "%(n)s objava"
"""


@pytest.fixture
def po(tmp_path: Path) -> Path:
    file = tmp_path / "hr/LC_MESSAGES/django.po"
    file.parent.mkdir(parents=True)
    file.write_text(PO, encoding="utf-8")
    return file


def test_compiled_texts_and_plurals_are_read_by_gettext(po: Path) -> None:
    compile_changed(po.parents[2])
    known = gettext.translation("django", po.parents[2], ["hr"])
    assert known.gettext("Block") == "Blokiraj"
    assert [known.ngettext("%(n)s tweet", "%(n)s tweets", n) for n in (1, 3)] == ["%(n)s objava", "%(n)s objave"]
    assert known.gettext("Undo") == "Undo"


def test_only_what_changed_is_compiled(po: Path) -> None:
    assert compile_changed(po.parents[2]) == [po]
    assert compile_changed(po.parents[2]) == []
    later = po.with_suffix(".mo").stat().st_mtime_ns + 1
    os.utime(po, ns=(later, later))
    assert compile_changed(po.parents[2]) == [po]


def test_a_broken_one_is_named(po: Path) -> None:
    po.write_text('msgid "Block"\nnonsense', encoding="utf-8")
    with pytest.raises(Trouble, match=r"django\.po is not valid"):
        compile_changed(po.parents[2])
