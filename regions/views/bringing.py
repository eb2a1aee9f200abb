"""Bringing a list in: what was pasted or uploaded is shown row by row before anything of it is taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from regions import sheets
from regions.problems import Refusal
from regions.requests import PageRequest

MOST_SHOWN = 200


@dataclass(frozen=True)
class Brought:
    """A row as it was understood: what would be stored (`entry`), in words, or why not. `known`: it is there already,
    so nothing would change."""

    row: sheets.Row
    words: str = ""
    entry: Any = None
    refusal: str | Promise = ""
    known: bool = False


class Taken(NamedTuple):
    """How many entries a sheet brought, and the address that takes them back by POST; empty for none."""

    count: int
    undo: str = ""


@dataclass(frozen=True)
class Bringing:
    """A list that can be brought in. `check` says of rows what they are and changes nothing; `take` stores entries, all
    or none, and says how many, and where that can be taken back if it can; `help` tells what the columns hold."""

    heading: str | Promise
    columns: tuple[str, ...]
    help: Sequence[tuple[str, str | Promise]]
    back: str
    check: Callable[[Sequence[sheets.Row]], list[Brought]]
    take: Callable[[list[Any]], Taken]


class BringForm(forms.Form):
    """A file or pasted lines; `leave_out` takes the good rows where others are wrong."""

    file = forms.FileField(required=False)
    text = forms.CharField(required=False, max_length=sheets.MOST_BYTES, strip=False)
    leave_out = forms.BooleanField(required=False)

    def brought(self) -> tuple[str, str]:
        """The text, and the encoding where it is not Unicode. Raises BadSheet."""
        if not self.is_valid():
            raise sheets.BadSheet(next(iter(self.errors.values()))[0], field="file")
        if file := self.cleaned_data["file"]:
            return sheets.decoded(file.read(sheets.MOST_BYTES + 1), get_language() or "")
        return self.cleaned_data["text"], ""


def bring(request: PageRequest, list_: Bringing) -> HttpResponse:
    """The page: empty at first, then with what each row is, then back to the list with what was taken."""
    form = BringForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"list": list_}
    if request.method != "POST":
        return render(request, "regions/lists/bring.html", context)
    try:
        text, encoding = form.brought()
        context["text"] = text
        sheet = sheets.read(text, list_.columns, encoding=encoding)
        rows = list_.check(sheet.rows)
        return _answered(request, list_, form, context | _counted(sheet, rows))
    except Refusal as refusal:
        return render(request, "regions/lists/bring.html", context | {"refusal": refusal}, status=refusal.status)


def tell(request: PageRequest, words: str, *, undo: str = "") -> None:
    """A sentence on the next page, with a button that takes back what it tells of."""
    messages.success(request, words, extra_tags=undo)


def _counted(sheet: sheets.Sheet, rows: list[Brought]) -> dict[str, Any]:
    wrong = [row for row in rows if row.refusal]
    known = [row for row in rows if row.known and not row.refusal]
    new = [row for row in rows if not row.known and not row.refusal]
    told = [*wrong, *new, *known]
    return {
        "sheet": sheet,
        "rows": told[:MOST_SHOWN],
        "more": max(0, len(told) - MOST_SHOWN),
        "new": new,
        "known": known,
        "wrong": wrong,
    }


def _answered(request: PageRequest, list_: Bringing, form: BringForm, context: dict[str, Any]) -> HttpResponse:
    """Takes the rows once they were seen and none is wrong, or the wrong ones are to be left out; shows them else."""
    new = [row.entry for row in context["new"]]
    if "take" in request.POST and new and (form.cleaned_data["leave_out"] or not context["wrong"]):
        count, undo = list_.take(new)
        tell(request, ngettext("%(n)d entry taken.", "%(n)d entries taken.", count) % {"n": count}, undo=undo)
        return redirect(list_.back)
    if "take" in request.POST and context["wrong"]:
        context["refusal"] = Refusal(_("Nothing was taken: some rows are wrong. Mend them, or leave them out."))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if context["wrong"] and "take" in request.POST else HTTPStatus.OK
    return render(request, "regions/lists/bring.html", context, status=status)
