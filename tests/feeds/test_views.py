"""What the desk shows of feeds: receipts, slots, the phone; and the public ticker page."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from curation import operations
from feeds.models import Consumer, Mode, Snapshot
from feeds.operations import publish
from regions.models import Channel, User
from tests.cast import channel_of, make_candidate, make_tweet

LIVE = "/live/de/politics/"


def text_of(response: HttpResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


def in_english(user: User) -> User:
    user.language = "en"
    user.save()
    return user


@pytest.mark.parametrize("path", [LIVE, "/live/de/", "/phone/de/", "/phone/de/politics/"])
def test_members_only(browse: Any, bram: User, path: str) -> None:
    assert browse().get(path).status_code == 302
    assert browse(bram).get(path).status_code == 404


def test_what_is_not_published_yet_says_so(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.decide("approve", candidate, by=anna, version=1, now=timezone.now() - timedelta(seconds=14))
    response = browse(in_english(anna)).get(LIVE)
    assert re.search(r"not live yet · 1[45] s", text_of(response))
    assert (response.context["board"].live, response.context["board"].waiting) == (0, True)


def test_the_receipt_is_the_time_of_the_snapshot(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.decide("approve", candidate, by=anna, version=1)
    publish(de_politics.market_id)
    first = Snapshot.objects.get(feed__channel=de_politics)
    operations.decide("approve", make_candidate(de_politics), by=anna, version=1)
    publish(de_politics.market_id)
    board = browse(in_english(anna)).get(LIVE).context["board"]
    since = {line.candidate.pk: line.since for line in board.lines}
    assert since[candidate.pk] == first.at
    assert (board.live, board.waiting, board.snapshot.number) == (2, False, 2)


def test_after_an_interruption_it_is_live_since_its_return(
    browse: Any, anna: User, ben: User, de_politics: Channel
) -> None:
    """Undo gives back when it was approved, which is long before it was seen again."""
    candidate = make_candidate(de_politics)
    operations.decide("approve", candidate, by=anna, version=1)
    publish(de_politics.market_id)
    blocked = operations.decide("block", candidate, by=ben, version=2)
    publish(de_politics.market_id)
    operations.undo(blocked.act, by=ben)
    publish(de_politics.market_id)
    (line,) = browse(in_english(anna)).get(LIVE).context["board"].lines
    assert line.since == Snapshot.objects.get(feed__channel=de_politics, number=3).at


def test_pins_stand_at_their_slots_and_free_ones_are_shown(browse: Any, anna: User, de_politics: Channel) -> None:
    pinned, plain = make_candidate(de_politics), make_candidate(de_politics)
    operations.decide("pin", pinned, by=anna, version=1, slot=2)
    operations.decide("approve", plain, by=anna, version=1)
    board = browse(anna).get(LIVE).context["board"]
    assert [(slot, line and line.candidate.pk) for slot, line in board.pins] == [(1, None), (2, pinned.pk), (3, None)]
    assert [line.candidate.pk for line in board.flow] == [plain.pk]


def test_the_market_shows_all_its_channels(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.decide("approve", candidate, by=anna, version=1)
    publish(de_politics.market_id)
    board = browse(anna).get("/live/de/").context["board"]
    assert [line.candidate.pk for line in board.lines] == [candidate.pk]
    assert board.lines[0].since == Snapshot.objects.get(feed__channel=None, feed__market__code="de").at


def test_a_markets_pins_say_whose_slots_they_hold(browse: Any, anna: User, de_politics: Channel) -> None:
    for channel in (de_politics, channel_of("de", "sport")):
        operations.decide("pin", make_candidate(channel), by=anna, version=1, slot=2)
    html = browse(in_english(anna)).get("/live/de/").content.decode()
    assert sorted(re.findall(r"<span>((?:Politics|Sport) ?\d?)</span>", html)) == ["Politics 2", "Sport 2"]
    assert [re.sub(r"<[^>]+>", "", slot) for slot in re.findall(r'entry__slot">(.*?)</span>', html)] == ["", ""]


def test_reopening_is_called_the_same_as_in_a_row(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, state="approved")
    html = browse(in_english(anna)).get(LIVE).content.decode()
    assert re.findall(r'value="reopen"[^>]*>([^<]*)<', html) == ["Reopen"]
    row = browse(anna).get(f"/desk/de/politics/candidates/{candidate.pk}/similar/").content.decode()
    assert [words.strip() for words in re.findall(r'value="reopen"[^>]*>.*?</svg>([^<]*)<', row)] == ["reopen"]


def test_unpin_and_block_stand_beside_each_line(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.decide("pin", candidate, by=anna, version=1)
    html = browse(anna).get(LIVE).content.decode()
    assert f'hx-post="/desk/de/politics/candidates/{candidate.pk}/"' in html
    assert re.findall(r'name="verb" value="(\w+)"', html) == ["unpin", "block", "reopen"]


def test_links_read_as_on_the_card(browse: Any, anna: User, de_politics: Channel) -> None:
    url = {"start": 5, "end": 21, "url": "https://t.co/abc", "display_url": "lindmark.example/a"}
    tweet = make_tweet("Dazu https://t.co/abc", wire={"entities": {"urls": [url]}})
    make_candidate(de_politics, tweet=tweet, state="approved")
    told = text_of(browse(anna).get(LIVE))
    assert ("Dazu lindmark.example/a" in told, "t.co" in told) == (True, False)


def test_a_viewer_gets_no_buttons(browse: Any, anna: User, vera: User, de_politics: Channel) -> None:
    operations.decide("pin", make_candidate(de_politics), by=anna, version=1)
    assert 'name="verb"' not in browse(vera).get(LIVE).content.decode()


def test_a_thin_feed_is_told(browse: Any, anna: User, de_politics: Channel) -> None:
    operations.decide("approve", make_candidate(de_politics), by=anna, version=1)
    told = text_of(browse(in_english(anna)).get(LIVE))
    assert "Thin: 1 of at least 3. There are no older ones to keep. Approve what waits · Add by link" in told


def test_the_phone_holds_the_real_ticker_with_a_key_that_shows_posts(
    browse: Any, anna: User, de_politics: Channel
) -> None:
    Consumer.objects.create(name="Third party", key="i" * 32, mode=Mode.IDS)
    Consumer.objects.create(name="Old app", key="o" * 32, revoked_at=timezone.now())
    Consumer.objects.create(name="App", key="a" * 32)
    html = browse(anna).get("/phone/de/politics/").content.decode()
    assert (
        f'<telekom-ticker market="de" category="politics" lang="de" feed-base="/api/v1/feeds" key="{"a" * 32}"' in html
    )


@pytest.mark.parametrize(("asked", "given"), [("dark", ' theme="dark"'), ("light", ' theme="light"'), ("x", "")])
def test_the_phone_takes_colours_of_its_own(browse: Any, anna: User, asked: str, given: str) -> None:
    html = browse(anna).get(f"/phone/de/politics/?theme={asked}").content.decode()
    assert re.findall(r'<telekom-ticker [^>]*?( theme="\w*"|) poll', html) == [given]
    assert html.count('aria-pressed="true"') == 1


def test_anyone_may_open_the_ticker_page(browse: Any, db: None) -> None:
    assert browse().get("/ticker/de/").context["category"] == ""
    greek = browse().get("/ticker/gr/sport/").context
    assert (greek["market"], greek["category"], greek["languages"][0]) == ("gr", "sport", "el")


@pytest.mark.parametrize("path", ["/ticker/xx/", "/ticker/de/weather/"])
def test_a_ticker_of_nothing_does_not_exist(browse: Any, db: None, path: str) -> None:
    assert browse().get(path).status_code == 404


def test_the_market_shows_the_pins_of_every_channel(browse: Any, anna: User, de_politics: Channel) -> None:
    """Each channel has a slot 1 of its own."""
    for name in ("politics", "sport"):
        candidate = make_candidate(channel_of("de", name), f"Angeheftet in {name}")
        operations.pin(candidate, by=anna, version=1, slot=1)
    publish(de_politics.market_id)
    shown = browse(anna).get("/live/de/").content.decode()
    assert all(f"Angeheftet in {name}" in shown for name in ("politics", "sport"))


def test_what_is_planned_stands_there_with_its_time(
    browse: Any, anna: User, de_politics: Channel, nl_politics: Channel
) -> None:
    """The next first, of the channel or of the whole market; it counts as live nowhere before its time."""
    now = timezone.now()
    soon, later, economy = (make_candidate(one) for one in (de_politics, de_politics, channel_of("de", "economy")))
    make_candidate(nl_politics, state="approved", approved_at=now, go_live_at=now + timedelta(hours=2))
    for candidate, hours in ((later, 30), (soon, 3), (economy, 1)):
        times = {"go_live_at": now + timedelta(hours=hours)}
        operations.decide("schedule", candidate, by=anna, version=1, **times)
    make_candidate(de_politics, state="approved", approved_at=now)
    response = browse(in_english(anna)).get(LIVE)
    board = response.context["board"]
    assert [line.candidate for line in board.planned] == [soon, later]
    assert len(board.lines) == 1 and not {soon, later} & {line.candidate for line in board.lines}
    assert "Planned2" in text_of(response).replace(" ", "")
    assert response.content.decode().count("entry--planned") == 2
    market = browse(anna).get("/live/de/").context["board"]
    assert [line.candidate for line in market.planned] == [economy, soon, later]


def test_nothing_planned_takes_no_room(browse: Any, anna: User, de_politics: Channel) -> None:
    assert "Planned" not in text_of(browse(in_english(anna)).get(LIVE))
