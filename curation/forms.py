"""What the desk's forms say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from curation.keyset import ORDERS
from curation.models import Verb
from curation.models.candidates import MARKED
from curation.transitions import EDITORS_VERBS
from regions.clocks import BadTime
from regions.numbers import BIGGEST, whole
from regions.problems import BadCursor, Refusal

LONGEST_SEARCH = 200
LONGEST_NOTICES = 1000
VERBS = [(verb, Verb(verb).label) for verb in EDITORS_VERBS]


class Unclear(Refusal):
    """A form that says nothing usable. No page of ours sends one."""

    code = "invalid"
    detail = _("This form was not complete. Load the page again.")


class SentForm(forms.Form):
    """A form whose fields are read at once, or refused."""

    def told(self) -> dict[str, Any]:
        """The cleaned fields. Raises Unclear."""
        if not self.is_valid():
            raise Unclear(field=next(iter(self.errors)))
        return self.cleaned_data


class WishForm(SentForm):
    """What a verb carries. A field that is absent or empty is not asked for, but for the words, where empty clears.

    Times are as browsers send them: without a zone, the wall clock of the market."""

    key = forms.CharField(max_length=200, required=False)
    reason = forms.CharField(max_length=40, required=False)
    note = forms.CharField(required=False)
    slot = forms.IntegerField(required=False)
    until = forms.CharField(max_length=40, required=False)
    go_live_at = forms.CharField(max_length=40, required=False)
    expire_at = forms.CharField(max_length=40, required=False)
    with_similar = forms.BooleanField(required=False)
    category = forms.CharField(max_length=100, required=False)
    market = forms.CharField(max_length=100, required=False)
    scope = forms.CharField(max_length=10, required=False)
    data: QueryDict

    def wished(self) -> dict[str, Any]:
        """The wish of operations.decide, as far as something was said. Raises Unclear, and BadTime for no time."""
        told = super().told()
        wish = {name: told[name] for name in ("reason", "note", "slot", "with_similar", "category", "market")}
        wish |= {name: moment(told[name], name) for name in ("until", "go_live_at", "expire_at")}
        wish = {name: value for name, value in wish.items() if value not in (None, "", False)}
        wish |= {name: str(self.data[name]).strip() for name in ("context", "label") if name in self.data}
        if self.data.get("panel") == Verb.BLOCK and "reason" not in wish:
            raise Unclear(_("Choose why."), field="reason")
        return wish | ({"also": also} if (also := self._also()) else {})

    def _also(self) -> list[dict[str, str]]:
        """Each "kind:scope:value", as a box on the desk says it; without a scope that of the form. An author without a
        value is the post's own."""
        parts = [one.split(":", 2) for one in self.data.getlist("also")]
        if any(len(part) != 3 for part in parts):
            raise Unclear(field="also")
        wide = self.cleaned_data["scope"]
        return [{"kind": kind, "scope": scope or wide, "value": value} for kind, scope, value in parts]


def moment(told: str, field: str) -> datetime | None:
    """A time as it was sent, None for none. Raises BadTime."""
    if not told:
        return None
    try:
        return datetime.fromisoformat(told)
    except ValueError:
        raise BadTime(_("That is no time."), field=field) from None


class DecideForm(WishForm):
    """One verb on one candidate. `swap` is the slot whose holder gives way."""

    verb = forms.ChoiceField(choices=VERBS, required=False)
    version = forms.IntegerField(min_value=1, max_value=BIGGEST, required=False)
    swap = forms.IntegerField(min_value=1, max_value=10, required=False)

    def told(self) -> dict[str, Any]:
        """The arguments of operations.decide, but for candidate and person."""
        wish = self.wished()
        told = {name: self.cleaned_data[name] for name in ("verb", "version", "key")} | wish
        slot = self.cleaned_data["swap"]
        if slot is not None:
            return told | {"verb": Verb.PIN, "slot": slot, "swap": True}
        if not told["verb"]:
            raise Unclear(field="verb")
        return told


class DecideManyForm(WishForm):
    """One verb on many: each candidate as "id:version". A slot takes one alone."""

    verb = forms.ChoiceField(choices=VERBS)

    def told(self) -> dict[str, Any]:
        """The arguments of operations.decide_many, but for the candidates and the person. Raises Unclear."""
        wish = self.wished()
        if "slot" in wish:
            raise Unclear(_("A slot takes one post alone."), field="slot")
        return {name: self.cleaned_data[name] for name in ("verb", "key")} | wish

    def seen(self) -> dict[int, int]:
        """The versions seen, by candidate. Raises Unclear."""
        try:
            pairs = (picked.split(":") for picked in self.data.getlist("candidate"))
            seen = {int(pk): int(version) for pk, version in pairs}
        except ValueError:
            raise Unclear(field="candidate") from None
        if not all(1 <= number <= BIGGEST for pair in seen.items() for number in pair):
            raise Unclear(field="candidate")
        if not seen:
            raise Unclear(_("Nothing was selected."), field="candidate")
        return seen


class UndoForm(SentForm):
    """An act is named by its address; `key` makes a repeated press count once."""

    key = forms.CharField(max_length=200, required=False)


class EraseForm(SentForm):
    """An author by name or id; `typed` is the name once more."""

    author = forms.CharField(max_length=60)
    typed = forms.CharField(max_length=60, required=False)


class LinkForm(forms.Form):
    """A link to a post, where it goes, and the candidate that one just became. What is unusable counts as absent;
    a link that is too long stays one, so that it can be refused as such."""

    data: QueryDict

    def url(self) -> str:
        return self.data.get("url", "").replace("\0", " ").strip()

    def category(self) -> str:
        return self.data.get("category", "")

    def everywhere(self) -> bool:
        """Whether the form stands on a market's desk, where the category is chosen."""
        return not self.category() or "everywhere" in self.data

    def shown(self) -> int:
        """The candidate's id, 0 for none."""
        return whole(self.data.get("shown", "")) or 0


class BackForm(forms.Form):
    """Where a plain form leads back to: an address within the house."""

    next = forms.RegexField(r"^/", max_length=2000, required=False)

    def asked(self) -> str:
        """The address; empty for none and for an unusable one."""
        self.is_valid()
        return self.cleaned_data.get("next") or ""


class FilterForm(forms.Form):
    """What the desk's address asks for. Unknown values fall back to the plain queue. `author` is an id at X."""

    show = forms.ChoiceField(choices=[(mark, mark) for mark in MARKED], required=False)
    author = forms.IntegerField(min_value=1, max_value=BIGGEST, required=False)
    lang = forms.RegexField(r"^[a-z]{2,3}$", required=False)
    order = forms.ChoiceField(choices=[(order, order) for order in ORDERS], required=False)
    q = forms.CharField(max_length=LONGEST_SEARCH, required=False)
    cursor = forms.CharField(max_length=200, required=False)

    def asked(self) -> dict[str, Any]:
        """{"order", "q"}, usable whatever the address said; with "show", "author", "lang" where they are asked for."""
        self.is_valid()
        words = self.cleaned_data.get("q") or self.data.get("q", "").replace("\0", " ")[:LONGEST_SEARCH]
        told = {name: self.cleaned_data.get(name) for name in ("show", "author", "lang")}
        plain = {"order": self.cleaned_data.get("order") or "best", "q": words}
        return plain | {name: value for name, value in told.items() if value}

    def kept(self) -> dict[str, Any]:
        """The same without the order: what narrows the queue, as Place.waiting takes it."""
        return {name: value for name, value in self.asked().items() if name != "order"}

    @property
    def cut(self) -> bool:
        """Whether more was asked for than is searched."""
        return len(self.data.get("q", "")) > LONGEST_SEARCH

    def after(self) -> str:
        """The cursor of the page asked for; empty for the first. Raises BadCursor."""
        if not self.is_valid() and "cursor" in self.errors:
            raise BadCursor(field="cursor")
        return str(self.cleaned_data["cursor"])


class SinceForm(SentForm):
    """How far a page has seen: the newest decision and candidate, and which notices it shows."""

    decision = forms.IntegerField(min_value=0, max_value=BIGGEST)
    candidate = forms.IntegerField(min_value=0, max_value=BIGGEST)
    told_of = forms.CharField(required=False)

    def told(self) -> dict[str, Any]:
        """The cleaned fields. Raises Unclear."""
        told = super().told()
        return told | {"told_of": told["told_of"][:LONGEST_NOTICES]}
