"""What is asked of the log: the filters of an address, and the decisions that they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from curation.causes import CAUSES
from curation.history.said import REASON_WORDS, SAID
from curation.ingest.links import NotAPost, post_id_of
from curation.models import Candidate, Decision, Tweet, Verb
from curation.models.acts import DecisionQuerySet
from regions.models import Category, Channel, Market, User
from regions.numbers import BIGGEST

SYSTEM_ALONE = (Verb.HOLD, Verb.LIFT, Verb.EDIT, Verb.WITHDRAW, Verb.RESTORE, Verb.LAPSE)
BAD_DAY = _("A day is written like 2026-11-22.")
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(9000, 1, 1)


@dataclass(frozen=True)
class Asked:
    """What of the log is wanted: of `markets`, of one person (`by`) or of all; the system's too where `system`, and
    those only where `alone`.

    `since` and `until` are instants, the first within and the last without. `tweets` are rows of Tweet."""

    markets: Sequence[Market]
    by: User | None = None
    system: bool = False
    alone: bool = False
    verb: str = ""
    reason: str = ""
    channels: Sequence[int] | None = None
    since: datetime | None = None
    until: datetime | None = None
    tweets: Sequence[int] | None = None
    act: int | None = None

    def walked(self) -> DecisionQuerySet:
        """What an index alone leads along: the person's, else the markets' of a verb, else the markets' decisions,
        within the days. What is asked for is among them."""
        if self.by is not None:
            rows = Decision.objects.filter(by=self.by)
        else:
            rows = Decision.objects.filter(market__in=self.markets)
            if verb := self.verb or self.reasoned:
                rows = rows.filter(verb=verb)
        if self.since:
            rows = rows.filter(at__gte=self.since)
        return rows.filter(at__lt=self.until) if self.until else rows

    def rows(self) -> DecisionQuerySet:
        """The decisions asked for, in no order."""
        rows = self.walked().filter(market__in=self.markets)
        told: dict[str, Any] = {"verb": self.verb, "reason": self.reason, "act": self.act}
        rows = rows.filter(**{name: value for name, value in told.items() if value})
        if self.channels is not None:
            rows = rows.filter(channel__in=self.channels)
        if self.tweets is not None:
            ids = Candidate.objects.filter(tweet__in=self.tweets).values_list("pk", flat=True)
            rows = rows.filter(candidate__in=list(ids))
        if self.alone:
            return rows.filter(by__isnull=True)
        return rows if self.system or self.by else rows.filter(by__isnull=False)

    @property
    def reasoned(self) -> str:
        """The one verb that carries the reason asked for; empty where several may."""
        if self.reason in CAUSES:
            return Verb.WITHDRAW
        return Verb.BLOCK if self.reason and self.reason != "moved" else ""

    @property
    def narrow(self) -> bool:
        """Whether an act or a post is asked for: then there are few rows, whatever the log holds."""
        return self.act is not None or self.tweets is not None


class LogForm(forms.Form):
    """The filters of a log's address. `market` names one of the person's, where the log is one's own; `system` asks
    for the system's decisions too, or as "only" for no others.

    Days are the market's wall clock, or `zone`'s, the first and the last of them included."""

    who = forms.CharField(max_length=150, required=False)
    market = forms.CharField(max_length=2, required=False)
    verb = forms.ChoiceField(
        choices=Verb.choices, required=False, error_messages={"invalid_choice": _("There is no such verb.")}
    )
    category = forms.CharField(max_length=31, required=False)
    reason = forms.ChoiceField(
        choices=[*REASON_WORDS.items(), *CAUSES.items()],
        required=False,
        error_messages={"invalid_choice": _("There is no such reason.")},
    )
    first = forms.DateField(input_formats=["%Y-%m-%d"], required=False, error_messages={"invalid": BAD_DAY})
    last = forms.DateField(input_formats=["%Y-%m-%d"], required=False, error_messages={"invalid": BAD_DAY})
    system = forms.BooleanField(required=False)
    post = forms.CharField(max_length=500, required=False)
    act = forms.IntegerField(min_value=1, max_value=BIGGEST, required=False)

    NAMES = {"first": "from", "last": "to"}  # as addresses call them

    def __init__(self, sent: Any, markets: Sequence[Market], *, zone: str, own: User | None = None) -> None:
        self.markets, self.zone, self.own = list(markets), ZoneInfo(zone), own
        super().__init__(sent)

    def add_prefix(self, field_name: str) -> str:
        return self.NAMES.get(field_name, field_name)

    def clean_who(self) -> User | None:
        name = self.cleaned_data["who"]
        if not name or self.own:
            return None
        person = User.objects.filter(username=name).first()
        here = person and (
            person.membership_set.filter(market__in=self.markets).exists()
            or Decision.objects.filter(by=person, market__in=self.markets).exists()
        )
        if not here:
            raise ValidationError(_("Nobody of that name decided here."))
        return person

    def clean_market(self) -> list[Market]:
        code = self.cleaned_data["market"] if self.own else ""
        chosen = [market for market in self.markets if code in ("", market.code)]
        if not chosen and code:
            raise ValidationError(_("You do not belong to such a market."))
        return chosen

    def clean_category(self) -> list[int] | None:
        slug = self.cleaned_data["category"]
        if not slug:
            return None
        found = Channel.objects.filter(market__in=self.markets, category__slug=slug).values_list("pk", flat=True)
        if not found:
            raise ValidationError(_("There is no such category here."))
        return list(found)

    def clean_first(self) -> date | None:
        return self._usable(self.cleaned_data["first"])

    def clean_last(self) -> date | None:
        return self._usable(self.cleaned_data["last"])

    def _usable(self, day: date | None) -> date | None:
        if day and not FIRST_DAY <= day <= LAST_DAY:
            raise ValidationError(BAD_DAY)
        return day

    def clean_post(self) -> list[int] | None:
        """Rows of Tweet that the id or link names: none where nobody of these markets knows it."""
        given = self.cleaned_data["post"]
        if not given:
            return None
        try:
            number = post_id_of(given)
        except NotAPost as refusal:
            raise ValidationError(refusal.detail) from None
        named = Tweet.objects.filter(Q(first_id=number) | Q(current_id=number))
        return list(named.values_list("pk", flat=True))

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        first, last = told.get("first"), told.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last day comes before the first."))
        return told

    def asked(self) -> Asked:
        """What the usable fields ask for; a verb that is the system's alone asks for the system too."""
        self.is_valid()
        told = self.cleaned_data
        first, last = told.get("first"), told.get("last")
        verb, reason = told.get("verb") or "", told.get("reason") or ""
        return Asked(
            markets=told.get("market") or self.markets,
            by=self.own or told.get("who"),
            system=bool(told.get("system")) or verb in SYSTEM_ALONE or reason in CAUSES,
            alone=self.data.get("system") == "only",
            verb=verb,
            reason=reason,
            channels=told.get("category"),
            since=self.midnight(first) if first else None,
            until=self.midnight(last + timedelta(days=1)) if last else None,
            tweets=told.get("post"),
            act=told.get("act"),
        )

    def midnight(self, day: date) -> datetime:
        """When a day begins on the wall clock; a day of a clock change has 23 or 25 hours."""
        return datetime.combine(day, time.min, self.zone).astimezone(UTC)

    @property
    def typed(self) -> dict[str, str]:
        """What stands in the address, by the names it has there, empty ones left out."""
        names = [self.add_prefix(name) for name in self.fields]
        return {name: self.data.get(name, "") for name in names if self.data.get(name, "").strip()}

    @property
    def refused(self) -> list[tuple[str, str]]:
        """Each unusable field with its first sentence, by the address's name of it."""
        return [(self.add_prefix(name), str(told[0])) for name, told in self.errors.items()]

    def choices(self) -> Choices:
        people = User.objects.filter(membership__market__in=self.markets, is_active=True).distinct()
        shown = people if not self.own else people.none()
        categories = Category.objects.filter(channel__market__in=self.markets).distinct()
        chosen = self.cleaned_data.get("who") if self.is_valid() else None
        named = sorted({*shown, *([chosen] if chosen else [])}, key=lambda one: (one.shown_name.casefold(), one.pk))
        return Choices(named, list(categories), list(SAID.items()))


@dataclass(frozen=True)
class Choices:
    """What the filters offer."""

    people: Sequence[User]
    categories: Sequence[Category]
    verbs: Sequence[tuple[str, Any]]
    reasons: Sequence[tuple[str, Any]] = tuple(REASON_WORDS.items())
    causes: Sequence[tuple[str, Any]] = tuple(CAUSES.items())
