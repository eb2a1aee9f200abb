"""Similar posts form a group: one is shown, the others wait behind it, whatever comes in which order."""

import itertools
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from curation import operations
from curation.cards import cards
from curation.ingest.polling.reading import Reading
from curation.ingest.storing.store import store
from curation.models import Candidate, State
from curation.x.wire import Includes, id_at, people, read_post
from regions.models import Channel, User
from tests.cast import channel_of, make_block
from tests.curation.ingest.test_crossing import Meanwhile, open_for_a_moment, waits_for_a_lock

pytestmark = pytest.mark.django_db
NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
NEWS = "Der Rat von Lindmark hat am Abend die neue Brücke über die Weser beschlossen, nach vier Stunden Streit."
numbers = itertools.count(1)
Told = dict[str, Any]


def told(text: str = NEWS, *, link: str = "", minutes: float = 0, likes: int = 0, **fields: Any) -> Told:
    """A post as X tells it; `link` stands at its end."""
    at = NOON + timedelta(minutes=minutes)
    pk = str(id_at(at) + next(numbers))
    post: Told = {"id": pk, "author_id": "5001", "text": text, "lang": "de", "created_at": at.isoformat()}
    if link:
        url = f"https://t.co/{pk[-10:]}"
        place = {"start": len(text) + 1, "end": len(text) + 1 + len(url)}
        post |= {"text": f"{text} {url}", "entities": {"urls": [place | {"url": url, "expanded_url": link}]}}
    return post | {"public_metrics": {"like_count": likes}} | fields


def read(posts: Iterable[Told]) -> Reading:
    found = [read_post(post, Includes({})) for post in posts]
    writers = people([{"id": str(post.author_id), "username": f"blatt_{post.author_id}"} for post in found])
    return Reading(posts={post.first_id: post for post in found}, people=writers)


def arrive(*posts: Told, channels: list[Channel] | None = None) -> list[Candidate]:
    """Stores posts in one transaction; gives their candidates in this order."""
    with transaction.atomic():
        store(read(posts), None, channels or [channel_of("de", "politics")], timezone.now())
    made = {row.tweet.first_id: row for row in Candidate.objects.select_related("tweet")}
    return [made[int(post["id"])] for post in posts]


def shown() -> list[int]:
    return list(Candidate.objects.pending().leading().order_by("pk").values_list("pk", flat=True))


def groups() -> set[frozenset[int]]:
    """The tweets of each group of several, by first id."""
    rows = Candidate.objects.values_list("pk", "group_id", "tweet__first_id")
    found: dict[int, set[int]] = {}
    for pk, group, first in rows:
        found.setdefault(group or pk, set()).add(first)
    return {frozenset(one) for one in found.values() if len(one) > 1}


@pytest.mark.parametrize(
    "other",
    [
        told(NEWS),
        told(NEWS.upper()),
        told("🚨 " + NEWS.replace(" ", "  ") + " 🚨🚨"),
        told(NEWS + " @rathaus @stadtblatt"),
        told(NEWS, link="https://andere.example/artikel"),
        told(NEWS.replace("vier", "vielen")),
        told(NEWS.replace("Brücke", "Brucke").replace("beschlossen,", "beschlossen -")),
        told(NEWS + " #Lindmark"),
    ],
)
def test_nearly_the_same_words_are_one_group(other: Told) -> None:
    first, second = arrive(told()) + arrive(other)
    assert (first.group_id, second.group_id) == (None, first.pk)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (told(NEWS), told("Der Rat von Lindmark hat am Abend den Haushalt beschlossen, ganz ohne Streit.")),
        (told("Endstand in Lindmark: Die Gäste gewinnen das Derby 2:1 nach großem Kampf."),
         told("Endstand in Lindmark: Die Gäste gewinnen das Derby 3:1 nach großem Kampf.")),
        (told("Tor!"), told("Tor?!x")),
        (told("🥁🥁🥁"), told("🥁🥁🥁 🥁")),
        (told("Guten Morgen", minutes=-60 * 49), told("Guten Morgen")),
        (told("Lest selbst", link="https://blatt.example/"), told("Was für ein Tag", link="https://blatt.example")),
        (told("Lest selbst", link="https://x.com/a/status/1"), told("Ach ja?", link="https://x.com/a/status/1")),
        (told("Lest selbst", link="https://blatt.example/a?id=1"), told("So was", link="https://blatt.example/a?id=2")),
    ],
)  # fmt: skip
def test_what_is_no_group(one: Told, other: Told) -> None:
    arrive(one)
    arrive(other)
    assert groups() == set()
    assert len(shown()) == 2


@pytest.mark.parametrize(
    "link",
    [
        "https://www.blatt.example/a/b/?id=7",
        "http://blatt.example/a/b?utm_source=x&id=7#kommentare",
        "https://m.blatt.example/a/b?id=7&fbclid=abc&ref=start",
        "https://BLATT.example:443/a/b?id=7",
    ],
)
def test_the_same_link_is_one_group(link: str) -> None:
    first, second = arrive(told("Lest selbst", link="https://blatt.example/a/b?id=7"), told("Ganz anders", link=link))
    assert second.group_id == first.pk


def test_two_of_one_transaction_are_one_group() -> None:
    first, second, third = arrive(told(), told("Etwas ganz anderes aus Lindmark, nämlich Regen."), told())
    assert (first.group_id, second.group_id, third.group_id) == (None, None, first.pk)
    assert len(shown()) == 2


def test_two_of_one_transaction_that_are_days_apart_are_none() -> None:
    arrive(told(minutes=-60 * 49), told())
    assert groups() == set()


def test_nobody_waits_behind_a_blocked_one_of_the_same_transaction() -> None:
    make_block("Abzocke")
    blocked, first, second = arrive(told(NEWS + " Abzocke!", likes=4900), told(likes=500), told(likes=100))
    assert (blocked.state, first.group_id, second.group_id) == (State.BLOCKED, None, first.pk)
    assert shown() == [first.pk]


def test_channels_have_their_own_groups() -> None:
    arrive(told())
    (elsewhere,) = arrive(told(), channels=[channel_of("nl", "politics")])
    assert elsewhere.group_id is None
    assert len(shown()) == 2


def test_the_best_by_rank_is_shown_whoever_came_first() -> None:
    few, many, middle = (arrive(told(likes=likes))[0] for likes in (10, 4000, 500))
    assert {row.group_id for row in (many, middle)} == {few.pk}
    assert shown() == [many.pk]


def test_when_the_shown_one_is_turned_down_the_next_comes_forward(anna: User) -> None:
    few, many, middle = (arrive(told(likes=likes))[0] for likes in (10, 4000, 500))
    operations.block(many, by=anna, version=1)
    assert shown() == [middle.pk]
    operations.block(middle, by=anna, version=1)
    assert shown() == [few.pk]
    operations.reopen(many, by=anna, version=2)
    assert shown() == [many.pk]


def test_behind_an_approved_one_all_wait(anna: User) -> None:
    few, many = (arrive(told(likes=likes))[0] for likes in (10, 4000))
    approved = operations.approve(few, by=anna, version=1)
    assert shown() == []
    (late,) = arrive(told(likes=4500))
    assert (late.group_id, shown()) == (few.pk, [])
    operations.undo(approved.act, by=anna)
    assert shown() == [many.pk]
    operations.approve(few, by=anna, version=3)
    assert (shown(), Candidate.objects.get(pk=few.pk).hidden) == ([], False)
    operations.block(few, by=anna, version=4)
    assert shown() == [many.pk]
    assert Candidate.objects.get(pk=late.pk).hidden is True


def test_what_lapsed_or_was_blocked_counts_for_nothing() -> None:
    make_block("Abzocke")
    (blocked,) = arrive(told(NEWS + " Abzocke!", likes=4900))
    first, second = arrive(told(likes=500), told(likes=100))
    assert (blocked.state, first.group_id, second.group_id) == (State.BLOCKED, None, first.pk)
    Candidate.objects.filter(pk=first.pk).update(pending_since=timezone.now() - timedelta(days=9))
    assert operations.lapse_old(now=timezone.now()) == 1
    assert shown() == [second.pk]


def test_a_newcomer_is_similar_to_what_is_live(anna: User) -> None:
    (live,) = arrive(told())
    operations.approve(live, by=anna, version=1)
    related = "Der Rat von Lindmark hat am Abend die neue Brücke über die Weser abgelehnt, nach zwei Tagen ohne Schlaf."
    alike, near, other = arrive(
        told(), told(related), told("Regen in Oberhagen und Sonne am Meer, sagt das Wetteramt.")
    )
    assert alike.rank_parts["similar"] == -20.0
    assert -20 < near.rank_parts["similar"] < 0
    assert (near.group_id, "similar" in other.rank_parts) == (None, False)


def test_what_arrives_again_changes_nothing() -> None:
    posts = [told(likes=likes) for likes in (10, 4000, 500)]
    before = [(row.pk, row.group_id, row.hidden, row.alike) for row in arrive(*posts)]
    for shuffled in itertools.permutations(posts):
        arrive(*shuffled)
    rows = Candidate.objects.order_by("pk")
    assert [(row.pk, row.group_id, row.hidden, row.alike) for row in rows] == sorted(before)


@pytest.mark.parametrize("seed", range(5))
def test_any_order_in_any_portions_gives_the_same_groups_and_shows_the_same(seed: int, de_politics: Channel) -> None:
    chance = random.Random(seed)
    posts = [told(likes=n * 40, minutes=n) for n in range(4)]
    posts += [told("Regen in Oberhagen", link="https://blatt.example/r", minutes=n, likes=n * 9) for n in range(3)]
    posts += [told("Das Theater zeigt heute noch einmal Hamlet.", minutes=n) for n in range(2)] + [told("Allein.")]
    best = {posts[3]["id"], posts[6]["id"], posts[8]["id"], posts[9]["id"]}
    chance.shuffle(posts)
    while posts:
        cut = chance.randint(1, 4)
        arrive(*posts[:cut])
        posts = posts[cut:]
    assert sorted(map(len, groups())) == [2, 3, 4]
    leading = Candidate.objects.leading().values_list("tweet__first_id", flat=True)
    assert {str(first) for first in leading} == best


def edited(post: Told, text: str) -> Told:
    """The next version of a post."""
    new = str(int(post["id"]) + 1_000)
    return post | {"id": new, "edit_history_tweet_ids": [post["id"], new], "text": text}


def again(post: Told) -> None:
    with transaction.atomic():
        store(read([post]), None, [channel_of("de", "politics")], timezone.now() + timedelta(minutes=1))


def test_an_edit_leaves_its_group_and_finds_another() -> None:
    other = "Regen in Oberhagen und Sonne am Meer, sagt das Wetteramt heute."
    posts = [told(likes=4000), told(likes=10), told(other)]
    best, second, rain = arrive(*posts)
    assert (second.group_id, shown()) == (best.pk, [best.pk, rain.pk])
    again(edited(posts[1], other.replace("heute", "am Morgen")))
    second.refresh_from_db()
    assert (second.group_id, shown()) == (rain.pk, sorted([best.pk, max((rain, second), key=lambda one: one.rank).pk]))


def test_when_the_founder_becomes_another_post_the_rest_go_on_together() -> None:
    posts = [told(likes=4000), told(likes=10), told(likes=500)]
    founder, few, middle = arrive(*posts)
    again(edited(posts[0], "Regen in Oberhagen und Sonne am Meer, sagt das Wetteramt heute."))
    for row in (founder, few, middle):
        row.refresh_from_db()
    assert (founder.group_id, few.group_id, middle.group_id) == (None, None, few.pk)
    assert shown() == [founder.pk, middle.pk]


def test_an_edit_that_changes_little_stays_in_its_group() -> None:
    posts = [told(likes=4000), told(likes=10)]
    founder, few = arrive(*posts)
    again(edited(posts[0], NEWS.replace("vier", "vielen")))
    for row in (founder, few):
        row.refresh_from_db()
    assert (founder.group_id, few.group_id, shown()) == (few.pk, None, [founder.pk])


def test_a_card_counts_those_behind_it_whoever_founded_the_group(anna: User, de_politics: Channel) -> None:
    few, many, middle = (arrive(told(likes=likes))[0] for likes in (10, 4000, 500))
    (alone,) = arrive(told("Allein unterwegs in Oberhagen, wie an jedem Tag."))

    def counts() -> list[int]:
        rows = [Candidate.objects.with_tweets().get(pk=one.pk) for one in (many, few, middle, alone)]
        return [card.similar for card in cards(rows, anna, de_politics.market)]

    assert counts() == [2, 1, 1, 0]
    operations.approve(many, by=anna, version=1)
    assert counts() == [2, 1, 1, 0]
    operations.block(few, by=anna, version=1)
    assert counts() == [1, 1, 0, 0]


def test_who_has_no_fellows_costs_no_statement_more(anna: User) -> None:
    rain = told("Regen in Oberhagen und Sonne am Meer.")
    first, alone, one, two = arrive(
        told(), told("Allein unterwegs in Oberhagen, wie an jedem Tag."), rain, rain | told()
    )
    operations.approve(first, by=anna, version=1)
    plain = statements(lambda: operations.approve(alone, by=anna, version=1))
    Candidate.objects.filter(pk=two.pk).update(group=one)
    grouped = statements(lambda: operations.approve(one, by=anna, version=1))
    assert [sql for sql in plain if "WITH members" in sql] == []
    assert len(grouped) - len(plain) == 1


def statements(work: Callable[[], Any]) -> list[str]:
    found: list[str] = []

    def noted(execute: Any, sql: str, *rest: Any) -> Any:
        found.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(noted):
        work()
    return found


def test_a_thousand_copies_are_compared_with_one(de_politics: Channel) -> None:
    arrive(*[told(likes=n % 50) for n in range(300)])
    (late,) = arrive(told(likes=4000))
    assert (len(shown()), shown()[0], late.group_id) == (1, late.pk, Candidate.objects.earliest("pk").pk)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
class TestAtOnce:
    """Arrivals and editors at the same candidates, in connections of their own."""

    def test_two_passes_at_once_found_one_group(self, de_politics: Channel) -> None:
        arrive(told("Ein anderer Tag in Oberhagen, und niemand weiß warum."))  # its author is known from here on
        slow, fast = told(likes=10), told(likes=4000)
        with open_for_a_moment(lambda: arrive(slow)) as commit:
            other = Meanwhile(lambda: arrive(fast))
            waits_for_a_lock()
            commit.set()
            other.end()
        assert len(groups()) == 1
        assert len(shown()) == 2

    def test_an_arrival_does_not_wait_for_the_editor_of_a_similar_one(self, anna: User) -> None:
        (founder,) = arrive(told(likes=4000))
        with open_for_a_moment(lambda: operations.block(founder, by=anna, version=1)) as commit:
            pass_ = Meanwhile(lambda: arrive(told(likes=10)))
            for _ in range(100):
                if Candidate.objects.count() == 2:
                    break
                pass_.thread.join(0.05)
            assert Candidate.objects.count() == 2
            commit.set()
            pass_.end()
        late = Candidate.objects.latest("pk")
        assert (late.group_id, shown()) == (founder.pk, [late.pk])

    def test_an_editor_who_decides_meanwhile_sees_the_arrival(self, anna: User) -> None:
        (founder,) = arrive(told(likes=4000))
        with open_for_a_moment(lambda: arrive(told(likes=10))) as commit:
            editor = Meanwhile(lambda: operations.block(founder, by=anna, version=1))
            waits_for_a_lock()
            commit.set()
            editor.end()
        late = Candidate.objects.latest("pk")
        assert (late.group_id, shown()) == (founder.pk, [late.pk])
