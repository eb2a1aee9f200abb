"""The files that posts are made of hold together."""

import re

import pytest

from curation.x.simulator import accounts, lists
from curation.x.simulator.accounts import CATEGORIES, LANGUAGES, VERIFIED_TYPES, seeded
from curation.x.simulator.entities import length, pieces
from curation.x.simulator.texts import SLOT, Filler, Language, Template, languages

SPOKEN = languages()


def test_all_languages_are_there() -> None:
    assert tuple(SPOKEN) == LANGUAGES
    assert all(len(xlist.members) >= 3 for xlist in lists())


def test_accounts_are_distinct_and_well_formed() -> None:
    found = accounts()
    assert len({account.username.lower() for account in found}) == len(found) == len({a.id for a in found})
    for account in found:
        assert re.fullmatch(r"[A-Za-z0-9_]{4,15}", account.username), account.username
        assert account.category in CATEGORIES and account.verified_type in VERIFIED_TYPES, account.username
        assert len(str(account.id)) in (18, 19) and account.id < 2**63
        assert len(account.name) <= 50 and len(account.description) <= 160, account.username


def templates(language: Language) -> list[Template]:
    return [template for found in language.templates.values() for template in found]


@pytest.mark.parametrize("language", SPOKEN.values(), ids=list(SPOKEN))
def test_texts_can_be_filled(language: Language) -> None:
    names = {account.username for account in language.accounts}
    for template in templates(language):
        filler = Filler(language.fills, seeded(template.text))
        said = [filler.fill(text) for text in (template.text, template.alt, *template.poll)]
        assert not [text for text in said if SLOT.search(text)], template.text
        assert not template.by or template.by in names, template.text
        assert not template.poll or 2 <= len(template.poll) <= 4, template.text
        assert all(len(option) <= 25 for option in said[2:]), template.text
        assert not template.media or template.alt, template.text


@pytest.mark.parametrize("language", SPOKEN.values(), ids=list(SPOKEN))
def test_links_lead_to_invented_places(language: Language) -> None:
    for template in templates(language):
        for link in re.findall(r"https?://([^/\s]+)", template.text):
            assert link.endswith(".example"), template.text


@pytest.mark.parametrize("language", SPOKEN.values(), ids=list(SPOKEN))
def test_enough_different_texts(language: Language) -> None:
    texts = [template.text for template in templates(language)]
    assert len(set(texts)) == len(texts) >= 100
    short = [text for text in texts if length(pieces(SLOT.sub("x", text), 1, lambda name: None)) <= 280]
    assert len(short) >= 0.9 * len(texts)
