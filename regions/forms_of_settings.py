"""The form of a market's or a channel's settings, made from what `regions.tunable` says of them."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from regions import tunable
from regions.models import Change, Channel, Market
from regions.tunable import ASKED_FOR, HEAVIEST, OUT_OF_BOUNDS, PARTS, REASONS, WEIGHTS, Kind, Setting, grouped

WEIGHT = "weight_"


def number(least: int, most: int, kind: type[forms.IntegerField] = forms.IntegerField, **more: Any) -> forms.Field:
    told = str(OUT_OF_BOUNDS) % {"least": grouped(least), "most": grouped(most)}
    errors = dict.fromkeys(("required", "invalid", "min_value", "max_value"), told)
    return kind(min_value=least, max_value=most, error_messages=errors, **more)


def field_of(setting: Setting) -> forms.Field:
    match setting.kind:
        case Kind.FLAG:
            return forms.BooleanField(required=False)
        case Kind.CHOICE:
            return forms.ChoiceField(choices=Channel.Fallback.choices, widget=forms.RadioSelect)
        case Kind.REASONS:
            offered = [(slug, REASONS[slug]) for slug in ASKED_FOR]
            return forms.MultipleChoiceField(choices=offered, required=False, widget=forms.CheckboxSelectMultiple)
    return number(setting.least, setting.most)


class SettingsForm(forms.Form):
    """What the page shows and what was typed. `seen` is what the page showed, so that nobody is overwritten."""

    seen = forms.JSONField(required=False)

    def __init__(self, place: Market | Channel, sent: QueryDict | None = None) -> None:
        self.place, self.values = place, tunable.values_of(place)
        super().__init__(sent, initial=as_typed(self.values))
        for setting in tunable.settings_of(place):
            if setting.kind == Kind.WEIGHTS:
                for name in WEIGHTS:
                    self.fields[WEIGHT + name] = number(0, HEAVIEST, forms.FloatField, required=False)
            else:
                self.fields[setting.name] = field_of(setting)

    def wanted(self) -> dict[str, Any]:
        """The values by name, of a valid form. A weight that is left empty is inherited."""
        told = {name: value for name, value in self.cleaned_data.items() if name != "seen"}
        weights = {name: told.pop(WEIGHT + name) for name in WEIGHTS}
        return told | {"rank_weights": {name: value for name, value in weights.items() if value is not None}}

    def was_seen(self) -> dict[str, Any]:
        """What the page showed; of what it does not tell, nothing."""
        given = self.cleaned_data.get("seen")
        return {name: given[name] for name in self.values if name in given} if isinstance(given, dict) else {}


def as_typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as the form's fields hold them."""
    weights = values["rank_weights"]
    told = {name: value for name, value in values.items() if name != "rank_weights"}
    return told | {WEIGHT + name: plain(weights[name]) for name in WEIGHTS if name in weights}


def as_sent(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a browser sends the form: a box that is not ticked is left out."""
    told = {name: "on" if value is True else value for name, value in as_typed(values).items()}
    return {name: value for name, value in told.items() if value is not False}


def agreement(changed: Mapping[str, Any], leaves: Mapping[str, int]) -> str:
    """What the button sends that a lead presses after reading what a wish does: it agrees to this, no more."""
    told = json.dumps([dict(changed), dict(leaves)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass
class Line:
    """A setting on its page: its fields, what is usual, who changed it, what is wrong. `theirs` is what another lead
    set meanwhile."""

    setting: Setting
    fields: list[BoundField]
    usual: str
    changes: list[tuple[Change, str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    theirs: str = ""
    last: Change | None = None

    @property
    def many(self) -> bool:
        """Whether its fields stand in a group of their own."""
        return self.setting.kind in (Kind.CHOICE, Kind.REASONS, Kind.WEIGHTS)


@dataclass(frozen=True)
class Weight:
    """A part of the rank on the page: `inherited` is what holds where its field is empty."""

    field: BoundField
    name: Any
    help: Any
    inherited: str


def lines_of(form: SettingsForm, changes: list[Change]) -> list[Line]:
    """The page's settings in their order."""
    return [_line(form, setting, changes) for setting in tunable.settings_of(form.place)]


def _line(form: SettingsForm, setting: Setting, changes: list[Change]) -> Line:
    weighs = setting.kind == Kind.WEIGHTS
    fields = [form[WEIGHT + name] for name in WEIGHTS] if weighs else [form[setting.name]]
    own = [(one, *told_of(one, setting)) for one in changes if setting.name in one.after]
    wrong = [] if weighs else [str(error) for error in fields[0].errors]
    return Line(setting, fields, words_of(setting, tunable.usual(form.place, setting.name)), own, wrong)


def weights_of(form: SettingsForm) -> list[Weight]:
    """The parts of the rank, named as the cards name them."""
    beneath = tunable.inherited_weights(form.place)
    return [Weight(form[WEIGHT + name], *PARTS[name], grouped(beneath[name])) for name in WEIGHTS]


def told_of(change: Change, setting: Setting) -> tuple[str, str]:
    """What a setting was before a change and after it, in words."""
    before, after = (words_of(setting, read_back(one.get(setting.name))) for one in (change.before, change.after))
    return before, after


def read_back(kept: Any) -> Any:
    """A value as the log of changes keeps it: in Python's words."""
    try:
        return ast.literal_eval(str(kept))
    except (ValueError, SyntaxError):
        return kept


def words_of(setting: Setting, value: Any) -> str:
    """A setting's value as a reader's language has it."""
    match setting.kind, value:
        case Kind.FLAG, _any:
            return pgettext("a setting", "on") if value else pgettext("a setting", "off")
        case Kind.CHOICE, _any:
            return str(dict(Channel.Fallback.choices).get(value, value))
        case Kind.REASONS, list() | tuple():
            return ", ".join(str(REASONS.get(slug, slug)) for slug in value) or _("all")
        case Kind.WEIGHTS, dict():
            return ", ".join(f"{PARTS[name][0]} {grouped(one)}" for name, one in value.items() if name in PARTS) or "–"
    return grouped(value) if tunable.is_number(value) else str(value)


def plain(value: float) -> float:
    """Without a fraction where there is none."""
    return int(value) if value == int(value) else value


def seen_json(values: Mapping[str, Any]) -> str:
    """What a page shows, for its hidden field."""
    return json.dumps(dict(values), sort_keys=True)


def typed_weights(form: SettingsForm) -> Iterator[str]:
    """What is wrong with weights, each with its part's name."""
    for name in WEIGHTS:
        for error in form[WEIGHT + name].errors:
            yield f"{PARTS[name][0]}: {error}"
