"""What editors' verbs do to the feed: windows and pins by the clock, similar ones, and who approved what is shown."""

from __future__ import annotations

import signal
import subprocess
from datetime import timedelta

import pytest
from django.utils import timezone

from curation import operations
from curation.models import Candidate, Decision
from curation.operations.ruling import reason_of
from feeds.models import Feed, Snapshot
from feeds.operations import catch_up
from regions.models import Channel, Role, Source, User
from tests.cast import channel_of, make_author, make_candidate, make_tweet, make_user
from tests.feeds.conftest import committed, id_of, ids, published, shown
from tests.feeds.test_publisher import program, soon

program = program
WITHIN = timedelta(seconds=2)


@committed
def test_the_clock_changes_the_feed_without_an_edit(program: subprocess.Popen[str]) -> None:
    """A scheduled start and the end of a pin, each within two seconds, by the publisher alone."""
    anna = make_user("anna", {"de": Role.EDITOR})
    channel = channel_of("de", "politics")
    pinned, newer, later = (make_candidate(channel, text) for text in ("Oben", "Neuer", "Später"))
    soon(lambda: Feed.objects.public().count() == 25)
    starts, ends = (timezone.now() + timedelta(seconds=seconds) for seconds in (5, 10))
    operations.pin(pinned, by=anna, version=1, slot=1, until=ends)
    operations.approve(newer, by=anna, version=1)
    operations.schedule(later, by=anna, version=1, go_live_at=starts)
    soon(lambda: orders(channel)[-1] == [later.pk, newer.pk, pinned.pk])
    program.send_signal(signal.SIGTERM)
    assert orders(channel)[-3:] == [
        [pinned.pk, newer.pk],
        [pinned.pk, later.pk, newer.pk],
        [later.pk, newer.pk, pinned.pk],
    ]
    with_end, with_start = Snapshot.objects.filter(feed__channel=channel).order_by("-number")[:2]
    assert timedelta() <= with_start.at - starts < WITHIN
    assert timedelta() <= with_end.at - ends < WITHIN
    program.wait(15)


def orders(channel: Channel) -> list[list[int]]:
    """The candidates of a channel's snapshots, oldest first."""
    rows = Snapshot.objects.filter(feed__channel=channel).order_by("number")
    return [[entry["candidate"] for entry in row.entries] for row in rows]


@pytest.mark.django_db
def test_two_of_a_group_stand_together_only_where_an_editor_says_so(anna: User, politics: Channel) -> None:
    first = make_candidate(politics, "Stau auf der Brücke")
    second, third = (make_candidate(politics, "Stau auf der Brücke" + end, group=first) for end in "!?")
    operations.approve(second, by=anna, version=1)
    assert Candidate.objects.get(pk=first.pk).hidden
    operations.approve(first, by=anna, version=1)
    assert shown(politics.market) == [id_of(second)]
    operations.schedule(third, by=anna, version=1, with_similar=True, expire_at=timezone.now() + timedelta(days=1))
    assert shown(politics.market) == [id_of(third), id_of(second)]
    operations.block(second, by=anna, version=2)
    assert shown(politics.market) == [id_of(third), id_of(first)]


@pytest.mark.django_db
def test_a_move_leaves_the_feed_and_comes_by_a_new_decision(anna: User, politics: Channel) -> None:
    candidate = make_candidate(politics)
    operations.approve(candidate, by=anna, version=1)
    assert shown(politics.market) == [id_of(candidate)]
    moved = operations.move(candidate, by=anna, version=2, category="sport")
    assert (shown(politics.market), shown(politics.market, "sport")) == ([], [])
    there = Candidate.objects.get(channel=channel_of("de", "sport"))
    operations.approve(there, by=anna, version=1)
    assert shown(politics.market, "sport") == [id_of(candidate)]
    with pytest.raises(operations.StaleVersion):
        operations.undo(moved.act, by=anna)
    assert (shown(politics.market), shown(politics.market, None)) == ([], [id_of(candidate)])


@pytest.mark.django_db
def test_words_of_an_annotation_are_published(anna: User, politics: Channel) -> None:
    candidate = make_candidate(politics)
    operations.approve(candidate, by=anna, version=1)
    shown(politics.market)
    operations.annotate(candidate, by=anna, version=2, context="Heute entscheidet der Rat.", label="Anzeige")
    shown(politics.market)
    (entry,) = published("de", "politics")["entries"]
    assert (entry["context"], entry["label"]) == ("Heute entscheidet der Rat.", "Anzeige")


@pytest.mark.django_db
def test_every_entry_was_approved_by_who_may_or_by_a_named_rule(
    anna: User, ben: User, lena: User, vera: User, politics: Channel
) -> None:
    """Promise 8, over all snapshots of a little day."""
    source = Source.objects.create(kind="account", value="rathaus", auto_approve=True, channel=politics)
    by_rule = make_candidate(politics, tweet=make_tweet("Der Rat tagt", author=make_author("rathaus")), source=source)
    one, two, three = (make_candidate(politics, text) for text in ("Eins", "Zwei ist anders", "Drei auch wieder"))
    operations.approve_by_rule(source, now=timezone.now())
    operations.approve(one, by=anna, version=1)
    catch_up()
    Channel.objects.filter(pk=politics.pk).update(second_pair=True)
    with pytest.raises(Exception, match="permission_denied"):
        operations.approve(two, by=vera, version=1)
    operations.schedule(two, by=anna, version=1, expire_at=timezone.now() + timedelta(days=1))
    catch_up()
    operations.pin(two, by=ben, version=2)
    operations.pin(three, by=lena, version=1)
    catch_up()
    assert set(ids(published("de", "politics"))) == {id_of(row) for row in (by_rule, one, two)}
    entries = {entry["candidate"] for row in Snapshot.objects.all() for entry in row.entries}
    assert entries == {by_rule.pk, one.pk, two.pk}
    assert all(rightly_approved(pk) for pk in entries)
    assert Decision.objects.get(candidate=by_rule).reason == reason_of(source)


def rightly_approved(candidate: int) -> bool:
    """Whether the decision that made it approved is a person's with the right, or a rule's."""
    decisions = Decision.objects.filter(candidate=candidate, after__state="approved").exclude(before__state="approved")
    made = decisions.select_related("by", "market").latest("version")
    if made.by is None:
        return Source.objects.filter(pk=made.reason.removeprefix("source:"), auto_approve=True).exists()
    return made.by.role_in(made.market_id) in (Role.EDITOR, Role.LEAD)
