"""The acts of the desk's keyboard: their keys, and the keys a person gave them instead.

A key is one printable character, "Shift+b" for a shifted letter. Digits change the category. Arrows always move, and
Ctrl+K always opens the palette: neither stands here, since WCAG 2.1.4 asks only that single characters can be
changed or switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from regions.models import User

SHIFT = "Shift+"
OFF, OWN = "off", "own"  # of User.keys: {"off": bool, "own": {act: key, "" for none}}
# Where a Greek keyboard has its letters: the desk takes those for the Latin ones in the same place.
GREEK = str.maketrans("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm")


class BadKey(ValueError):
    """What cannot be a key, in a sentence for the person."""


@dataclass(frozen=True)
class Shortcut:
    """One act: its key unless the person has another, and what it does in a few words."""

    key: str
    label: str | Promise


ACTS: dict[str, Shortcut] = {
    "next": Shortcut("j", _("next post")),
    "previous": Shortcut("k", _("previous post")),
    "approve": Shortcut("a", _("approve")),
    "pin": Shortcut("p", _("pin")),
    "block": Shortcut("b", _("block")),
    "block_reason": Shortcut("Shift+b", _("block with a reason")),
    "skip": Shortcut("s", _("skip")),
    "undo": Shortcut("z", _("undo")),
    "select": Shortcut("x", _("select")),
    "schedule": Shortcut("e", _("schedule")),
    "context": Shortcut("c", _("context line")),
    "move": Shortcut("m", _("move to a category")),
    "open": Shortcut("o", _("open at X")),
    "history": Shortcut("h", _("what you did last")),
    "search": Shortcut("/", _("search")),
    "help": Shortcut("?", _("these keys")),
}
DEFAULTS = {act: shortcut.key for act, shortcut in ACTS.items()}


def read(typed: str) -> str:
    """The key someone typed, as it is kept; empty for none. Raises BadKey."""
    told = typed.strip()
    shifted = told.lower().startswith(SHIFT.lower()) and len(told) > len(SHIFT)
    key = (told[len(SHIFT) :].strip() if shifted else told).lower().translate(GREEK)
    if not key:
        return ""
    if len(key) != 1 or not key.isprintable():
        raise BadKey(_("One character, or Shift+ and a letter."))
    if key.isdecimal():
        raise BadKey(_("Digits change the category."))
    if shifted and not (key.isascii() and key.isalpha()):
        raise BadKey(_("Shift+ goes with a letter from A to Z."))
    return SHIFT + key if shifted else key


def clashes(keys: Mapping[str, str]) -> dict[str, str]:
    """The acts whose key another act has too, each with the first other one."""
    holders: dict[str, list[str]] = {}
    for act, key in keys.items():
        holders.setdefault(key, []).append(act)
    return {
        act: next(other for other in acts if other != act)
        for key, acts in holders.items()
        if key and len(acts) > 1
        for act in acts
    }


def switched_off(user: User) -> bool:
    """Whether someone works without single keys."""
    return bool(kept(user).get(OFF))


def chosen(user: User) -> dict[str, str]:
    """Every act with its key, empty for none, whether single keys are on or off.

    What was kept and is unusable by now counts as not chosen; a default that someone gave to another act is none."""
    own = {act: key for act, key in kept(user).get(OWN, {}).items() if act in ACTS and is_key(key)}
    taken = set(own.values())
    return {act: own.get(act, "" if key in taken else key) for act, key in DEFAULTS.items()}


def bindings(user: User) -> dict[str, str]:
    """Act -> key, of the acts that have one; empty where single keys are switched off."""
    return {} if switched_off(user) else {act: key for act, key in chosen(user).items() if key}


def choose(user: User, keys: Mapping[str, str], *, off: bool) -> None:
    """Keeps what differs from the defaults. `keys` are as `read` gave them, without clashes."""
    own = {act: key for act, key in keys.items() if act in ACTS and key != DEFAULTS[act]}
    user.keys = ({OFF: True} if off else {}) | ({OWN: own} if own else {})
    user.save(update_fields=["keys"])


def shown(key: str) -> str:
    """A key as it is printed on keyboards: "A", "⇧B"."""
    return f"⇧{key[len(SHIFT) :].upper()}" if key.startswith(SHIFT) else key.upper()


def kept(user: User) -> dict[str, Any]:
    return user.keys if isinstance(user.keys, dict) and isinstance(user.keys.get(OWN, {}), dict) else {}


def is_key(key: Any) -> bool:
    try:
        return isinstance(key, str) and read(key) == key
    except BadKey:
        return False
