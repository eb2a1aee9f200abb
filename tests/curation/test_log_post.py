"""One post across one's markets: cells, history, arrivals, what is gone, and nothing of foreign markets."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from curation import operations
from curation.history.matrix import Cell
from curation.models import Candidate, Hit, Tweet
from regions.models import Channel, Role, Source, User
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet, make_user
from tests.curation.test_desk import text_of
from tests.curation.test_log import lines_of


@pytest.fixture
def tweet(db: None) -> Tweet:
    return make_tweet("Ein Ticket für alle Nachtzüge")


@pytest.fixture
def here(tweet: Tweet, de_politics: Channel) -> Candidate:
    return make_candidate(de_politics, tweet=tweet)


def address(tweet: Tweet) -> str:
    return f"/posts/{tweet.current_id}/"


@pytest.mark.parametrize(
    ("name", "status"), [("vera", 200), ("anna", 200), ("lena", 200), ("bram", 404), ("guest", 404)]
)
def test_everybody_of_the_market_sees_it_and_nobody_else(
    browse: Any, request: pytest.FixtureRequest, here: Candidate, name: str, status: int
) -> None:
    assert browse(request.getfixturevalue(name)).get(address(here.tweet)).status_code == status


@pytest.mark.parametrize("path", ["/posts/1/", "/posts/99999999999999999999999/", "/posts/0/"])
def test_an_unknown_post_does_not_exist(browse: Any, anna: User, path: str) -> None:
    assert browse(anna).get(path).status_code == 404


def test_only_ones_own_markets_are_shown(
    browse: Any, anna: User, bram: User, here: Candidate, nl_politics: Channel
) -> None:
    there = make_candidate(nl_politics, tweet=here.tweet)
    operations.block(there, by=bram, version=1, reason="duplicate", note="Al gezien")
    said = text_of(browse(anna).get(address(here.tweet)))
    assert ("One post, 1 market " in said, "duplicate" in said, "bram" in said, "Al gezien" in said) == (
        True, False, False, False,
    )  # fmt: skip
    both = make_user("mila", {"de": Role.VIEWER, "nl": Role.VIEWER}, language="en")
    dossier = browse(both).get(address(here.tweet)).context["dossier"]
    cells = {row.market.code: [cell.state if cell else "" for cell in row.cells] for row in dossier.rows}
    assert cells == {"de": ["pending", "", "", ""], "nl": ["blocked", "", "", ""]}
    assert [line.by for line in dossier.lines if line.decision] == [bram]


def test_an_edited_post_is_found_by_both_ids(browse: Any, anna: User, here: Candidate) -> None:
    first = here.tweet.first_id
    Tweet.objects.update(current_id=first + 7)
    for number in (first, first + 7):
        assert browse(anna).get(f"/posts/{number}/").status_code == 200
    assert browse(anna).get(f"/posts/{first + 1}/").status_code == 404


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({}, ("approved", ["until"])),
        (
            {"slot": 1, "label": "Anzeige", "context": "Satz"},
            ("approved", ["pinned, slot 1", "with context", "Anzeige"]),
        ),
        ({"go_live_at": timedelta(hours=2)}, ("scheduled", ["from"])),
    ],
)
def test_a_cell_of_an_approved_one(
    browse: Any, anna: User, here: Candidate, wish: dict[str, Any], told: tuple[str, list[str]]
) -> None:
    times = {name: timezone.now() + value for name, value in wish.items() if isinstance(value, timedelta)}
    if not wish:
        times = {"expire_at": timezone.now() + timedelta(hours=3)}
    operations.approve(here, by=anna, version=1, **(wish | times))
    cell = browse(anna).get(address(here.tweet)).context["dossier"].rows[0].cells[0]
    assert (cell.state, cell.decided.by, cell.later) == (told[0], anna, "")
    assert [line.split(" at ")[0].startswith(words) for line, words in zip(cell.lines, told[1], strict=True)] == [
        True
    ] * len(told[1])


def test_cells_of_others_tell_why(browse: Any, anna: User, ben: User, tweet: Tweet) -> None:
    held = make_candidate(channel_of("de", "economy"), tweet=tweet, held=True)
    Hit.objects.create(candidate=held, block=make_block("Ticket", effect="hold"))
    blocked = make_candidate(channel_of("de", "sport"), tweet=tweet)
    operations.block(blocked, by=anna, version=1, reason="off_topic")
    make_candidate(channel_of("de", "celebrity"), tweet=tweet, confirmed_by=ben)
    over = make_candidate(channel_of("de", "politics"), tweet=tweet, state="approved")
    Candidate.objects.filter(pk=over.pk).update(expire_at=timezone.now() - timedelta(minutes=1))
    row = browse(anna).get(address(tweet)).context["dossier"].rows[0]
    told = {cell.candidate.channel.category.slug: (cell.state, cell.lines) for cell in row.cells}
    assert told["economy"] == ("held", ["term “Ticket”"])
    assert told["sport"] == ("blocked", ["off topic"])
    assert told["celebrity"] == ("pending", ["approved once by Ben Buche"])
    assert told["politics"][0] == "ended"


def cell_of(browse: Any, user: User, tweet: Tweet) -> Cell:
    cell: Cell = browse(user).get(address(tweet)).context["dossier"].rows[0].cells[0]
    return cell


def test_a_cell_names_who_decided_what_it_tells(browse: Any, anna: User, ben: User, here: Candidate) -> None:
    operations.approve(here, by=anna, version=1)
    operations.decide("annotate", here, by=ben, version=2, label="Anzeige")
    cell = cell_of(browse, anna, here.tweet)
    assert (cell.decided.verb, cell.decided.by, cell.later) == ("approve", anna, "last: annotated by Ben Buche")
    operations.decide("schedule", here, by=ben, version=3, go_live_at=timezone.now() + timedelta(hours=2))
    operations.decide("offer", here, by=anna, version=4, market="nl")
    cell = cell_of(browse, anna, here.tweet)
    told = (cell.state, cell.decided.verb, cell.decided.by, cell.later)
    assert told == ("scheduled", "schedule", ben, "last: offered by Anna Amsel")
    assert re.search(r"Ben Buche, \w+ \d+, .* last: offered by Anna", text_of(browse(anna).get(address(here.tweet))))


def test_nobody_decided_what_only_got_a_label(browse: Any, anna: User, here: Candidate) -> None:
    operations.decide("annotate", here, by=anna, version=1, label="Anzeige")
    cell = cell_of(browse, anna, here.tweet)
    assert (cell.state, cell.decided, cell.later) == ("pending", None, "last: annotated by Anna Amsel")


@pytest.mark.parametrize(("minutes", "lines", "by"), [(5, ["pinned, slot 1"], "ben"), (-5, [], "anna")])
def test_a_pin_is_told_until_it_ends(
    browse: Any, anna: User, ben: User, here: Candidate, minutes: int, lines: list[str], by: str
) -> None:
    operations.approve(here, by=anna, version=1)
    operations.pin(here, by=ben, version=2, slot=1)
    Candidate.objects.update(pinned_until=timezone.now() + timedelta(minutes=minutes))
    cell = cell_of(browse, anna, here.tweet)
    assert (cell.state, cell.lines, cell.decided.by.username) == ("approved", lines, by)


def test_a_markets_clock_is_its_own_for_readers_elsewhere(browse: Any, anna: User, here: Candidate) -> None:
    anna.time_zone = "Asia/Tokyo"
    anna.save()
    before = timezone.now()
    response = browse(anna).get(address(here.tweet))
    (row,) = response.context["dossier"].rows
    assert f"Germany, {row.clock:%H:%M}" in text_of(response)
    berlin = row.clock.replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert before <= berlin <= timezone.now()


def test_the_history_tells_all_verbs_and_how_it_came(browse: Any, anna: User, here: Candidate) -> None:
    source = Source.objects.create(kind="account", value="nachtzug", channel=here.channel)
    Candidate.objects.update(source=source, arrived_at=timezone.now() - timedelta(hours=1))
    operations.approve(here, by=anna, version=1, note="Wichtig")
    operations.withdraw([here.tweet_id], cause="deleted", now=timezone.now())
    gone, approved, came = lines_of(browse(anna).get(address(here.tweet)))
    assert "The system withdrawn in Politics · deleted at X · approved → then withdrawn" in gone
    assert ("Anna Amsel approved in Politics · Wichtig" in approved, "found by @nachtzug in Politics" in came) == (
        True,
        True,
    )


def test_an_offer_tells_its_origin_and_its_words(browse: Any, anna: User, bram: User, here: Candidate) -> None:
    operations.decide("offer", here, by=anna, version=1, market="nl", note="Strecke bis Athen")
    bram.language = "en"
    bram.save()
    said = text_of(browse(bram).get(address(here.tweet)))
    assert ("offered by DE in Politics · Strecke bis Athen" in said, "Anna Amsel" in said) == (True, True)
    assert "DE 0" not in said


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ("deleted", "It was deleted at X, so its text was removed."),
        ("erased", "Its author asked to be erased, so its text was removed."),
        ("suspended", "Its author is suspended at X, so its text was removed."),
    ],
)
def test_of_a_removed_post_the_decisions_stay(browse: Any, anna: User, here: Candidate, cause: str, said: str) -> None:
    name = here.tweet.author.username
    operations.block(here, by=anna, version=1, reason="personal")
    operations.withdraw([here.tweet_id], cause=cause, now=timezone.now())
    response = browse(anna).get(address(here.tweet))
    shown = text_of(response)
    assert (said in shown, "Nachtzüge" in shown, name in shown) == (True, False, False)
    assert ("blocked in Politics · personal" in shown, str(here.tweet.current_id) in shown) == (True, True)


def test_a_post_whose_time_is_up_says_so(browse: Any, anna: User, here: Candidate) -> None:
    Tweet.objects.update(purged_at=timezone.now(), text="", raw=None, author=None, wire={})
    assert "Its time was up, so its text was removed." in text_of(browse(anna).get(address(here.tweet)))


def test_hostile_text_stays_in_its_box(browse: Any, anna: User, de_politics: Channel) -> None:
    author = make_author("spassvogel", name="</b><script>x</script>")
    tweet = make_tweet("<script>alert(1)</script>\u202e", author=author)
    make_candidate(de_politics, tweet=tweet)
    page = browse(anna).get(address(tweet)).content.decode()
    assert ("<script>alert" in page, "<script>x" in page) == (False, False)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\u202e" in page


def test_the_desk_and_the_log_lead_here_and_back(browse: Any, lena: User, here: Candidate) -> None:
    client = browse(lena)
    assert f'href="{address(here.tweet)}"' in client.get("/desk/de/politics/").content.decode()
    operations.approve(here, by=lena, version=1)
    assert f'href="{address(here.tweet)}"' in client.get("/log/de/").content.decode()
    came = {"Referer": "http://testserver/log/de/?who=lena"}
    assert client.get(address(here.tweet), headers=came).context["back"] == "/log/de/?who=lena"
    for foreign in ("http://evil.example/log/de/", "http://testserver/desk/de/"):
        assert client.get(address(here.tweet), headers={"Referer": foreign}).context["back"] == ""


def test_undo_on_the_page_is_a_plain_form_that_leads_back(browse: Any, anna: User, here: Candidate) -> None:
    act = operations.block(here, by=anna, version=1).act
    page = browse(anna).get(address(here.tweet)).content.decode()
    assert (f'action="/acts/{act.pk}/undo/"' in page, 'hx-post="/acts/' in page) == (True, False)
    response = browse(anna).post(f"/acts/{act.pk}/undo/", {"next": address(here.tweet)})
    assert (response.status_code, response.url) == (302, address(here.tweet))
    here.refresh_from_db()
    assert here.state == "pending"


def test_undo_of_others_is_offered_to_leads_alone(
    browse: Any, anna: User, ben: User, vera: User, lena: User, here: Candidate
) -> None:
    operations.block(here, by=anna, version=1)
    offered = {
        user.username: "/undo/" in browse(user).get(address(here.tweet)).content.decode()
        for user in (anna, ben, vera, lena)
    }
    assert offered == {"anna": True, "ben": False, "vera": False, "lena": True}
