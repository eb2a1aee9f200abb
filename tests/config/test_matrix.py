"""Who may enter which route, made from the list of addresses: role by route, own and foreign market."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from curation import operations
from curation.models import IngestRun, Quarantined
from feeds.operations import publish
from regions.models import BlockList, Channel, Invitation, Role, Source, User
from tests.cast import make_block, make_candidate

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)
OURS = ("regions.", "curation.", "feeds.")
POSTED = {
    "decide",
    "decide-many",
    "panel-many",
    "undo",
    "undo-act",
    "add-link",
    "erase-author",
    "api-candidate-decisions",
    "api-undo",
}
POSTED |= {"hold", "release", "here", "reach-many"}
FOR_READERS = {"here"}  # posts that a viewer may send
FOR_EDITORS = {"recent", "link", "panel", "panel-reach"}  # pages that a viewer may not even read
FOR_LEADS = {"hold", "release", "erase", "erase-author"}
PUBLIC = {"ticker", "channel-ticker", "feeds", "feed-of-market", "feed-of-channel", "livez", "readyz", "metrics"}
PUBLIC |= {"json-feed-of-market", "json-feed-of-channel", "rss-of-market", "rss-of-channel"}
PUBLIC |= {"ticker-app", "channel-ticker-app", "ticker-worker"}
PUBLIC |= {"schema", "docs", "no-such-api", "choose-language"}
FOR_LEADS |= {"market-log", "log-sheet"}
FOR_LEADS |= {"hold-market", "hold-channel", "release-market", "release-channel"}
SIGNED_IN = {"home", "my-log", "profile", "fold-column", "choose-theme", "palette", "feed-calls"}
FOR_CHIEFS = {"try-again"}  # tests/curation/test_desk_pauses.py
FOR_CHIEFS |= {"places", "add-market", "change-market", "switch-market", "add-category", "change-category"}
FOR_LEADS |= {"market-settings", "channel-settings", "budget-forecast", "budget-lowered"}
FOR_LEADS |= {"market-leaving", "leaving"}
FOR_CHIEFS |= {"market-closing", "closing"}
FOR_LEADS |= {"api-channels", "api-channel", "api-market"}

FOR_LEADS |= {"sources", "new-source", "source", "source-act", "bring-sources", "sources-sheet"}
FOR_LEADS |= {"api-sources", "api-source"}
FOR_LEADS |= {"restore-source"}
POSTED |= {"source-act", "restore-source"}
BY_BODY = {"api-try-source"}  # the body names the market: tests/curation/test_sources_api.py
FOR_LEADS |= {"people", "people-sheet", "bring-people", "invite", "change-person", "withdraw-invitation"}
FOR_LEADS |= {"api-memberships", "api-membership"}
POSTED |= {"invite", "change-person", "withdraw-invitation", "api-membership"}
PATCHED = {"api-membership"}
FOR_EDITORS |= {"new-block", "new-block-list", "lift-blocks"}
FOR_LEADS |= {"bring-blocks", "blocks-sheet"}
POSTED |= {"lift-blocks", "api-block"}
PATCHED |= {"api-block"}
BY_BODY |= {"api-try-block"}  # tests/curation/test_blocks_api.py
SIGNED_IN |= {"health"}
FOR_LEADS |= {"set-aside", "drop-aside", "release-aside"}
POSTED |= {"drop-aside", "release-aside"}
PUBLIC |= {"invitation", "company-login", "company-callback"}  # each has a test file of its own


def ours(resolver: Any, before: str = "") -> list[tuple[str, str]]:
    """(name, address as a pattern) of every route that is not a library's."""
    found = []
    for entry in resolver.url_patterns:
        address = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += ours(entry, address) if entry.app_name in (None, "") else []
        elif isinstance(entry, URLPattern) and is_ours(entry.callback):
            found.append((entry.name or "", address))
    return found


def is_ours(view: Any) -> bool:
    return getattr(view, "__module__", "").startswith(OURS)


ROUTES = sorted(ours(get_resolver()))
GUARDED = [(name, address) for name, address in ROUTES if name not in PUBLIC | SIGNED_IN | FOR_CHIEFS | BY_BODY]


def test_the_list_of_open_routes_is_short_and_known() -> None:
    assert {name for name, _address in ROUTES} >= POSTED | (PUBLIC - {"schema", "docs"}) | SIGNED_IN


def filled(address: str, pk: int) -> str:
    for slot, word in (("<slug:market>", "de"), ("<market>", "de"), ("<slug:category>", "politics"),
                       ("<slug:verb>", "block")):  # fmt: skip
        address = address.replace(slot, word)
    return "/" + address.replace("<int:pk>", str(pk)).replace("<int:number>", "1")


@pytest.fixture
def address_of(anna: User, de_politics: Channel) -> Any:
    """Fills a route with a candidate or an act of DE, whichever it asks for."""
    candidate = make_candidate(de_politics)
    act = operations.approve(make_candidate(de_politics), by=anna, version=1).act
    publish(de_politics.market_id)
    post = str(candidate.tweet.current_id)
    source = Source.objects.create(kind="account", value="rathaus", channel=de_politics)
    rows = {"acts/": act.pk, "sources/": source.pk, "invitations/": invitation_of(anna).pk}
    rows |= {"blocks/lists/": BlockList.objects.create(name="spam", market=de_politics.market).pk}
    run = IngestRun.objects.create(market=de_politics.market)
    rows |= {"quarantine/": Quarantined.objects.create(run=run, reason="no author", payload={}).pk}
    rows |= {"blocks/": make_block("turm", channel=de_politics).pk}
    rows |= dict.fromkeys(("people/", "memberships/"), anna.membership_set.get().pk)

    def address_of(address: str) -> str:
        found = next((pk for part, pk in rows.items() if part in address), candidate.pk)
        return filled(address.replace("<int:post>", post), found)

    return address_of


def invitation_of(user: User) -> Invitation:
    told = {"market": user.membership_set.get().market, "ends_at": timezone.now() + WEEK}
    return Invitation.objects.create(role=Role.VIEWER, created_by=user, **told)


def ask(browse: Any, user: User | None, name: str, url: str) -> int:
    client = browse(user)
    Invitation.objects.update(withdrawn_at=None)  # whoever may withdraw it did
    query = {} if name in POSTED else {"market": "de", "decision": 0, "candidate": 0}
    if name in PATCHED:
        return int(client.patch(url, {}, content_type="application/json").status_code)
    sent = client.post(url, {}, content_type="application/json") if name in POSTED else client.get(url, query)
    return int(sent.status_code)


@pytest.mark.parametrize(("name", "address"), GUARDED, ids=[name for name, _ in GUARDED])
def test_role_by_route(
    name: str, address: str, address_of: Any, browse: Any, bram: User, guest: User, vera: User, anna: User, lena: User,
    chief: User,
) -> None:  # fmt: skip
    url = address_of(address)
    assert ask(browse, None, name, url) in (302, 401, 403)
    assert ask(browse, bram, name, url) == 404
    assert ask(browse, guest, name, url) == 404
    assert ask(browse, vera, name, url) in (
        (403,) if name in (POSTED - FOR_READERS) | FOR_EDITORS | FOR_LEADS else (200, 422)
    )
    assert (ask(browse, anna, name, url) == 403) == (name in FOR_LEADS)
    assert ask(browse, anna, name, url) not in (401, 404, 500)
    assert ask(browse, lena, name, url) not in (401, 403, 404, 500)
    assert ask(browse, chief, name, url) not in (401, 403, 404, 500)
