"""What a person may prefer: language, time zone, theme, keys, folded columns."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.db.models import F, JSONField, Value
from django.db.models.expressions import CombinedExpression
from django.forms.boundfield import BoundField
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from curation import keyboard
from curation.keyboard import ACTS, BadKey
from regions.models import User

COLUMNS = ("live", "phone", "rail")
FOLDED, OPEN = {"1", "true", "on"}, {"0", "false"}
LONGEST_KEY = 12  # "Shift + b" with room for a slip
LEGACY = {"Etc", "SystemV", "US", "Brazil", "Canada", "Chile", "Mexico"}  # old names of zones that have another
Zones = list[tuple[str, list[tuple[str, str]]]]


@cache
def zones() -> Zones:
    """The IANA zones by area, Europe first: [("Europe", [("Europe/Berlin", "Berlin"), ...]), ...]."""
    areas: dict[str, list[tuple[str, str]]] = {"Europe": []}
    for name in sorted(available_timezones()):
        area, _slash, place = name.partition("/")
        if place and area not in LEGACY:
            areas.setdefault(area, []).append((name, place.replace("_", " ").replace("/", " / ")))
    return [*areas.items(), ("UTC", [("UTC", "UTC")])]


def zone_choices(own: str) -> list[tuple[str, Any]]:
    """What a person may choose: the zones, and their own where it has an old name."""
    known = {name for area in zones() for name, *place in area[1]}
    return [("", _("as the market")), *([(own, own)] if own and own not in known else []), *zones()]


def tongues() -> list[tuple[str, str]]:
    """The languages, each by its own name."""
    return [(code, get_language_info(code)["name_local"].capitalize()) for code, _name in settings.LANGUAGES]


class ProfileForm(forms.ModelForm):
    """The whole page as one form, so that a refusal loses nothing. Each act has a field `key_<act>`."""

    time_zone = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": gettext_lazy("There is no such time zone.")}
    )
    off = forms.BooleanField(required=False)

    class Meta:
        model = User
        fields = ("language", "time_zone", "theme")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [("", _("as the browser")), *tongues()]  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = zone_choices(self.instance.time_zone)  # type: ignore[attr-defined]
        self.initial["off"] = keyboard.switched_off(self.instance)
        for name in ("language", "time_zone", "theme"):
            self.fields[name].widget.attrs["class"] = "field"
        for act, key in keyboard.chosen(self.instance).items():
            self.fields[f"key_{act}"] = KeyField(label=ACTS[act].label, required=False, initial=key)

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        for act, other in keyboard.clashes(self.keys()).items():
            self.add_error(f"key_{act}", _("“%(act)s” has this key too.") % {"act": ACTS[other].label})
        return told

    def keys(self) -> dict[str, str]:
        """Act -> key of all acts whose field is in order."""
        return {act: self.cleaned_data[name] for act in ACTS if (name := f"key_{act}") in self.cleaned_data}

    def key_fields(self) -> Iterator[tuple[str, BoundField]]:
        """Each act with its field, in the order of the sheet."""
        return ((act, self[f"key_{act}"]) for act in ACTS)

    def keep(self) -> None:
        """Everything as it was sent."""
        self.save()
        keyboard.choose(self.instance, self.keys(), off=self.cleaned_data["off"])


class KeyField(forms.CharField):
    """A key as `keyboard.read` takes it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_KEY, strip=False, **kwargs)
        self.widget.attrs |= {"class": "field", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        self.error_messages["max_length"] = _("One character, or Shift+ and a letter.")

    def clean(self, value: Any) -> str:
        try:
            return keyboard.read(super().clean(value))
        except BadKey as refusal:
            raise forms.ValidationError(str(refusal)) from None


class FoldForm(forms.Form):
    """One column of the desk, and whether it is folded."""

    column = forms.ChoiceField(choices=[(column, column) for column in COLUMNS])
    folded = forms.ChoiceField(choices=[(said, said) for said in FOLDED | OPEN], required=False)

    def told(self) -> tuple[str, bool]:
        """(column, whether it is folded) of a valid form; without a word it is open."""
        return self.cleaned_data["column"], self.cleaned_data["folded"] in FOLDED


def fold(user: User, column: str, *, folded: bool) -> None:
    """Remembers one column; in one statement, so that two at a time both stay."""
    changed = CombinedExpression(F("layout"), "||", Value({column: folded}, JSONField()), output_field=JSONField())
    User.objects.filter(pk=user.pk).update(layout=changed)
