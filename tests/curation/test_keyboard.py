"""The keys of the desk: which there are, which a person may choose, what is left when they are switched off."""

import json
import re
from collections.abc import Mapping
from html import escape, unescape
from typing import Any

import pytest
from django.utils import translation

from curation import keyboard, operations
from curation.keyboard import ACTS, DEFAULTS, BadKey, bindings, choose, chosen, clashes, read, shown
from regions.models import Channel, User
from tests.cast import make_candidate


def test_the_acts_and_their_keys_are_those_of_the_design() -> None:
    assert DEFAULTS == {
        "next": "j", "previous": "k", "approve": "a", "pin": "p", "block": "b", "block_reason": "Shift+b", "skip": "s",
        "undo": "z", "select": "x", "schedule": "e", "context": "c", "move": "m", "open": "o", "history": "h",
        "search": "/", "help": "?",
    }  # fmt: skip
    assert clashes(DEFAULTS) == {}
    assert {act: read(key) for act, key in DEFAULTS.items()} == DEFAULTS


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("a", "a"), ("A", "a"), (" y ", "y"), ("", ""), ("  ", ""), ("Shift+b", "Shift+b"), ("shift+B", "Shift+b"),
        ("Shift+ b", "Shift+b"), ("č", "č"), ("Ö", "ö"), (",", ","), ("+", "+"), ("ψ", "c"), ("Ω", "v"),
        ("Shift+β", "Shift+b"),
    ],
)  # fmt: skip
def test_a_key_is_kept_as_keyboards_say_it(typed: str, key: str) -> None:
    assert read(typed) == key


@pytest.mark.parametrize(
    "typed", ["ab", "1", "0", "٣", "Shift+1", "Shift+?", "Shift+ab", "Ctrl+k", "\x07", "Shift+č", "F1"]
)
def test_what_is_no_key_is_refused_in_words(typed: str) -> None:
    with pytest.raises(BadKey) as refused:
        read(typed)
    assert str(refused.value).endswith(".")


def test_acts_with_one_key_name_each_other() -> None:
    keys = DEFAULTS | {"pin": "a", "skip": "", "select": ""}
    assert clashes(keys) == {"approve": "pin", "pin": "approve"}


def test_only_what_differs_is_kept(anna: User) -> None:
    choose(anna, DEFAULTS | {"approve": "y", "skip": ""}, off=False)
    anna.refresh_from_db()
    assert anna.keys == {"own": {"approve": "y", "skip": ""}}
    assert bindings(anna) == {act: key for act, key in (DEFAULTS | {"approve": "y"}).items() if act != "skip"}
    choose(anna, DEFAULTS, off=False)
    assert anna.keys == {}


def test_switched_off_there_are_none_and_they_are_not_lost(anna: User) -> None:
    choose(anna, DEFAULTS | {"approve": "y"}, off=True)
    anna.refresh_from_db()
    assert (bindings(anna), keyboard.switched_off(anna), chosen(anna)["approve"]) == ({}, True, "y")
    choose(anna, chosen(anna), off=False)
    assert bindings(anna)["approve"] == "y"


@pytest.mark.parametrize("kept", [[], "a", {"own": ["a"]}, {"own": {"approve": 7, "nap": "n", "pin": "12"}}, None])
def test_what_is_kept_and_unusable_counts_as_not_chosen(kept: Any) -> None:
    assert bindings(User(keys=kept)) == DEFAULTS


def test_a_default_that_another_act_took_is_none() -> None:
    """So a new act of a later version never takes a key that somebody uses."""
    assert bindings(User(keys={"own": {"approve": "h"}})) == {
        act: "h" if act == "approve" else key for act, key in DEFAULTS.items() if act != "history"
    }


def test_keys_read_as_they_are_printed() -> None:
    assert [shown(key) for key in ("a", "Shift+b", "/", "?", "č")] == ["A", "⇧B", "/", "?", "Č"]


def test_every_act_is_told_in_words() -> None:
    with translation.override("en"):
        assert [act for act, shortcut in ACTS.items() if not str(shortcut.label)] == []


DESK = "/desk/de/politics/"


ALWAYS = {"Ctrl K", "↑", "↓", "↵", "Esc"}  # no single characters


def legends(html: str) -> set[str]:
    """The single keys that the page shows beside its buttons, without those of the sheet."""
    beside = re.sub(r'<dialog class="keys-card".*?</dialog>', "", html, flags=re.DOTALL)
    return set(re.findall(r"<kbd>(.*?)</kbd>", beside)) - ALWAYS


def printed(keys: Mapping[str, str]) -> set[str]:
    return {escape(shown(key)) for key in keys.values()} | set("0123456789")


def sheet(html: str) -> dict[str, str]:
    """The sheet of keys: act -> what stands before its words."""
    lines = re.findall(r'<div data-key-of="(\w+)"><dt>(.*?)</dt>', html)
    return {act: " ".join(re.findall(r"<kbd>(.*?)</kbd>", keys)) for act, keys in lines}


def keys_told(html: str) -> dict[str, str]:
    told: dict[str, str] = json.loads(unescape(re.findall(r'<body[^>]* data-keys="(.*?)"', html)[0]))
    return told


def test_the_desk_shows_the_keys(browse: Any, anna: User, de_politics: Channel) -> None:
    operations.block(make_candidate(de_politics), by=anna, version=1)
    make_candidate(de_politics)
    html = browse(anna).get(DESK).content.decode()
    assert keys_told(html) == DEFAULTS
    assert {"0", "4", "A", "B", "P", "O", "Z", "?"} <= legends(html) <= printed(DEFAULTS)
    told = sheet(html)
    assert (told["next"], told["previous"], told["block_reason"]) == ("J ↓", "K ↑", "⇧B")
    assert set(told) == {*DEFAULTS, "digits", "palette"}


def test_the_desk_shows_the_persons_own_keys(browse: Any, anna: User, de_politics: Channel) -> None:
    make_candidate(de_politics)
    choose(anna, DEFAULTS | {"approve": "y", "pin": "Shift+p", "open": "", "block": '"'}, off=False)
    html = browse(anna).get(DESK).content.decode()
    own = keys_told(html)
    assert (own["approve"], own["pin"], own["block"], "open" in own) == ("y", "Shift+p", '"', False)
    assert {"0", "4", "Y", "⇧P", "&quot;", "?"} <= legends(html) <= printed(own)
    assert not {"A", "P", "B", "O"} & legends(html)
    assert 'value="approve" aria-keyshortcuts="y"' in html
    assert "open" not in sheet(html)


def test_switched_off_the_desk_shows_none(browse: Any, anna: User, de_politics: Channel) -> None:
    operations.block(make_candidate(de_politics), by=anna, version=1)
    make_candidate(de_politics)
    choose(anna, DEFAULTS, off=True)
    html = browse(anna).get(DESK).content.decode()
    assert (keys_told(html), legends(html)) == ({}, set())
    assert sheet(html) == {"next": "↓", "previous": "↑", "palette": "Ctrl K"}
    assert "Single keys are switched off in your profile." in html
    assert set(re.findall(r'aria-keyshortcuts="([^"]*)"', html)) <= {"Escape", "Control+K"}


def test_answers_show_the_persons_own_keys_too(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    choose(anna, DEFAULTS | {"undo": "u"}, off=False)
    wish = {"verb": "block", "version": 1}
    html = browse(anna).post(f"{DESK}candidates/{candidate.pk}/", wish, headers={"HX-Request": "true"}).content.decode()
    assert 'aria-keyshortcuts="u"' in html
    assert "<kbd>U</kbd>" in html
