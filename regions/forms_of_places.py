"""The forms of markets and categories: what a chief types, and the sentence where it cannot be."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.http import QueryDict
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from regions.models import Category, Market
from regions.models.places import CATEGORY_SLUG, MARKET_CODE, RESERVED_SLUGS
from regions.words import unusable

NAME = "name_"
OF_X = ("xx", "xy")  # X's words for "everywhere", no countries
LEGACY = {"Etc", "SystemV", "US", "Brazil", "Canada", "Chile", "Mexico", "posix", "right"}
NEEDED = {"required": _("This is needed.")}
LAST = 32_767
RESERVED = (*RESERVED_SLUGS, "add")  # the last is an address of the pages of categories
Choices = list[tuple[str, Any]]


@cache
def zones() -> Choices:
    """The IANA zones by area, Europe first."""
    areas: dict[str, list[tuple[str, str]]] = {"Europe": []}
    for name in sorted(available_timezones()):
        area, slash, place = name.partition("/")
        if slash and area not in LEGACY:
            areas.setdefault(area, []).append((name, place.replace("_", " ").replace("/", " / ")))
    return [*areas.items()]


def tongues() -> list[tuple[str, str]]:
    """The languages of the pages, each by its own name."""
    return [(code, str(get_language_info(code)["name_local"]).capitalize()) for code, _name in settings.LANGUAGES]


class Ticked(forms.ModelMultipleChoiceField):
    """Boxes of categories or markets, by their names."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, noun: Any) -> str:
        return f"{noun.code.upper()} {noun.name}" if isinstance(noun, Market) else str(noun.name)


class NamedForm(forms.Form):
    """A name in each language of the pages; where one is empty the English name is shown."""

    position = forms.IntegerField(
        min_value=0,
        max_value=LAST,
        required=False,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), _("A number from 0.")),
    )

    def __init__(self, noun: Any, sent: QueryDict | None = None, **initial: Any) -> None:
        self.noun = noun
        names = {NAME + code: word for code, word in (noun.names or {}).items()}
        super().__init__(sent, initial=names | {"position": noun.position if noun.pk else ""} | initial)
        for code, name in tongues():
            needed = code == "en"
            field = forms.CharField(max_length=60, required=needed, label=name, error_messages=NEEDED)
            self.fields[NAME + code] = field

    def tongues(self) -> list[forms.BoundField]:
        return [self[NAME + code] for code, _name in tongues()]

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        for name, word in list(told.items()):
            if name.startswith(NAME) and unusable(word):
                self.add_error(name, _("One line of plain words."))
        return told

    def named(self) -> dict[str, Any]:
        """The fields that every noun with a name has."""
        names = {code: word for code, _name in tongues() if (word := self.cleaned_data[NAME + code].strip())}
        given = self.cleaned_data["position"]
        return {"names": names, "position": self.next_position() if given is None else given}

    def next_position(self) -> int:
        """Where it stands, or behind all others."""
        if self.noun.pk:
            return int(self.noun.position)
        last = type(self.noun)._default_manager.aggregate(last=Max("position"))["last"]
        return min(LAST, last + 1) if last is not None else 0


class MarketForm(NamedForm):
    """A market. The code stays once it is given: it stands in the addresses of its feeds."""

    code = forms.CharField(max_length=10, error_messages=NEEDED)
    country = forms.CharField(max_length=10, error_messages=NEEDED)
    languages = forms.CharField(max_length=60, error_messages=NEEDED)
    time_zone = forms.ChoiceField(error_messages=NEEDED | {"invalid_choice": _("There is no such time zone.")})
    categories = Ticked(
        Category.objects.all(), error_messages={"required": _("A market needs a category, so that it has a desk.")}
    )

    def __init__(self, market: Market, sent: QueryDict | None = None) -> None:
        told: dict[str, Any] = {"languages": ", ".join(market.languages or []), "country": market.country}
        if market.pk:
            active = market.channel_set.filter(active=True)
            told |= {"time_zone": market.time_zone, "categories": active.values_list("category", flat=True)}
        super().__init__(market, sent, **told)
        own = [(market.time_zone, market.time_zone)] if market.time_zone else []
        known = {name for _area, places in zones() for name, _place in places}
        self.fields["time_zone"].choices = [  # type: ignore[attr-defined]
            ("", _("choose")), *(one for one in own if one[0] not in known), *zones()
        ]  # fmt: skip
        if market.pk:
            del self.fields["code"]

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"].strip().lower()
        MARKET_CODE(code)
        if Market.objects.filter(code=code).exists():
            raise ValidationError(_("There is a market with this code already."))
        return code

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"].strip().upper()
        if not re.fullmatch(r"[A-Z]{2}", country) or country.lower() in OF_X:
            raise ValidationError(_("The two letters of a country, such as AT."))
        return country

    def clean_languages(self) -> list[str]:
        codes = [code.lower() for code in re.split(r"[\s,;]+", self.cleaned_data["languages"]) if code]
        unknown = [code for code in codes if len(code) != 2 or "name" not in LANG_INFO.get(code, {})]
        if unknown or not codes:
            told = _("No language has the code %(code)s. Two letters each, such as de, hu.")
            raise ValidationError(told, params={"code": ", ".join(unknown)})
        return list(dict.fromkeys(codes))

    def wanted(self) -> dict[str, Any]:
        """The market's fields, of a valid form."""
        told = {name: self.cleaned_data[name] for name in ("country", "languages", "time_zone")}
        return told | self.named() | ({"code": self.cleaned_data["code"]} if "code" in self.fields else {})


class CategoryForm(NamedForm):
    """A category. The slug stays once it is given."""

    slug = forms.CharField(max_length=40, error_messages=NEEDED)
    markets = Ticked(Market.objects.all(), required=False)

    def __init__(self, category: Category, sent: QueryDict | None = None) -> None:
        active = category.channel_set.filter(active=True).values_list("market", flat=True) if category.pk else []
        super().__init__(category, sent, markets=active)
        if category.pk:
            del self.fields["slug"]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].strip().lower()
        CATEGORY_SLUG(slug)
        if slug in RESERVED:
            raise ValidationError(_("This word is taken by an address of ours. Choose another."))
        if Category.objects.filter(slug=slug).exists():
            raise ValidationError(_("There is a category with this slug already."))
        return slug

    def wanted(self) -> dict[str, Any]:
        return self.named() | ({"slug": self.cleaned_data["slug"]} if "slug" in self.fields else {})
