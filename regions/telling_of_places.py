"""The log of markets, categories and settings, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from regions.forms_of_settings import read_back, words_of
from regions.models import Category, Change, Channel, Market
from regions.telling import Told, by_of
from regions.tunable import OF_CHANNEL, OF_MARKET

NOUNS = ("market", "category", "channel")
VERBS = {
    "add": gettext_lazy("%(name)s added"),
    "switch_on": gettext_lazy("%(name)s switched on"),
    "switch_off": gettext_lazy("%(name)s switched off"),
    "change": gettext_lazy("%(name)s changed: %(what)s"),
}
SETTINGS = {setting.name: setting for setting in (*OF_MARKET, *OF_CHANNEL)}


def told_of(changes: Iterable[Change]) -> list[Told]:
    """What was changed of markets, categories and channels; each line reads what it is called now."""
    rows = list(changes)
    named = {(one.noun, one.noun_id): "" for one in rows}
    for noun, model in (("market", Market), ("category", Category), ("channel", Channel)):
        ids = [pk for kind, pk in named if kind == noun]
        found: Any = model._default_manager.filter(pk__in=ids)
        found = found.select_related("market", "category") if model is Channel else found
        named |= {(noun, one.pk): called(one) for one in found}
    return [Told(sentence_of(one, named), by_of(one), one.at) for one in rows]


def called(noun: Market | Category | Channel) -> str:
    if isinstance(noun, Channel):
        return str(noun)
    return f"{noun.code.upper()} {noun.name}" if isinstance(noun, Market) else noun.name


def sentence_of(change: Change, named: dict[tuple[str, int], str]) -> str:
    name = named.get((change.noun, change.noun_id)) or _("something that is gone")
    told = str(VERBS.get(change.verb, change.verb))
    return told % {"name": name, "what": "; ".join(differences(change))} if "%" in told else told


def differences(change: Change) -> Iterator[str]:
    """Each field with what it was and what it is, as its page calls it."""
    for name, was in change.before.items():
        setting, is_now = SETTINGS.get(name), change.after.get(name)
        if setting:
            yield f"{setting.label}: {words_of(setting, read_back(was))} → {words_of(setting, read_back(is_now))}"
        else:
            yield f"{label_of(change, name)}: {plainly(was)} → {plainly(is_now)}"


def label_of(change: Change, name: str) -> str:
    model: Any = Market if change.noun == "market" else Category
    known = {one.name: one for one in model._meta.fields}
    return str(known[name].verbose_name) if name in known else name


def plainly(value: Any) -> str:
    """What the log keeps of a field: names by language, a list of codes, a word."""
    if isinstance(value, dict):
        return ", ".join(f"{code} {word}" for code, word in value.items()) or "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value) or "–"
