"""The page of blocks: who sees and does what, dry runs before laying, changing, lifting, exempting, long lists."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation import operations
from curation.blocking.lists import Listing
from curation.models import Act, Candidate, Enforcement, Hit
from regions.models import Block, BlockList, Change, Channel, User
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet
from tests.curation.test_blocks_brought import taken
from tests.curation.test_desk import text_of

pytestmark = pytest.mark.django_db
PAGE, NEW = "/lists/de/blocks/", "/lists/de/blocks/new/"
ASKED = {"kind": "term", "scope": "market", "value": "Brücke", "effect": "block", "reason": "legal", "ends": ""}


def rows_of(response: Any) -> list[str]:
    """The page's rows in words."""
    body = response.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    plain = (re.sub(r"<[^>]+>", " ", row) for row in body.split("<tr")[1:])
    return [re.sub(r"\s+", " ", row.partition(">")[2]).strip() for row in plain]


def tried_of(response: Any) -> str:
    found = re.search(r'name="tried" value="([^"]*)"', response.content.decode())
    return found[1] if found else ""


@pytest.fixture
def bridges(de_politics: Channel) -> dict[str, Candidate]:
    """Two live ones in two channels, one waiting, one decided, one too old, one in NL, one of another word."""
    sport = channel_of("de", "sport")
    old = make_tweet("Brücke von gestern", created_at=timezone.now() - timedelta(days=8))
    return {
        "pinned": make_candidate(de_politics, "Die Brücke steht", state="approved", slot=3),
        "sport": make_candidate(sport, "Neue Brücke", state="approved"),
        "waits": make_candidate(de_politics, "Brücke"),
        "blocked": make_candidate(sport, "BRÜCKE", state="blocked"),
        "old": make_candidate(de_politics, tweet=old),
        "nl": make_candidate(channel_of("nl", "politics"), "Brücke"),
        "other": make_candidate(de_politics, "Brückenbauer"),
    }


@pytest.mark.parametrize(
    ("name", "page", "new", "sheet"),
    [("vera", 200, 403, 403), ("anna", 200, 200, 403), ("lena", 200, 200, 200), ("bram", 404, 404, 404)],
)
def test_who_may_look_and_who_may_lay(
    browse: Any, request: pytest.FixtureRequest, name: str, page: int, new: int, sheet: int
) -> None:
    client = browse(request.getfixturevalue(name))
    told = [client.get(path).status_code for path in (PAGE, NEW, f"{PAGE}sheet.csv")]
    assert told == [page, new, sheet]


def test_the_list_tells_origin_effect_hits_and_exemption(
    browse: Any, lena: User, chief: User, de_politics: Channel
) -> None:
    market = de_politics.market
    ours = make_block("Turm", market=market, created_by=lena, effect="hold", reason="spam")
    make_block("wochenquiz", "hashtag", channel=de_politics, ends_at=timezone.now() + timedelta(hours=5))
    everywhere = make_block("Tipprunde")
    hate = BlockList.objects.create(name="Hetze")
    for word in ("eins", "zwei"):
        make_block(word, block_list=hate, reason="hate")
    make_block("Lindau", market=channel_of("nl", "politics").market)
    operations.exempt(everywhere, market, reason="meint Fußball", by=lena)
    for n, row in enumerate([make_candidate(de_politics), make_candidate(channel_of("nl", "sport"))]):
        Hit.objects.create(candidate=row, block=ours if n == 0 else everywhere)
    Hit.objects.create(candidate=make_candidate(de_politics), block=ours, at=timezone.now() - timedelta(days=8))
    rows = rows_of(browse(lena).get(PAGE))
    assert [row.split(" ")[0] for row in rows] == ["#wochenquiz", "Turm", "Hetze", "Tipprunde"]
    assert "Hashtag blocks DE Politics other reason 0" in rows[0]
    assert "Turm Term holds DE spam 1" in rows[1]
    assert "Hetze List, 2 entries blocks Global" in rows[2]
    last = re.sub(r" · lena, [^“]*?\d\d:\d\d", "", rows[3])
    assert "Global exempted in DE: “meint Fußball” other reason 0" in last, "NL's hit is not told in DE"
    assert [row.split(" ")[0] for row in rows_of(browse(lena).get(PAGE, {"show": "soon"}))] == ["#wochenquiz"]
    assert [row.split(" ")[0] for row in rows_of(browse(lena).get(PAGE, {"q": "zwe"}))] == ["zwei"], "in lists too"
    tabs = {tab["name"]: tab["count"] for tab in browse(lena).get(PAGE).context["tabs"]}
    assert {str(name): n for name, n in tabs.items()} == {
        "All": 4, "Author": 0, "Term": 2, "List": 1, "Hashtag": 1, "Ends soon": 1
    }  # fmt: skip


def test_a_block_is_tried_before_it_is_laid(browse: Any, lena: User, bridges: dict[str, Candidate]) -> None:
    client = browse(lena)
    first = client.post(NEW, ASKED | {"lay": "1"})
    assert Block.objects.count() == 0, "nothing is laid untried"
    told = text_of(first)
    assert "Would have hit 4 in the last 7 days. 2 of them are live now and vanish from the phones at once." in told
    assert "DE Politics · slot 3" in told and "Approved: 2, blocked: 1, pending: 1." in told
    assert "Block and withdraw 2" in told and "<mark>Brücke</mark>" in first.content.decode()
    client.post(NEW, ASKED | {"lay": "1", "tried": tried_of(first), "value": "Turm"})
    assert Block.objects.count() == 0, "what was tried was another"
    done = client.post(NEW, ASKED | {"lay": "1", "tried": tried_of(first)}, follow=True)
    assert "2 live posts were withdrawn" in text_of(done)
    block = Block.objects.get()
    assert (block.value, block.market.code, block.reason, block.created_by) == ("Brücke", "de", "legal", lena)
    states = {name: Candidate.objects.get(pk=row.pk).state for name, row in bridges.items()}
    assert (states["pinned"], states["sport"], states["nl"], states["other"]) == (
        "blocked", "blocked", "pending", "pending"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "field", "status"),
    [
        ({"value": ""}, "value", 422),
        ({"value": "a"}, "value", 422),
        ({"kind": "author", "value": "not a name"}, "value", 422),
        ({"scope": "global"}, "scope", 403),
        ({"scope": "nowhere"}, "scope", 422),
        ({"ends": "2001-01-01T10:00"}, "ends", 422),
        ({"ends": "soon"}, "ends", 422),
        ({"effect": "shout"}, "effect", 422),
        ({"reason": "mood"}, "reason", 422),
        ({"note": "a\nb"}, "note", 422),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    browse: Any, lena: User, changed: dict[str, str], field: str, status: int
) -> None:
    response = browse(lena).post(NEW, ASKED | changed | {"lay": "1"})
    assert (response.status_code, response.context["panel"].wrong) == (status, field)
    assert f'id="wrong-{field}" role="alert"' in response.content.decode()
    assert not Block.objects.exists()


def test_handles_and_addresses_are_read(browse: Any, lena: User, de_politics: Channel) -> None:
    author = make_author("Blitz_Gewinn")
    make_candidate(de_politics, tweet=make_tweet(author=author))
    for value in ("@blitz_gewinn", "https://x.com/Blitz_Gewinn?s=20"):
        told = browse(lena).post(NEW, ASKED | {"kind": "author", "value": value})
        assert "Would have hit 1 in the last 7 days." in text_of(told)
    browse(lena).post(NEW, ASKED | {"kind": "author", "value": value, "lay": "1", "tried": tried_of(told)})
    assert Block.objects.get().value == str(author.pk)
    again = browse(lena).post(NEW, ASKED | {"kind": "author", "value": value, "lay": "1", "tried": tried_of(told)})
    assert (again.status_code, Block.objects.count()) == (302, 1), "what stands is not listed twice"


def test_a_word_that_hits_half_of_everything_is_warned_of(browse: Any, lena: User, de_politics: Channel) -> None:
    for n in range(24):
        make_candidate(de_politics, "Rat und Tat" if n % 2 else "Nebel")
    page = browse(lena).post(NEW, ASKED | {"value": "Rat"})
    assert "That is 50 of every 100 posts of these days." in text_of(page)
    findings = re.findall(r'<p class="finding finding--(\w+)">', page.content.decode())
    assert findings == ["danger", "danger"], "told first, and nothing beside it is green"
    assert "of every 100" not in text_of(browse(lena).post(NEW, ASKED | {"value": "Rauch"}))


def test_what_is_like_it_and_who_is_unknown_is_told_with_the_dry_run(
    browse: Any, lena: User, de_politics: Channel
) -> None:
    make_block("Brucke", effect="hold")
    told = text_of(browse(lena).post(NEW, ASKED))
    assert "“Brucke” stands already: all markets, holds for a second look." in told
    told = text_of(browse(lena).post(NEW, ASKED | {"kind": "author", "value": "@nobody_here"}))
    assert "No post of this account was read so far." in told


def test_authors_and_hashtags_carry_their_marks(browse: Any, lena: User, de_politics: Channel) -> None:
    for value, kind in (("x_y", "author"), ("wahl", "hashtag")):
        asked = ASKED | {"kind": kind, "value": value}
        done = browse(lena).post(
            NEW, asked | {"lay": "1", "tried": tried_of(browse(lena).post(NEW, asked))}, follow=True
        )
    assert "#wahl is listed. Undo" in re.sub(r"\s+", " ", text_of(done)), "no live post is no number"
    assert [row.split(" ")[0] for row in rows_of(done)] == ["#wahl", "@x_y"]


def test_what_nobody_here_may_lift_is_not_selected(browse: Any, lena: User, chief: User, de_politics: Channel) -> None:
    make_block("Tipprunde")
    assert "Lift selected" not in text_of(browse(lena).get(PAGE))
    assert "Lift selected" in text_of(browse(chief).get(PAGE))


def test_editors_lay_in_channels_alone(browse: Any, anna: User, de_politics: Channel) -> None:
    page = browse(anna).get(PAGE).content.decode()
    assert 'value="politics"' in page and 'value="market"' not in page
    assert browse(anna).post(NEW, ASKED).status_code == 403
    tried = tried_of(browse(anna).post(NEW, ASKED | {"scope": "politics"}))
    browse(anna).post(NEW, ASKED | {"scope": "politics", "lay": "1", "tried": tried})
    assert Block.objects.get().channel == de_politics


def test_lifting_tells_what_comes_back_and_gives_it_back(
    browse: Any, lena: User, de_politics: Channel, bridges: dict[str, Candidate]
) -> None:
    market = de_politics.market
    laid = [operations.lay_block("term", word, by=lena, market=market).block for word in ("Brücke", "neue")]
    other = make_block("elsewhere", market=channel_of("nl", "politics").market)
    operations.carry_blocks(now=timezone.now())
    one = text_of(browse(lena).post(f"{PAGE}lift/", {"block": [laid[0].pk]}))
    assert "Lifted, 3 return to pending, none goes live. 1 stays blocked by another block." in one
    both = browse(lena).post(f"{PAGE}lift/", {"block": [block.pk for block in laid]})
    assert "Lifted, 4 return to pending, none goes live." in text_of(both)
    assert Block.objects.filter(lifted_at=None).count() == 3, "only told so far"
    assert browse(lena).post(f"{PAGE}lift/", {"block": [other.pk], "sure": "1"}).status_code == 404
    browse(lena).post(f"{PAGE}lift/", {"block": [block.pk for block in laid], "sure": "1"})
    assert list(Block.objects.filter(lifted_at=None)) == [other]
    act = Act.objects.get(verb="lift")
    assert Enforcement.objects.filter(act=act, verb="lift").count() == 2, "one act"
    operations.carry_blocks(now=timezone.now())
    states = {Candidate.objects.get(pk=bridges[name].pk).state for name in ("pinned", "sport", "waits", "old")}
    assert states == {"pending"}


def test_twenty_picked_ones_are_read_like_one(browse: Any, lena: User, de_politics: Channel) -> None:
    laid = [make_block(f"wort{n}", market=de_politics.market).pk for n in range(20)]

    def asked(ids: list[int]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browse(lena).post(f"{PAGE}lift/", {"block": ids}).status_code == 200
        return len(queries)

    asked(laid)
    assert asked(laid) == asked(laid[:1])


def test_all_that_fit_are_lifted_as_one_act_and_no_more_than_was_told(
    browse: Any, lena: User, anna: User, de_politics: Channel
) -> None:
    for n in range(60):
        make_block(f"wort{n}", market=de_politics.market)
    make_block("anders", channel=de_politics)
    make_block("wort99", channel=de_politics)
    make_block("wort100")
    make_block("wort101", market=channel_of("nl", "politics").market)
    asked, lift = {"all": "1", "show": "term", "q": "wort"}, f"{PAGE}lift/"
    assert "Lift 1 block" in text_of(browse(anna).post(lift, asked)), "an editor's are those of channels"
    told = browse(lena).post(lift, asked)
    assert "Lift 61 blocks" in text_of(told) and 'name="count" value="61"' in told.content.decode()
    standing = Block.objects.filter(lifted_at=None)
    for count in ("60", "", "x"):
        browse(lena).post(lift, asked | {"sure": "1", "count": count})
        assert standing.count() == 64, "more than was told"
    done = browse(lena).post(lift, asked | {"sure": "1", "count": "61"}, follow=True)
    assert set(standing.values_list("value", flat=True)) == {"anders", "wort100", "wort101"}
    browse(lena).post(undo_door(done), {"next": PAGE})
    assert standing.count() == 64
    assert browse(lena).post(lift, {"all": "1", "q": "nothing like it"}).status_code == 422


def test_a_change_lifts_and_lays_as_one_act_and_is_undone_as_one(
    browse: Any, lena: User, de_politics: Channel, bridges: dict[str, Candidate]
) -> None:
    block = operations.lay_block("term", "Brücke", by=lena, market=de_politics.market, effect="hold").block
    operations.carry_blocks(now=timezone.now())
    door = f"{PAGE}{block.pk}/"
    asked = {"press": "change", "effect": "block", "reason": "hate", "note": "", "ends": ""}
    tried = browse(lena).post(door, asked)
    assert "Change and withdraw 2" in text_of(tried)
    assert Block.objects.count() == 1, "a stricter effect is tried first"
    browse(lena).post(door, asked | {"tried": tried_of(tried)})
    block.refresh_from_db()
    after = Block.objects.get(lifted_at=None)
    assert (block.lifted_by, after.effect, after.reason) == (lena, "block", "hate")
    live = [Candidate.objects.get(pk=bridges[name].pk).state for name in ("pinned", "sport")]
    assert live == ["blocked", "blocked"]
    assert Hit.objects.filter(block=after).count() == 4, "its hits stay with it"
    operations.undo(Act.objects.latest("pk"), by=lena)
    assert Block.objects.get(lifted_at=None) == block
    told = text_of(browse(lena).get(PAGE))
    assert "Brücke changed: holds for a second look → blocks; other reason → hate" in told


def test_a_reason_alone_is_changed_and_undone_too(lena: User, de_politics: Channel) -> None:
    block = operations.lay_block("term", "Brücke", by=lena, market=de_politics.market).block
    row = make_candidate(de_politics, "Brücke", state="blocked", blocked_by_lists=True)
    Hit.objects.create(candidate=row, block=block)
    done = operations.change_block(block, by=lena, effect="block", reason="hate", ends_at=None)
    operations.carry_blocks(now=timezone.now())
    row.refresh_from_db()
    assert (row.state, Hit.objects.get().block) == ("blocked", done.block), "it holds all the while"
    assert done.act is not None
    operations.undo(done.act, by=lena)
    assert [one.pk for one in Block.objects.filter(lifted_at=None)] == [block.pk]
    assert operations.change_block(
        Block.objects.get(pk=block.pk), by=lena, effect="block", reason="other", ends_at=None
    ).made is False  # fmt: skip


def test_a_market_is_exempted_with_a_reason_and_takes_over_again(browse: Any, lena: User, anna: User) -> None:
    block, listed = make_block("Tipprunde"), BlockList.objects.create(name="Hetze")
    for door in (f"{PAGE}{block.pk}/", f"{PAGE}lists/{listed.pk}/"):
        assert browse(anna).post(door, {"press": "exempt", "why": "x"}).status_code == 403
        assert browse(lena).post(door, {"press": "exempt", "why": " "}).status_code == 422
        browse(lena).post(door, {"press": "exempt", "why": "meint Fußball"})
        row = next(row for row in rows_of(browse(lena).get(PAGE)) if "exempted" in row)
        assert f"exempted in DE: “meint Fußball” · {lena.shown_name}, " in row
        browse(lena).post(door, {"press": "take_over"})
        assert "exempted in DE" not in text_of(browse(lena).get(PAGE))


def test_an_exemption_tells_what_comes_back_and_its_end_what_goes(
    browse: Any, lena: User, chief: User, bridges: dict[str, Candidate]
) -> None:
    client, listed = browse(lena), BlockList.objects.create(name="Hetze")
    operations.lay_block("term", "Brücke", by=chief, block_list=listed)
    operations.carry_blocks(now=timezone.now())
    door = f"{PAGE}lists/{listed.pk}/"
    assert "Exempted, 4 return to pending here, none goes live." in text_of(client.get(door)), "NL's does not"
    client.post(door, {"press": "exempt", "why": "meint das Bauwerk"})
    operations.carry_blocks(now=timezone.now())
    assert "End the exemption and withdraw" not in text_of(client.get(door))
    Candidate.objects.filter(pk=bridges["pinned"].pk).update(state="approved", approved_at=timezone.now())
    assert "End the exemption and withdraw 1" in text_of(client.get(door))
    done = client.post(door, {"press": "take_over"}, follow=True)
    assert Candidate.objects.get(pk=bridges["pinned"].pk).state == "blocked"
    assert "End the exemption" not in text_of(done)


def test_a_list_is_made_filled_and_opened(browse: Any, lena: User) -> None:
    client = browse(lena)
    assert client.post(f"{PAGE}lists/new/", {"name": "", "scope": "market"}).status_code == 422
    door = client.post(f"{PAGE}lists/new/", {"name": "Werbung", "scope": "market"}).headers["Location"]
    assert client.post(f"{PAGE}lists/new/", {"name": "Werbung", "scope": "market"}).status_code == 409
    taken(client, "Rabatt\nGutschein\n", door)
    listed = BlockList.objects.get()
    assert set(listed.block_set.values_list("value", "market__code")) == {("Rabatt", "de"), ("Gutschein", "de")}
    assert len(rows_of(client.get(f"{PAGE}lists/{listed.pk}/"))) == 2
    assert [row.split(" ")[0] for row in rows_of(client.get(PAGE))] == ["Werbung"], "one row"
    assert client.get(f"/lists/nl/blocks/lists/{listed.pk}/").status_code == 404
    assert Change.objects.filter(noun="blocklist", verb="add", noun_id=listed.pk).count() == 1


def undo_door(response: Any) -> str:
    """Of the newest message on a page."""
    return re.findall(r'action="(/acts/\d+/undo/)"', response.content.decode())[-1]


def test_what_was_laid_brought_changed_and_lifted_is_taken_back_where_it_is_told(
    browse: Any, lena: User, bridges: dict[str, Candidate]
) -> None:
    client = browse(lena)
    standing = Block.objects.filter(lifted_at=None)
    tried = tried_of(client.post(NEW, ASKED))
    laid = client.post(NEW, ASKED | {"lay": "1", "tried": tried}, follow=True)
    block = standing.get()
    back = client.post(undo_door(laid), {"next": PAGE}, follow=True)
    assert (standing.count(), back.request["PATH_INFO"]) == (0, PAGE)
    assert Candidate.objects.get(pk=bridges["pinned"].pk).state == "approved", "live again, as its editor left it"
    taken(client, "eins\nzwei\ndrei\n")
    client.post(undo_door(client.get(PAGE)), {"next": PAGE})
    assert standing.count() == 0, "three at once"
    client.post(NEW, ASKED | {"lay": "1", "tried": tried_of(client.post(NEW, ASKED))})
    block = standing.get()
    form = {"effect": "block", "reason": "spam", "note": "", "ends": "", "press": "change"}
    client.post(undo_door(client.post(f"{PAGE}{block.pk}/", form, follow=True)), {"next": PAGE})
    assert standing.get().reason == "legal"
    gone = client.post(f"{PAGE}lift/", {"block": [standing.get().pk], "sure": "1"}, follow=True)
    assert standing.count() == 0
    client.post(undo_door(gone), {"next": PAGE})
    assert standing.get().value == "Brücke"


def test_a_whole_list_is_lifted_as_one_act_and_taken_back(browse: Any, lena: User, anna: User) -> None:
    client = browse(lena)
    door = client.post(f"{PAGE}lists/new/", {"name": "Werbung", "scope": "market"}).headers["Location"]
    listed = BlockList.objects.get()
    here = f"{PAGE}lists/{listed.pk}/"
    assert client.post(here, {"press": "lift"}).status_code == 422, "nothing stands in it yet"
    taken(client, "\n".join(f"Rabatt {n}" for n in range(250)), door)
    candidate = make_candidate(channel_of("de", "sport"), "Rabatt 7 heute")
    operations.carry_blocks(now=timezone.now())
    assert browse(anna).post(here, {"press": "lift", "sure": "1"}).status_code == 403, "editors lift no list"
    told = text_of(client.post(here, {"press": "lift"}))
    assert "All 250 blocks of this list are lifted as one act." in told
    assert "Lifted, 1 returns to pending, none goes live." in told
    standing = Block.objects.filter(lifted_at=None)
    assert standing.count() == 250, "only told so far"
    done = client.post(here, {"press": "lift", "sure": "1"}, follow=True)
    assert "250 blocks lifted. 1 post returns to pending, none goes live." in text_of(done)
    assert (standing.count(), BlockList.objects.get()) == (0, listed)
    operations.carry_blocks(now=timezone.now())
    assert Candidate.objects.get(pk=candidate.pk).state == "pending"
    client.post(undo_door(done), {"next": here})
    assert standing.count() == 250


def test_the_page_asks_as_often_for_many_thousand_blocks(browse: Any, lena: User, de_politics: Channel) -> None:
    market, client = de_politics.market, browse(lena)
    hate = BlockList.objects.create(name="Hetze")
    for n in range(3):
        make_block(f"wort{n}", market=market)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    Block.objects.bulk_create(
        [Block(kind="term", value=f"w{n}", market=market) for n in range(4000)]
        + [Block(kind="term", value=f"w{n}", block_list=hate) for n in range(4000)]
    )
    with CaptureQueriesContext(connection) as many:
        page = client.get(PAGE)
    assert len(many) <= len(few)
    assert (len(rows_of(page)), "List, 1000+ entries" in text_of(client.get(f"{PAGE}?show=list"))) == (50, True)
    found, more = rows_of(page), page.context["more"]
    seen = {row.split(" ")[0] for row in found}
    for _n in range(2):
        page = client.get(f"{PAGE}?{more}")
        found, more = rows_of(page), page.context["more"]
        assert not seen & {row.split(" ")[0] for row in found}
        seen |= {row.split(" ")[0] for row in found}
    assert len(seen) == 150
    assert client.get(f"{PAGE}?cursor=x").status_code == 422


def test_a_page_of_many_is_read_by_an_index(lena: User, de_politics: Channel) -> None:
    market = de_politics.market
    Block.objects.bulk_create([Block(kind="term", value=f"w{n}", market=market) for n in range(6000)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE regions_block")
    listing = Listing(market, lena, timezone.now())
    with CaptureQueriesContext(connection) as asked:
        assert len(listing.page[0]) == 50
    reads = [one["sql"] for one in asked if "UNION ALL" in one["sql"] and "regions_block" in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT TEXT) " + reads[0])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan on regions_block" not in plan
    assert most_rows(plan) <= 60, plan


def most_rows(plan: str) -> int:
    """The most rows that a step of an analysed plan gave or threw away."""
    gave = [float(n) for n in re.findall(r"actual time=\S+ rows=([\d.]+)", plan)]
    return int(max(gave + [float(n) for n in re.findall(r"Rows Removed by \w+: ([\d.]+)", plan)]))
