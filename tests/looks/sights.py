"""Every page of the product, and every state of the desk that looks different: who looks, where, what they press."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.looks.world import AUTHOR

Acts = Callable[[Page], None]
DESK, ROW = "/desk/de/politics/", "/desk/de/politics/candidates/{first}/"
REFUSED = "status of 422"
HOMELESS = "htmx:oobErrorNoTarget"  # the desk listens for it: a card that came for no row
ACCOUNT, LOCKS = "/accounts/", "/accounts/2fa/"


@dataclass(frozen=True)
class Sight:
    """`path` is filled with the world's values; `who` is one of its people, "" a stranger; `seen` says that it is
    there; `status` is the page's, `then` what is done there; `forgiven` is an error that the browser tells then.
    `rarely`: one more state of a page that is looked at anyway, so that `make soak` alone has time for it."""

    path: str
    who: str = "mila"
    seen: str = "h1"
    then: Acts | None = None
    status: int = 200
    name: str = ""
    forgiven: str = ""
    ours: bool = True
    rarely: bool = False

    @property
    def told(self) -> str:
        return self.name or self.path


def press(*keys: str) -> Acts:
    """Keys on the desk, once its script listens and the live column has come."""

    def act(page: Page) -> None:
        expect(page.locator("#live .subhead").first).to_be_attached()
        for key in keys:
            page.keyboard.press(key)

    return act


def panel(verb: str) -> Acts:
    def act(page: Page) -> None:
        press()(page)
        page.locator(f".is-current [data-panel={verb}]").click()
        expect(page.locator(f'.is-current .why[data-panel-of="{verb}"]')).to_be_visible()

    return act


def of_many(verb: str) -> Acts:
    def act(page: Page) -> None:
        press("x", "j", "x")(page)
        page.locator(f"#bulk [data-panel={verb}]").click()
        expect(page.locator("#panel-many .why")).to_be_visible()

    return act


def block_with_all(page: Page) -> None:
    """The reason's panel with every box ticked, so that its reach is told; then sent without a reason."""
    panel("block")(page)
    for box in page.locator(".is-current .also .check input").all():
        box.check()
    page.locator(".is-current .why__do .button--primary").click()
    expect(page.locator(".is-current .why [role=alert]").first).to_be_visible()


def palette(words: str) -> Acts:
    def act(page: Page) -> None:
        page.keyboard.press("Control+k")
        expect(page.locator("#palette-list")).to_be_visible()
        page.locator("#palette-q").fill(words)
        if words:
            expect(page.locator(".palette__none, #palette-list [data-group=posts]").first).to_be_visible()

    return act


def fill(selector: str, text: str, seen: str) -> Acts:
    def act(page: Page) -> None:
        page.locator(selector).fill(text)
        page.keyboard.press("Enter")
        expect(page.locator(seen).first).to_be_visible()

    return act


def brings(text: str, *, takes: bool = False) -> Acts:
    """A sheet of blocks: what it would do; then done, with the way back."""

    def act(page: Page) -> None:
        page.locator("#text").fill(text)
        page.locator("form.ask .button--primary").click()
        expect(page.locator("form.ask table").first).to_be_visible()
        if takes:
            page.locator("button[name=take]").click()
            expect(page.locator("ul.told form")).to_be_visible()

    return act


def opens(selector: str, seen: str) -> Acts:
    """Opens what folds open, whether it is in view or in a column that a phone shows only when asked."""

    def act(page: Page) -> None:
        page.locator(selector).first.evaluate("(one) => (one.open = true)")
        expect(page.locator(seen).first).to_be_attached()

    return act


def press_save(page: Page) -> None:
    page.locator(".settings__save button").click()
    expect(page.locator(".wrong").first).to_be_visible()


def wrong_password(page: Page) -> None:
    page.fill("#id_login", "tara")
    fill("#id_password", "guess", "[role=alert]:visible")(page)


def two_locks(page: Page) -> None:
    """The second step, with a code that is wrong."""
    page.fill("#id_login", "tara")
    fill("#id_password", "tara", "#id_code")(page)
    page.wait_for_url("**/authenticate/")
    fill("#id_code", "000000", "#id_code_error")(page)


def decided(page: Page) -> None:
    """One blocked, and standing on it again."""
    press("b")(page)
    expect(page.locator("#undo")).to_be_visible()
    page.keyboard.press("k")


AT_THE_DESK = [
    Sight(DESK, seen="#rows .row", then=press(), name="desk"),
    Sight(DESK, who="vera", seen="#rows .row", then=press(), name="desk of a viewer", rarely=True),
    Sight(DESK, who="fay", seen="#rows .row", then=press(), name="desk, all folded", rarely=True),
    Sight("/desk/de/", seen="#rows .row", then=press(), name="desk of a market"),
    Sight("/desk/gr/sport/", seen="#rows .row", then=press(), name="desk in Greece", rarely=True),
    Sight(DESK + "#live", seen="#main h1", then=press(), name="live column"),
    Sight(DESK + "#phone", seen="#main h1", then=press(), name="phone column", rarely=True),
    Sight(DESK + "#live", seen="#main h1", then=opens("#live details", "#live .entry__do"), name="live entry open"),
    Sight(DESK, seen="#rows", then=opens(".is-current .alikes", ".alikes .alike"), name="similar ones"),
    Sight(DESK, seen="#rows", then=press("x", "j", "x"), name="two selected", rarely=True),
    Sight(DESK, seen="#rows", then=press("?"), name="key sheet"),
    Sight(DESK + "?q=nichts", seen=".rest", name="nothing found", rarely=True),
    Sight("/desk/de/celebrity/", seen=".rest__live:not(:empty)", name="nothing waits"),
    Sight(DESK + "?show=held&lang=de&q=demo", seen=".chips", name="narrowed"),
    *(Sight(DESK, seen="#rows", then=panel(verb), name=f"panel: {verb}", rarely=verb != "schedule") for verb in
      ("schedule", "annotate", "move", "pin", "offer")),
    Sight(DESK, seen="#rows", then=block_with_all, name="panel: block", forgiven=REFUSED),
    *(Sight(DESK, seen="#rows", then=of_many(verb), name=f"panel of many: {verb}", rarely=verb != "block") for verb in
      ("block", "move", "schedule")),
    *(Sight(DESK, seen="#rows", then=palette(words), name=f"palette: {words}", rarely=words != "stadtrat") for words in
      ("", "stadtrat", "zzzz")),
    Sight(DESK, seen="#rows", then=fill("#q", "stadtrat", ".chips"), name="searched", rarely=True),
    Sight(DESK, seen="#rows", then=press("h"), name="last acts"),
    Sight(DESK, seen="#rows .row", then=decided, who="toni", name="blocked one", forgiven=HOMELESS, rarely=True),
]  # fmt: skip
PAGES = [
    Sight("/", seen=".home__phones .needs"),
    Sight("/", who="gus", name="home of nobody's market", rarely=True),
    Sight("/", seen=".home__phones .needs", then=opens("details.me", ".me__menu"), name="menu", rarely=True),
    Sight("/calls/"),
    Sight("/live/de/politics/"),
    Sight("/live/gr/"),
    Sight("/desk/de/recent/"),
    Sight(ROW + "similar/"),
    *(Sight(ROW + f"panel/{verb}/", seen=".why", rarely=verb != "block") for verb in
      ("block", "schedule", "annotate", "move", "pin", "offer")),
    Sight("/palette/?q=stadtrat", seen=".palette__page"),
    Sight("/link/de/"),
    Sight("/link/de/", then=fill("#link-url", "hello", "[role=alert]"), name="no link", forgiven=REFUSED, rarely=True),
    Sight("/erase/de/", then=fill("#author", AUTHOR, "#typed")),
    Sight("/lists/de/sources/", seen=".drop"),
    Sight("/lists/de/sources/new/", then=fill("#name", "Rathaus", "#wrong-value"), name="no value", forgiven=REFUSED),
    Sight("/lists/de/sources/bring/"),
    Sight("/lists/de/sources/{source}/", seen="#panel"),
    Sight("/lists/de/blocks/", then=fill("#block-value", "Stadtrat", ".finding")),
    Sight("/lists/de/blocks/{block}/", seen="#panel"),
    Sight("/lists/de/blocks/bring/"),
    Sight("/lists/de/blocks/lists/new/"),
    Sight("/lists/de/blocks/lists/{block_list}/", seen="#panel"),
    Sight("/lists/de/blocks/new/", then=fill("#block-value", "a", "#wrong-value"), name="no block", forgiven=REFUSED),
    Sight("/lists/de/people/"),
    Sight("/lists/de/settings/", seen="#forecast dl"),
    Sight("/lists/de/settings/politics/"),
    Sight("/lists/de/settings/politics/", then=fill("#id_slots", "99", ".wrong"), name="no setting", forgiven=REFUSED),
    Sight("/budget/de/"),
    Sight("/places/", who="cleo"),
    Sight("/places/markets/add/", who="cleo"),
    Sight("/places/markets/add/", who="cleo", then=press_save, name="no market", forgiven=REFUSED),
    Sight("/places/markets/de/", who="cleo"),
    Sight("/places/categories/add/", who="cleo"),
    Sight("/places/categories/sport/", who="cleo"),
    Sight("/lists/de/people/bring/"),
    Sight("/invitation/{token}/", who=""),
    Sight("/invitation/{token}/", who="gus", name="invitation of a member", rarely=True),
    Sight("/my/decisions/"),
    Sight("/log/de/"),
    Sight("/feed/de/politics/", seen=".shots"),
    Sight("/feed/de/", seen="#machine tbody tr"),
    Sight("/feed/gr/celebrity/", seen=".page .finding", name="a feed that is blank"),
    Sight("/feed/de/politics/?at=x", seen="[role=alert]", status=422),
    Sight("/feed/de/politics/snapshots/1/", seen=".shot"),
    Sight("/feed/de/snapshots/1/", seen=".shot"),
    Sight("/feed/de/politics/hold/", seen="#reason"),
    Sight("/feed/de/hold/?snapshot=blank", seen=".finding--danger"),
    Sight("/feed/de/politics/hold/", then=fill("#reason", "", "#wrong-reason"), name="no hold", forgiven=REFUSED),
    Sight("/feed/gr/celebrity/release/", seen=".turn"),
    Sight("/feed/de/release/", name="nothing to release"),
    Sight("/health/"),
    Sight("/health/de/?runs=troubled"),
    Sight("/health/quarantine/{aside}/", seen=".release"),
    Sight("/log/de/?show=lists", seen=".tabs"),
    Sight("/log/de/?from=x", seen="[role=alert]", status=422),
    Sight("/log/de/?verb=move", seen=".nothing", rarely=True),
    Sight("/posts/{post}/"),
    Sight("/profile/"),
    Sight("/profile/", then=fill("#id_key_skip", "12", ".is-wrong"), name="no key", forgiven=REFUSED, rarely=True),
    Sight("/ticker/de/", who="", seen="telekom-ticker li"),
    Sight("/ticker/de/politics/", who="", seen="telekom-ticker li"),
    Sight("/api/v1/docs/", who="", seen=".opblock-summary-path", ours=False),
    *(Sight(f"/faults/{kind}/", who="", status=status, rarely=kind != "overtaken") for kind, status in
      (("forbidden", 403), ("forged", 403), ("overtaken", 409), ("refused", 422), ("often", 429), ("broken", 500))),
    Sight("/nowhere/", who="", status=404),
    Sight("/lists/de/blocks/bring/", then=brings("Landtag\nx\nZaubertrank"), name="blocks to bring", rarely=True),
    Sight("/lists/de/blocks/bring/", then=brings("Zaubertrank", takes=True), name="blocks brought"),
]  # fmt: skip
ACCOUNTS = [
    *(Sight(ACCOUNT + path, who="") for path in
      ("login/", "signup/", "inactive/", "confirm-email/", "confirm-email/abc/", "password/reset/",
       "password/reset/done/", "password/reset/key/a-b/", "password/reset/key/done/")),
    Sight(ACCOUNT + "login/", who="", then=wrong_password, name="log-in refused"),
    Sight(ACCOUNT + "login/", who="", then=two_locks, name="second step"),
    *(Sight(ACCOUNT + path, who="tara") for path in
      ("logout/", "reauthenticate/", "email/", "password/change/", "sessions/", "2fa/")),
    Sight(LOCKS + "totp/activate/", who="tara", then=fill("#id_code", "000000", "#id_code_error")),
    *(Sight(LOCKS + path, who="tara") for path in
      ("recovery-codes/", "recovery-codes/generate/", "webauthn/", "webauthn/add/", "webauthn/reauthenticate/",
       "webauthn/keys/{passkey}/edit/", "webauthn/keys/{passkey}/remove/", "reauthenticate/")),
    Sight("/profile/", who="tara", name="profile with every lock", rarely=True),
]  # fmt: skip
ROOMS = {"desk": AT_THE_DESK, "pages": PAGES, "accounts": ACCOUNTS}

ELSEWHERE = {"mfa_authenticate": "second step", "mfa_deactivate_totp": "totp"}
"""Routes whose page is met on the way of a sight."""

NO_PAGE: dict[str, tuple[str, ...]] = {
    "answers of programs": (
        "livez", "readyz", "metrics", "schema", "no-such-api", "api-channels", "api-channel", "api-market",
        "api-candidates", "api-candidate",
        "api-candidate-decisions", "api-decisions", "api-undo", "hold", "release", "snapshots-of-market",
        "snapshot-of-market", "snapshots-of-channel", "snapshot-of-channel", "feeds", "feed-of-market",
        "json-feed-of-market", "json-feed-of-channel", "rss-of-market", "rss-of-channel",
        "feed-of-channel", "log-sheet", "people-sheet", "sources-sheet", "api-sources", "api-source", "api-try-source",
        "api-memberships", "api-membership", "api-blocks", "api-block", "api-try-block", "blocks-sheet",
        "mfa_download_recovery_codes", "mfa_login_webauthn", "ticker-app", "channel-ticker-app", "ticker-worker",
    ),
    "pressed, never looked at": (
        "choose-language", "decide-many", "panel-many", "undo", "here", "decide", "add-link", "undo-act",
        "fold-column", "choose-theme", "try-again", "erase-author", "switch-market", "change-person", "invite",
        "withdraw-invitation",
        "source-act", "restore-source", "lift-blocks", "drop-aside", "release-aside",
    ),
    "parts of a page": (
        "market-changes", "changes", "market-arrivals", "arrivals", "panel-reach", "reach-many", "market-resting",
        "budget-lowered", "market-leaving", "leaving", "market-closing", "closing",
        "resting", "market-phone", "phone",
    ),
    "always lead elsewhere here": (
        "account_set_password", "account_confirm_login_code", "company-login", "company-callback",
    ),
    "Django's own, for chiefs": ("admin",),
}  # fmt: skip


def filled(words: str, values: dict[str, Any]) -> str:
    return words.format_map(values) if "{" in words else words
