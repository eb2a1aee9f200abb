"""The people of a market, for its leads: roles given, changed, taken, and brought as a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from regions import invitations, people, sheets
from regions.clocks import zone_of
from regions.models import Change, Invitation, Market, Membership, Role
from regions.numbers import whole
from regions.permissions import market_for, rule
from regions.problems import Refusal
from regions.requests import PageRequest
from regions.telling import told_of
from regions.views.bringing import Bringing, Brought, Taken, bring
from regions.words import unusable

PAGE, CHANGES, LONGEST_SEARCH = 100, 20, 100
COLUMNS = ("username", "role")
NOUNS = ("membership", "invitation")


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role)


class GiveForm(RoleForm):
    username = forms.CharField(max_length=150)


class InviteForm(RoleForm):
    note = forms.CharField(max_length=80, required=False)

    def clean_note(self) -> str:
        if unusable(note := self.cleaned_data["note"]):
            raise forms.ValidationError(_("Only one line of words."))
        return str(note)


@rule("people.edit")
@require_http_methods(["GET", "POST"])
def people_list(request: PageRequest, market: str) -> HttpResponse:
    """The list, with who it is asked for at the right; POST gives a role to somebody who can log in."""
    home = market_for(request.user, market, "people.edit")
    if request.method != "POST":
        return page(request, home)
    form = GiveForm(request.POST)
    if not form.is_valid():
        return page(request, home, give=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        user = people.person_named(form.cleaned_data["username"].strip())
        role = Role(form.cleaned_data["role"])
        held = Membership.objects.in_market(home).select_related("user").filter(user=user).first()
        if held and held.user != request.user and role.rank < Role(held.role).rank and not agreed(request, held):
            return page(request, home, give=form, lowers=held, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        given, _made = people.give(user, home, role, by=request.user)
    except Refusal as refusal:
        form.add_error("username", str(refusal.detail))
        return page(request, home, give=form, status=refusal.status)
    tell(request, given, held.get_role_display() if held else "")
    return redirect("people", home.code)


def agreed(request: PageRequest, held: Membership) -> bool:
    """Whether the form was sent by the button that told of the role somebody has now."""
    return request.POST.get("lowers") == f"{held.user_id}:{held.role}"


def tell(request: PageRequest, given: Membership, was: str) -> None:
    told = {"person": given.user.shown_name, "role": given.get_role_display(), "market": given.market.name, "was": was}
    another = was and was != told["role"]
    words = _("%(person)s, %(market)s: %(role)s, was %(was)s.") if another else _("%(person)s, %(market)s: %(role)s.")
    messages.success(request, words % told)


@rule("people.edit")
@require_POST
def change_person(request: PageRequest, market: str, pk: int) -> HttpResponse:
    """Changes a role, or takes it where the form says `take`."""
    home = market_for(request.user, market, "people.edit")
    held = people.membership_for(request.user, pk)
    if held.market != home:
        return redirect("people", held.market.code)
    form = RoleForm(request.POST)
    try:
        told = {"person": held.user.shown_name, "market": home.name}
        if "take" in request.POST:
            people.take(held, by=request.user)
            messages.success(request, _("%(person)s has no role in %(market)s any more.") % told)
        elif form.is_valid():
            given, _made = people.give(held.user, home, Role(form.cleaned_data["role"]), by=request.user)
            tell(request, given, held.get_role_display())
        else:
            raise Refusal(form.errors["role"][0])
    except Refusal as refusal:
        return page(request, home, chosen=held, refusal=refusal, status=refusal.status)
    return redirect("people", home.code)


@rule("people.edit")
@require_POST
def invite(request: PageRequest, market: str) -> HttpResponse:
    """Makes an invitation; its link stands on this one page."""
    home = market_for(request.user, market, "people.edit")
    form = InviteForm(request.POST)
    if not form.is_valid():
        return page(request, home, invite=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    wish = form.cleaned_data
    try:
        _made, token = invitations.invite(
            home, Role(wish["role"]), by=request.user, now=timezone.now(), note=wish["note"]
        )
    except Refusal as refusal:
        form.add_error(None, str(refusal.detail))
        return page(request, home, invite=form, status=refusal.status)
    link = request.build_absolute_uri(reverse("invitation", args=[token]))
    return page(request, home, link=link, status=HTTPStatus.CREATED)


@rule("people.edit")
@require_POST
def withdraw_invitation(request: PageRequest, market: str, pk: int) -> HttpResponse:
    """Ends an invitation that nobody accepted yet."""
    home = market_for(request.user, market, "people.edit")
    invitations.withdraw(pk, home, by=request.user, now=timezone.now())
    messages.success(request, _("The invitation is withdrawn. Its link no longer counts."))
    return redirect("people", home.code)


@rule("people.edit")
@require_GET
def people_sheet(request: PageRequest, market: str) -> HttpResponse:
    """The list as CSV, in columns that can be brought in again."""
    home = market_for(request.user, market, "people.edit")
    rows = Membership.objects.in_market(home).with_people().values_list("user__username", "role")
    return sheets.answer(f"people-{home.code}", sheets.written(COLUMNS, rows))


@rule("people.edit")
@require_http_methods(["GET", "POST"])
def bring_people(request: PageRequest, market: str) -> HttpResponse:
    """Roles from a sheet: first shown, then given, all or none."""
    home = market_for(request.user, market, "people.edit")
    told = Bringing(
        heading=_("Bring people into %(market)s") % {"market": home.name},
        columns=COLUMNS,
        help=(
            ("username", gettext_lazy("The log-in name of somebody who can log in. Strangers need an invitation.")),
            ("role", gettext_lazy("viewer, editor or lead. Without it: viewer. Nobody's role is taken by a sheet.")),
        ),
        back=reverse("people", args=[home.code]),
        check=lambda rows: checked(request, home, rows),
        take=lambda entries: Taken(people.give_many(entries, home, by=request.user)),
    )
    return bring(request, told)


def checked(request: PageRequest, home: Market, rows: Sequence[sheets.Row]) -> list[Brought]:
    """What each row would change."""
    names = [row.cells.get("username", "") for row in rows]
    known = people.people_named(names)
    held = {one.user_id: one for one in Membership.objects.filter(market=home, user__in=list(known.values()))}
    told, seen = [], set[int]()
    for row, name in zip(rows, names, strict=True):
        person, role = known.get(name), row.cells.get("role", "").lower() or Role.VIEWER
        words = f"{name} · {role}"
        if person is None:
            told.append(Brought(row, words, refusal=people.NoSuchPerson.detail))
        elif role not in Role.values:
            told.append(Brought(row, words, refusal=_("The role is viewer, editor or lead.")))
        elif person.pk in seen:
            told.append(Brought(row, words, refusal=_("This person stands in the sheet twice.")))
        else:
            seen.add(person.pk)
            told.append(told_row(request, row, words, person, Role(role), held.get(person.pk)))
    return told


def told_row(
    request: PageRequest, row: sheets.Row, words: str, person: Any, role: Role, held: Membership | None
) -> Brought:
    lowers = held is not None and role.rank < Role(held.role).rank
    if lowers and person == request.user and not request.user.is_superuser:
        return Brought(row, words, refusal=people.OwnRole.detail)
    if held is None or held.role == role:
        return Brought(row, words, entry=(person, role), known=held is not None)
    told = _("Lowered: was %(was)s until now.") if lowers else _("Raised: was %(was)s until now.")
    return Brought(row, words, entry=(person, role), warning=told % {"was": held.get_role_display()})


def page(
    request: PageRequest, home: Market, *, status: int = HTTPStatus.OK, chosen: Membership | None = None, **told: Any
) -> HttpResponse:
    """The page, or for htmx what the search found. `told` holds forms with what was typed, a link, a refusal."""
    q, show = request.GET.get("q", "")[:LONGEST_SEARCH].replace("\0", ""), request.GET.get("show", "")
    found = Membership.objects.in_market(home).holding_words(q)
    counts = found.counted()
    rows = (found.filter(role=show) if show in Role.values else found).with_people()
    if after := request.GET.get("after", "").replace("\0", ""):
        rows = rows.filter(user__username__gt=after)
    shown = list(rows[: PAGE + 1])
    context = {
        "home": home, "q": q, "show": show, "rows": shown[:PAGE], "roles": Role.choices,
        "address": reverse("people", args=[home.code]),
        "tabs": tabs(counts, q, show),
        "more": urlencode({"q": q, "show": show, "after": shown[PAGE - 1].user.username}) if len(shown) > PAGE else "",
    }  # fmt: skip
    with timezone.override(zone_of(request.user, home)):
        if request.htmx and request.htmx.target == "found":
            return render(request, "regions/people/_found.html", context, status=status)
        context |= {"chosen": chosen or asked_for(request, home), **beside(home)} | told
        response = render(request, "regions/people/page.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def tabs(counts: dict[str, int], q: str, show: str) -> list[dict[str, Any]]:
    """All, then each role, with how many the search leaves."""
    every = [("", _("All"), sum(counts.values()))]
    every += [(role.value, str(role.label), counts.get(role, 0)) for role in reversed(Role)]
    return [
        {"name": name, "count": count, "here": show == value, "query": urlencode({"q": q, "show": value})}
        for value, name, count in every
    ]


def asked_for(request: PageRequest, home: Market) -> Membership | None:
    """Whom the address asks for."""
    told = whole(request.GET.get("person", ""))
    if told is None:
        return None
    return Membership.objects.in_market(home).select_related("user", "market").filter(pk=told).first()


def beside(home: Market) -> dict[str, Any]:
    """What stands beside the list: open invitations, and what was changed lately, newest first."""
    now = timezone.now()
    opened = Invitation.objects.open(now).filter(market=home).select_related("created_by").order_by("-created_at")
    changes = Change.objects.filter(market=home, noun__in=NOUNS).select_related("by").order_by("-at", "-pk")
    return {"open": list(opened), "changes": told_of(changes[:CHANGES]), "now": now}
