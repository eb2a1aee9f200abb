"""The panels of the verbs: what they offer, what they ask first, what stays typed when they are refused."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation import operations
from curation.models import Act, Candidate, Offer, State
from regions.models import Block, Channel, Market, Role, User
from tests.cast import channel_of, make_author, make_candidate, make_tweet, make_user
from tests.curation.test_desk import DESK, HTMX, in_german, rows_of, text_of
from tests.curation.test_desk_decisions import door, states

WIRE = {
    "entities": {
        "urls": [{"start": 0, "end": 5, "url": "https://t.co/a", "expanded_url": "https://www.schnellreich.example/tipp"}],
        "hashtags": [{"start": 6, "end": 16, "tag": "Stichwahl"}],
    },
    "media": [],
    "refs": [],
}  # fmt: skip


def panel_of(candidate: Candidate, verb: str, version: int | None = 1) -> str:
    return f"{door(candidate)}panel/{verb}/" + (f"?version={version}" if version else "")


def target(candidate: Candidate) -> dict[str, str]:
    return HTMX | {"HX-Target": f"row-{candidate.pk}"}


def field(response: HttpResponse, name: str) -> str:
    """The opening tag of a field."""
    found = re.search(rf'<(?:input|select)[^>]*name="{name}"[^>]*>', response.content.decode())
    return found[0] if found else ""


def tipp(channel: Channel, **fields: Any) -> Candidate:
    return make_candidate(channel, tweet=make_tweet("tippt #Stichwahl", wire=WIRE, author=fields.pop("author", None)))


@pytest.mark.parametrize("verb", ["block", "pin", "schedule", "annotate", "move", "offer"])
def test_each_verb_has_its_panel_in_the_row_and_as_a_page(
    browse: Any, anna: User, de_politics: Channel, verb: str
) -> None:
    candidate = make_candidate(de_politics)
    part = browse(anna).get(panel_of(candidate, verb), headers=HTMX).content.decode()
    page = browse(anna).get(panel_of(candidate, verb)).content.decode()
    for html in (part, page):
        assert f'name="panel" value="{verb}"' in html
        assert 'name="version" value="1"' in html
    assert ("<html" in part, "<html" in page) == (False, True)


@pytest.mark.parametrize("verb", ["unpin", "reopen", "approve", "praise", "undo"])
def test_a_verb_without_a_panel_says_that_it_cannot_be(
    browse: Any, anna: User, de_politics: Channel, verb: str
) -> None:
    candidate = make_candidate(de_politics)
    response = browse(anna).get(panel_of(candidate, verb), headers=HTMX)
    assert (response.status_code, response["HX-Retarget"]) == (422, f"#row-{candidate.pk}")
    assert rows_of(response) == [candidate.pk]


@pytest.mark.parametrize(("who", "status"), [("bram", 404), ("vera", 403), ("guest", 404)])
def test_who_may_not_decide_opens_none(
    browse: Any, request: pytest.FixtureRequest, de_politics: Channel, who: str, status: int
) -> None:
    candidate, person = make_candidate(de_politics), browse(request.getfixturevalue(who))
    assert person.get(panel_of(candidate, "block")).status_code == status
    assert person.get(door(candidate) + "reach/").status_code == status
    sent = {"candidate": f"{candidate.pk}:1"}
    assert person.post("/desk/de/decisions/block/", sent).status_code == status


def test_a_channel_answers_for_its_own_only(browse: Any, anna: User, de_politics: Channel) -> None:
    elsewhere = make_candidate(channel_of("de", "sport"))
    assert browse(anna).get(f"{DESK}candidates/{elsewhere.pk}/panel/block/").status_code == 404
    assert browse(anna).get(f"{DESK}candidates/{elsewhere.pk}/reach/").status_code == 404


def test_a_row_that_changed_since_comes_back_instead(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.block(candidate, by=ben, version=1)
    response = browse(in_german(anna)).get(panel_of(candidate, "schedule"), headers=HTMX)
    assert (response.status_code, response["HX-Retarget"]) == (409, f"#row-{candidate.pk}")
    assert rows_of(response) == [candidate.pk]
    assert "Ben Buche" in text_of(response)
    page = browse(anna).get(panel_of(candidate, "schedule"))
    assert (page.status_code, 'name="panel"' in page.content.decode()) == (409, False)


def test_in_the_live_column_the_sentence_stands_where_the_panel_would(
    browse: Any, anna: User, ben: User, de_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    operations.block(candidate, by=ben, version=1)
    headers = HTMX | {"HX-Target": f"live-panel-{candidate.pk}"}
    response = browse(anna).get(panel_of(candidate, "schedule"), headers=headers)
    assert (response.status_code, "HX-Retarget" in response, rows_of(response)) == (409, False, [])
    assert "Ben Buche" in text_of(response)


# --- block ---


def test_the_reasons_are_those_that_the_channel_offers(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    every = browse(anna).get(panel_of(candidate, "block"), headers=HTMX).content.decode()
    assert re.findall(r'name="reason" value="(\w+)" data-digit="(\d)"', every) == [
        ("off_topic", "1"), ("duplicate", "2"), ("spam", "3"), ("hate", "4"), ("false", "5"), ("legal", "6"),
        ("personal", "7"), ("other", "8"),
    ]  # fmt: skip
    Channel.objects.filter(pk=de_politics.pk).update(reasons=["spam", "hate"])
    some = browse(anna).get(panel_of(candidate, "block"), headers=HTMX).content.decode()
    assert re.findall(r'name="reason" value="(\w+)"', some) == ["spam", "hate"]


def test_no_reason_is_chosen_for_anybody(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    assert " checked" not in browse(anna).get(panel_of(candidate, "block"), headers=HTMX).content.decode()
    sent = {"verb": "block", "panel": "block", "version": 1, "note": "Wie gestern"}
    response = browse(anna).post(door(candidate), sent, headers=target(candidate))
    assert (response.status_code, states(candidate)) == (422, [State.PENDING])
    assert "Choose why." in text_of(response)
    assert 'value="Wie gestern"' in field(response, "note")


@pytest.mark.parametrize(
    ("who", "scopes"),
    [("anna", ["channel"]), ("lena", ["channel", "market"]), ("chief", ["channel", "market", "global"])],
)
def test_the_scopes_are_those_of_ones_rights(
    browse: Any, request: pytest.FixtureRequest, de_politics: Channel, who: str, scopes: list[str]
) -> None:
    candidate = tipp(de_politics)
    html = browse(request.getfixturevalue(who)).get(panel_of(candidate, "block"), headers=HTMX).content.decode()
    assert re.findall(r'<option value="(\w+)"', html) == scopes


def test_what_can_be_blocked_beside_it_is_the_posts_own(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = tipp(de_politics, author=make_author("tippblitz"))
    html = browse(anna).get(panel_of(candidate, "block"), headers=HTMX).content.decode()
    assert re.findall(r'name="also" value="([^"]+)"', html) == [
        "author::", "domain::schnellreich.example", "hashtag::Stichwahl",
    ]  # fmt: skip
    assert "@tippblitz" in html


def test_one_press_blocks_the_post_and_what_was_ticked(browse: Any, lena: User, de_politics: Channel) -> None:
    candidate = tipp(de_politics)
    sent = {
        "verb": "block", "panel": "block", "version": 1, "reason": "spam", "note": "Masche", "scope": "market",
        "also": ["author::", "domain::schnellreich.example"],
    }  # fmt: skip
    response = browse(lena).post(door(candidate), sent, headers=target(candidate))
    assert (response.status_code, states(candidate)) == (200, [State.BLOCKED])
    laid = Block.objects.filter(market=de_politics.market).order_by("kind")
    assert [(block.kind, block.value, block.reason) for block in laid] == [
        ("author", str(candidate.tweet.author_id), "spam"),
        ("domain", "schnellreich.example", "spam"),
    ]


def test_a_scope_beyond_ones_rights_is_refused(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = tipp(de_politics)
    sent = {"verb": "block", "panel": "block", "version": 1, "reason": "spam", "scope": "market", "also": "author::"}
    assert browse(anna).post(door(candidate), sent, headers=target(candidate)).status_code == 403
    assert (states(candidate), Block.objects.count()) == ([State.PENDING], 0)


def reach_of(browse: Any, user: User, candidate: Candidate, **ticked: Any) -> str:
    return text_of(browse(user).get(door(candidate) + "reach/", ticked, headers=HTMX)).strip()


def test_the_dry_run_counts_what_it_would_have_hit(browse: Any, anna: User, de_politics: Channel) -> None:
    author = make_author("tippblitz")
    candidate = tipp(de_politics, author=author)
    for _ in range(2):
        tipp(de_politics)
    make_candidate(de_politics, tweet=make_tweet("Noch ein Tipp", author=author), state=State.APPROVED)
    old = timezone.now() - timedelta(days=8)
    make_candidate(de_politics, tweet=make_tweet("Alt", author=author, created_at=old))
    tipp(channel_of("de", "sport"), author=author)
    assert reach_of(browse, anna, candidate) == "Only this post is blocked."
    by_author = reach_of(browse, anna, candidate, also="author::", scope="channel")
    assert by_author == "Would have hit 2 posts in 7 days. 1 is live and goes at once."
    both = reach_of(browse, anna, candidate, also=["author::", "hashtag::Stichwahl"], scope="channel")
    assert both == "Would have hit 4 posts in 7 days. 1 is live and goes at once."
    domain = reach_of(browse, anna, candidate, also="domain::schnellreich.example", scope="channel")
    assert domain == "Would have hit 3 posts in 7 days. None of it is live."


def test_the_dry_run_asks_no_more_when_more_is_there(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = tipp(de_politics)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            reach_of(browse, anna, candidate, also=["author::", "hashtag::Stichwahl"], scope="channel")
        return len(queries)

    few = asked()
    for _ in range(20):
        tipp(de_politics)
        tipp(de_politics, author=candidate.tweet.author)
    assert asked() == few


def test_the_dry_run_of_a_market_sees_all_its_channels_and_no_other(
    browse: Any, lena: User, de_politics: Channel
) -> None:
    author = make_author("tippblitz")
    candidate = tipp(de_politics, author=author)
    tipp(channel_of("de", "sport"), author=author)
    tipp(channel_of("nl", "politics"), author=author)
    wide = reach_of(browse, lena, candidate, also="author::", scope="market")
    assert wide.startswith("Would have hit 2 posts")


def test_the_dry_run_says_where_it_was_bounded(
    browse: Any, anna: User, de_politics: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curation.blocking.reach.MOST_READ", 2)
    candidate = tipp(de_politics)
    for _ in range(3):
        tipp(de_politics)
    told = reach_of(browse, anna, candidate, also="hashtag::Stichwahl", scope="channel")
    assert told == "Of the newest 2 posts of 7 days it would have hit 2. None of it is live."


@pytest.mark.parametrize(
    "ticked", ["", "x", "author", "domain::", "hashtag::!!", "tweet::1", "author:global:", "a:b:c:d"]
)
def test_a_dry_run_of_nothing_usable_counts_nothing(browse: Any, anna: User, de_politics: Channel, ticked: str) -> None:
    candidate = tipp(de_politics)
    response = browse(anna).get(door(candidate) + "reach/", {"also": ticked, "scope": "global"}, headers=HTMX)
    assert response.status_code == 200


# --- pin ---


def test_slots_say_who_holds_them_and_a_taken_one_is_swapped(browse: Any, anna: User, de_politics: Channel) -> None:
    author = make_author("wahlamt", name="Wahlamt Lindmark")
    holder = make_candidate(de_politics, tweet=make_tweet(author=author), state=State.APPROVED, slot=2)
    candidate = make_candidate(de_politics)
    panel = browse(anna).get(panel_of(candidate, "pin"), headers=HTMX)
    assert f'name="holder" value="2:{holder.pk}"' in panel.content.decode()
    assert "Wahlamt Lindmark" in text_of(panel)
    assert re.search(r'value="1" data-digit="1" checked', panel.content.decode())
    sent = {"verb": "pin", "panel": "pin", "version": 1, "slot": 2, "holder": f"2:{holder.pk}"}
    assert browse(anna).post(door(candidate), sent, headers=target(candidate)).status_code == 200
    candidate.refresh_from_db()
    holder.refresh_from_db()
    assert (candidate.slot, holder.slot, holder.state) == (2, None, State.APPROVED)


def test_a_slot_that_was_free_when_it_was_chosen_displaces_nobody(
    browse: Any, anna: User, de_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    holder = make_candidate(de_politics, state=State.APPROVED, slot=2)
    other = make_candidate(de_politics, state=State.APPROVED, slot=1)
    sent = {"verb": "pin", "panel": "pin", "version": 1, "slot": 2}
    for seen in ([], [f"2:{other.pk}"], ["2:x"], [f"1:{other.pk}"]):
        response = browse(anna).post(door(candidate), sent | {"holder": seen}, headers=target(candidate))
        assert (response.status_code, states(candidate)) == (409, [State.PENDING])
    assert f'name="holder" value="2:{holder.pk}"' in response.content.decode()
    assert "That slot is taken" in text_of(response)


# --- schedule ---


def test_times_are_typed_by_the_markets_clock(browse: Any, anna: User, de_politics: Channel) -> None:
    anna.time_zone = "America/New_York"
    anna.save()
    live = datetime(2030, 7, 1, 10, 30, tzinfo=UTC)
    candidate = make_candidate(de_politics, state=State.APPROVED, go_live_at=live)
    response = browse(anna).get(panel_of(candidate, "schedule"), headers=HTMX)
    assert 'value="2030-07-01T12:30"' in field(response, "go_live_at")
    assert "Europe/Berlin (CE" in text_of(response)
    said = re.findall(r"<output[^>]*>([^<]*)</output>", response.content.decode())
    assert said == ["Monday, July 1, 2030, 12:30 CEST", ""]
    sent = {"verb": "schedule", "panel": "schedule", "version": 1, "go_live_at": "2030-07-01T13:00", "expire_at": ""}
    browse(anna).post(door(candidate), sent, headers=target(candidate))
    candidate.refresh_from_db()
    assert candidate.go_live_at == datetime(2030, 7, 1, 11, 0, tzinfo=UTC)


@time_machine.travel("2027-05-01T10:00:00Z", tick=False)
def test_an_hour_that_comes_twice_says_which_is_meant(browse: Any, anna: User, de_politics: Channel) -> None:
    live = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    candidate = make_candidate(de_politics, state=State.APPROVED, go_live_at=live)
    response = browse(anna).get(panel_of(candidate, "schedule"), headers=HTMX)
    said = re.findall(r"<output[^>]*>([^<]*)</output>", response.content.decode())
    assert said == ["Sunday, October 31, 02:30 CEST · comes twice that day: the first is meant", ""]
    assert "Europe/Berlin (CET/CEST)" in text_of(response)


@time_machine.travel("2030-07-01T20:30:00Z", tick=False)
def test_usual_times_are_offered_while_they_are_to_come(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    html = browse(anna).get(panel_of(candidate, "schedule"), headers=HTMX).content.decode()
    assert re.findall(r'data-fills="(\w+)-\d+" data-with="([^"]+)"', html) == [
        ("go_live_at", "2030-07-01T23:30"),
        ("go_live_at", "2030-07-02T01:30"),
        ("go_live_at", "2030-07-02T07:00"),
        ("expire_at", "2030-07-02T01:30"),
        ("expire_at", "2030-07-02T22:00"),
    ]


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"go_live_at": "", "expire_at": ""}, "go_live_at"),
        ({"go_live_at": "soon", "expire_at": ""}, "go_live_at"),
        ({"go_live_at": "", "expire_at": "2020-01-01T10:00"}, "expire_at"),
        ({"go_live_at": "2030-07-01T10:00", "expire_at": "2030-07-01T09:00"}, "expire_at"),
        ({"go_live_at": "2031-03-30T02:30", "expire_at": ""}, "go_live_at"),
    ],
)
def test_a_refused_window_stays_typed_with_the_field_marked(
    browse: Any, anna: User, de_politics: Channel, sent: dict[str, str], wrong: str
) -> None:
    candidate = make_candidate(de_politics)
    told = {"verb": "schedule", "panel": "schedule", "version": 1} | sent
    row = browse(anna).post(door(candidate), told, headers=target(candidate))
    page = browse(anna).post(door(candidate), told)
    for response in (row, page):
        assert (response.status_code, states(candidate)) == (422, [State.PENDING])
        for name, value in sent.items():
            assert f'value="{value}"' in field(response, name)
            assert ('aria-invalid="true"' in field(response, name)) == (name == wrong)
        assert f'id="told-{wrong}-{candidate.pk}" role="alert"' in response.content.decode()
    assert rows_of(row) == [candidate.pk]


def test_what_others_did_meanwhile_closes_the_panel(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.block(candidate, by=ben, version=1)
    told = {"verb": "schedule", "panel": "schedule", "version": 1, "go_live_at": ""}
    response = browse(in_german(anna)).post(door(candidate), told, headers=target(candidate))
    assert (response.status_code, rows_of(response)) == (409, [candidate.pk])
    assert 'name="panel"' not in response.content.decode()
    assert "Ben Buche hat gesperrt" in text_of(response)
    assert browse(anna).post(door(candidate), told).url == DESK


# --- words ---


def test_words_are_kept_and_cleared(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, label="Alt")
    sent = {"verb": "annotate", "panel": "annotate", "version": 1, "context": "Heute wird gewählt.", "label": ""}
    response = browse(anna).post(door(candidate), sent, headers=target(candidate))
    candidate.refresh_from_db()
    assert (candidate.context, candidate.label, candidate.state) == ("Heute wird gewählt.", "", State.PENDING)
    assert "Heute wird gewählt." in text_of(response)
    panel = browse(anna).get(panel_of(candidate, "annotate", 2), headers=HTMX)
    assert 'value="Heute wird gewählt."' in field(panel, "context")


def test_words_that_are_too_long_stay_typed(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    sent = {"verb": "annotate", "panel": "annotate", "version": 1, "context": "w" * 201, "label": "Anzeige"}
    response = browse(anna).post(door(candidate), sent, headers=target(candidate))
    assert response.status_code == 422
    assert "w" * 201 in field(response, "context")
    assert 'aria-invalid="true"' in field(response, "context")
    assert 'value="Anzeige"' in field(response, "label")


def test_the_usual_labels_are_the_channels_own(browse: Any, anna: User, de_politics: Channel) -> None:
    for label in ("Eilmeldung", "Eilmeldung", "Gewinnspiel"):
        make_candidate(de_politics, state=State.APPROVED, label=label)
    candidate = make_candidate(de_politics)
    html = browse(anna).get(panel_of(candidate, "annotate"), headers=HTMX).content.decode()
    assert re.findall(r'<option value="([^"]+)"', html) == ["Anzeige", "Eilmeldung", "Gewinnspiel"]


# --- elsewhere ---


def test_digits_lead_to_the_categories_as_on_the_rail(browse: Any, anna: User, de_politics: Channel) -> None:
    make_candidate(channel_of("de", "sport"))
    candidate = make_candidate(de_politics)
    html = browse(anna).get(panel_of(candidate, "move"), headers=HTMX).content.decode()
    rail = browse(anna).get(DESK).content.decode()
    for slug, digit in re.findall(r'name="category" value="([\w-]+)" data-digit="(\d)"', html):
        assert re.search(rf'href="/desk/de/{slug}/" data-digit="{digit}"', rail)
    assert "politics" not in re.findall(r'name="category" value="([\w-]+)"', html)
    response = browse(anna).post(
        door(candidate),
        {"verb": "move", "panel": "move", "version": 1, "category": "sport"},
        headers=target(candidate),
    )
    assert (response.status_code, states(candidate)) == (200, [State.BLOCKED])
    assert Candidate.objects.filter(channel=channel_of("de", "sport"), tweet=candidate.tweet).count() == 1


def test_a_category_that_has_it_says_so_in_the_panel(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    make_candidate(channel_of("de", "sport"), tweet=candidate.tweet)
    sent = {"verb": "move", "panel": "move", "version": 1, "category": "sport"}
    response = browse(anna).post(door(candidate), sent, headers=target(candidate))
    assert (response.status_code, 'name="panel" value="move"' in response.content.decode()) == (409, True)
    assert "That category has this post already." in text_of(response)


def test_an_offer_arrives_with_who_and_why(browse: Any, anna: User, bram: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    html = browse(anna).get(panel_of(candidate, "offer"), headers=HTMX).content.decode()
    others = Market.objects.active().exclude(code="de").values_list("code", flat=True)
    assert re.findall(r'name="market" value="(\w+)"', html) == list(others)
    sent = {"verb": "offer", "panel": "offer", "version": 1, "market": "nl", "note": "Betrifft eure Pendler."}
    response = browse(anna).post(door(candidate), sent, headers=target(candidate))
    assert (response.status_code, states(candidate)) == (200, [State.PENDING])
    assert Offer.objects.get().note == "Betrifft eure Pendler."
    bram.language = "en"
    bram.save()
    there = text_of(browse(bram).get("/desk/nl/politics/"))
    assert "Offered by DE Anna Amsel: Betrifft eure Pendler." in there
    assert ("offered by DE" in there, "by hand" in there) == (True, False)
    assert "Offered to NL" in text_of(browse(anna).get(DESK))
    again = text_of(browse(anna).get(panel_of(candidate, "offer", 2), headers=HTMX))
    assert again.count("sent already") == 1


# --- similar ones, second pair of eyes, decided ones ---


def test_a_similar_live_one_can_be_joined(browse: Any, anna: User, de_politics: Channel) -> None:
    live = make_candidate(de_politics, "Stau auf der Brücke", state=State.APPROVED)
    candidate = make_candidate(de_politics, "Stau auf der Brücke!", group=live)
    panel = browse(anna).get(panel_of(candidate, "approve"), headers=HTMX)
    assert (panel.status_code, "Stau auf der Brücke" in text_of(panel)) == (200, True)
    sent = {"verb": "approve", "panel": "approve", "version": 1, "with_similar": "1"}
    assert browse(anna).post(door(candidate), sent, headers=target(candidate)).status_code == 200
    candidate.refresh_from_db()
    assert (candidate.state, candidate.with_similar) == (State.APPROVED, True)


def test_who_approved_first_sees_why_the_button_is_not_theirs(
    browse: Any, anna: User, ben: User, de_politics: Channel
) -> None:
    Channel.objects.filter(pk=de_politics.pk).update(second_pair=True)
    candidate = make_candidate(de_politics)
    operations.approve(candidate, by=anna, version=1)
    own, other = browse(anna).get(DESK), browse(ben).get(DESK)
    assert "You approved it. Somebody else has to approve it too" in text_of(own)
    assert "You approved it" not in text_of(other)
    for response, buttons in ((own, []), (other, [candidate.pk])):
        row = response.content.decode().split(f'id="row-{candidate.pk}"')[1].split("</li>")[0]
        assert ([candidate.pk] if 'name="verb" value="approve"' in row else []) == buttons
        assert ('data-panel="schedule"' in row) == bool(buttons)
    assert browse(anna).get(panel_of(candidate, "pin", 2), headers=HTMX).status_code == 422


def test_a_decided_row_can_be_reopened_and_more(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    sent = {"verb": "approve", "version": 1}
    html = browse(anna).post(door(candidate), sent, headers=target(candidate)).content.decode()
    assert 'name="verb" value="reopen"' in html
    assert re.findall(r'data-panel="(\w+)"', html) == ["schedule", "annotate", "move", "block", "pin", "offer"]
    reopened = browse(anna).post(door(candidate), {"verb": "reopen", "version": 2}, headers=target(candidate))
    assert (reopened.status_code, states(candidate)) == (200, [State.PENDING])


# --- several ---


def picked(*rows: Candidate) -> list[str]:
    return [f"{row.pk}:1" for row in rows]


def test_a_selection_is_told_before_anything_is_done(browse: Any, anna: User, de_politics: Channel) -> None:
    one, two = make_author("eins", name="Rathaus"), make_author("zwei", name="Stadtblatt")
    rows = [make_candidate(de_politics, tweet=make_tweet(author=author)) for author in (one, one, two)]
    for headers in (HTMX, {}):
        response = browse(anna).post("/desk/de/decisions/block/", {"candidate": picked(*rows)}, headers=headers)
        assert "3 posts: \u2068Rathaus\u2069 2, \u2068Stadtblatt\u2069" in text_of(response)
        assert "Only these posts are blocked." in text_of(response)
        assert "Would have hit" not in text_of(response)
    assert (states(*rows), Act.objects.count()) == ([State.PENDING] * 3, 0)


def test_a_selection_is_blocked_for_a_reason_with_its_authors(browse: Any, anna: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics) for _ in range(2)]
    sent = {
        "verb": "block", "panel": "block", "reason": "spam", "also": "author::", "scope": "channel",
        "candidate": picked(*rows), "key": "k",
    }  # fmt: skip
    response = browse(anna).post("/desk/de/decisions/", sent, headers=HTMX | {"HX-Target": "bulk"})
    assert (response.status_code, states(*rows)) == (200, [State.BLOCKED] * 2)
    assert Block.objects.filter(kind="author", channel=de_politics).count() == 2
    assert 'name="panel"' not in response.content.decode()


def test_a_selection_that_is_refused_stays_with_what_was_typed(browse: Any, anna: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics) for _ in range(2)]
    base = {"candidate": picked(*rows), "key": "k"}
    no_reason = base | {"verb": "block", "panel": "block", "note": "Wie gestern"}
    past = base | {"verb": "schedule", "panel": "schedule", "go_live_at": "", "expire_at": "2020-01-01T10:00"}
    for sent, kept in ((no_reason, "Wie gestern"), (past, "2020-01-01T10:00")):
        bar = browse(anna).post("/desk/de/decisions/", sent, headers=HTMX | {"HX-Target": "bulk"})
        page = browse(anna).post("/desk/de/decisions/", sent)
        for response in (bar, page):
            assert (response.status_code, states(*rows)) == (422, [State.PENDING] * 2)
            assert f'value="{kept}"' in response.content.decode()
            assert 'role="alert"' in response.content.decode()
        assert rows_of(bar) == []
        assert [f"{row.pk}:1" in page.content.decode() for row in rows] == [True, True]


def test_what_several_share_is_blocked_with_them_and_reckoned_before(
    browse: Any, anna: User, de_politics: Channel
) -> None:
    sport = channel_of("de", "sport")
    rows = [tipp(de_politics), tipp(de_politics), tipp(sport), make_candidate(de_politics)]
    person = browse(anna)
    panel = person.post("/desk/de/decisions/block/", {"candidate": picked(*rows)}, headers=HTMX)
    boxes = re.findall(r'name="also" value="([^"]*)"', panel.content.decode())
    assert boxes == ["author::", "domain::schnellreich.example", "hashtag::Stichwahl"]
    assert "#Stichwahl (3)" in text_of(panel)
    sent = {"candidate": picked(*rows[1:]), "scope": "channel", "also": ["hashtag::Stichwahl"]}
    reckoned = {
        scope: text_of(person.post("/desk/de/decisions/reach/", sent | {"scope": scope}, headers=HTMX)).strip()
        for scope in ("channel", "market", "global")
    }
    assert reckoned["channel"] == "Would have hit 3 posts in 7 days. None of it is live."
    assert (reckoned["market"], reckoned["global"]) == ("Only these posts are blocked.",) * 2
    none = person.post("/desk/de/decisions/reach/", sent | {"candidate": []}, headers=HTMX)
    assert (none.status_code, Act.objects.count()) == (422, 0)
    done = {"verb": "block", "panel": "block", "reason": "spam", "key": "k"}
    response = person.post("/desk/de/decisions/", sent | done, headers=HTMX | {"HX-Target": "bulk"})
    assert (response.status_code, states(*rows)) == (200, [State.PENDING, *[State.BLOCKED] * 3])
    laid = Block.objects.filter(kind="hashtag").values_list("channel", flat=True)
    assert sorted(laid) == sorted([de_politics.pk, sport.pk])


def test_without_script_the_page_tells_the_reach_and_keeps_what_was_typed(
    browse: Any, anna: User, de_politics: Channel
) -> None:
    rows = [tipp(de_politics), tipp(de_politics)]
    typed = {
        "panel": "block",
        "also": ["hashtag::Stichwahl"],
        "scope": "channel",
        "reason": "spam",
        "note": "Wie gestern",
    }
    alone = typed | {"version": "1", "verb": "block"}
    for address, sent in ((panel_of(rows[0], "block", None), alone), ("/desk/de/decisions/block/", typed)):
        page = browse(anna).post(address, sent | {"candidate": picked(*rows)})
        assert (page.status_code, Act.objects.count()) == (200, 0)
        assert "Would have hit 2 posts in 7 days. None of it is live." in text_of(page)
        html = page.content.decode()
        assert re.findall(r'value="([^"]*)"[^>]* checked', html) == ["spam", "hashtag::Stichwahl"]
        assert 'value="Wie gestern"' in html
        assert f'formaction="{address}"' in html


def test_without_script_a_pin_asks_who_gives_way_where_all_slots_are_taken(
    browse: Any, anna: User, de_politics: Channel
) -> None:
    holders = [make_candidate(de_politics, state=State.APPROVED, slot=n + 1) for n in range(de_politics.slots)]
    candidate = make_candidate(de_politics)
    sent = {"verb": "pin", "version": "1", "key": "k", "next": DESK}
    page = browse(anna).post(door(candidate), sent)
    html = page.content.decode()
    assert (page.status_code, states(candidate)) == (409, [State.PENDING])
    assert "All slots are taken." in text_of(page)
    assert html.count('name="slot"') == html.count('name="holder"') == de_politics.slots
    swap = sent | {"panel": "pin", "slot": "2", "holder": f"2:{holders[1].pk}", "key": "other"}
    assert browse(anna).post(door(candidate), swap)["Location"] == DESK
    for one in (candidate, holders[1]):
        one.refresh_from_db()
    assert (candidate.slot, holders[1].slot, holders[1].state) == (2, None, State.APPROVED)


@pytest.mark.parametrize("verb", ["annotate", "offer", "pin", "approve", "praise"])
def test_other_verbs_have_no_panel_for_a_selection(browse: Any, anna: User, de_politics: Channel, verb: str) -> None:
    sent = {"candidate": picked(make_candidate(de_politics))}
    assert browse(anna).post(f"/desk/de/decisions/{verb}/", sent).status_code == 404


@pytest.mark.parametrize("picks", [[], ["x"], ["1"], ["999999:1"]])
def test_a_selection_of_nothing_opens_none(browse: Any, anna: User, picks: list[str]) -> None:
    response = browse(anna).post("/desk/de/decisions/block/", {"candidate": picks}, headers=HTMX)
    assert (response.status_code, 'name="panel"' in response.content.decode()) == (422, False)


def test_a_selection_holds_ones_own_markets_posts_alone(
    browse: Any, db: None, de_politics: Channel, nl_politics: Channel
) -> None:
    both = make_user("mila", {"de": Role.EDITOR, "nl": Role.EDITOR})
    here, there = make_candidate(de_politics), make_candidate(nl_politics)
    sent = {"candidate": picked(here, there)}
    page = browse(both).post("/desk/de/decisions/move/", sent).content.decode()
    assert (f"{here.pk}:1" in page, f"{there.pk}:1" in page) == (True, False)
