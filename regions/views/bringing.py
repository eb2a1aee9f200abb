"""Bringing a list in: what was pasted or uploaded is shown row by row before anything of it is taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

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
    so nothing would change. `about`: what it would be in detail; `warning`: what to look at before it is taken."""

    row: sheets.Row
    words: str = ""
    entry: Any = None
    refusal: str | Promise = ""
    known: bool = False
    about: str | Promise = ""
    warning: str | Promise = ""


@dataclass(frozen=True)
class Taken:
    """How many entries a sheet brought, the address that takes them back by POST, empty for none, and a sentence of
    what else came of it."""

    count: int
    undo: str = ""
    words: str = ""


@dataclass(frozen=True)
class Foreseen:
    """What taking rows would do beyond the list. `template` tells it of `noun`; `take`: what the button says; `rows`:
    the same rows with what was found of each; `mark` comes back with the press that takes them."""

    rows: list[Brought]
    template: str
    noun: Any
    take: str
    mark: str


class Foresight(Protocol):
    """Rows are taken only as they were foreseen."""

    def foreseen(self, rows: list[Brought]) -> Foreseen: ...

    def still(self, entries: list[Any], mark: str) -> bool:
        """Whether a mark was made of these entries, and they would do no more now than was told then."""
        ...


@dataclass(frozen=True)
class Bringing:
    """A list that can be brought in. `check` says of rows what they are and changes nothing; `take` stores entries, all
    or none, and says how many, and where that can be taken back if it can; `help` tells what the columns hold.
    `foresight`, where taking does more than to add to a list: it is told first, and nothing is taken untold."""

    heading: str | Promise
    columns: tuple[str, ...]
    help: Sequence[tuple[str, str | Promise]]
    back: str
    check: Callable[[Sequence[sheets.Row]], list[Brought]]
    take: Callable[[list[Any]], Taken]
    foresight: Foresight | None = None


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
    return {
        "sheet": sheet,
        "new": [row for row in rows if not row.known and not row.refusal],
        "known": [row for row in rows if row.known and not row.refusal],
        "wrong": [row for row in rows if row.refusal],
    }


def _answered(request: PageRequest, list_: Bringing, form: BringForm, context: dict[str, Any]) -> HttpResponse:
    """Takes the rows once they were seen and none is wrong, or the wrong ones are to be left out; shows them else."""
    new, wrong = [row.entry for row in context["new"]], context["wrong"]
    asked, left = "take" in request.POST, form.cleaned_data["leave_out"]
    if asked and new and (left or not wrong):
        mark = request.POST.get("mark", "")
        if list_.foresight is None or list_.foresight.still(new, mark):
            return _taken(request, list_, new)
        context["overtaken"] = bool(mark)
    elif asked and wrong:
        context["refusal"] = Refusal(_("Nothing was taken: some rows are wrong. Mend them, or leave them out."))
    context |= _shown(list_, context) | {"left": left}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if "refusal" in context else HTTPStatus.OK
    return render(request, "regions/lists/bring.html", context, status=status)


def _taken(request: PageRequest, list_: Bringing, entries: list[Any]) -> HttpResponse:
    done = list_.take(entries)
    words = ngettext("%(n)d entry taken.", "%(n)d entries taken.", done.count) % {"n": done.count}
    tell(request, f"{words} {done.words}".strip(), undo=done.undo)
    return redirect(list_.back)


def _shown(list_: Bringing, context: dict[str, Any]) -> dict[str, Any]:
    """The rows of the page: wrong ones first, then new ones that warn of something."""
    new, foreseen = context["new"], None
    if new and list_.foresight is not None:
        foreseen = list_.foresight.foreseen(new)
        new = sorted(foreseen.rows, key=lambda row: not row.warning)
    told = [*context["wrong"], *new, *context["known"]]
    return {"rows": told[:MOST_SHOWN], "more": max(0, len(told) - MOST_SHOWN), "foreseen": foreseen}
