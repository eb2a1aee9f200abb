"""What X says of accounts, lists and searches becomes tweets and candidates, once each."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation import operations
from curation.models import Author, Candidate, Cursor, Decision, ErasedAuthor, Hit, IngestRun, State, Tweet
from curation.tombstones import author_digest
from curation.x.simulator import Simulator
from regions.models import Category, Channel, Market, Source, SourceExemption
from tests.cast import channel_of, make_block
from tests.curation.ingest.conftest import POLITICS_DE

pytestmark = pytest.mark.django_db
Read = Callable[..., IngestRun]
SourceOf = Callable[..., Source]
ACCOUNT, LIST, SEARCH = Source.Kind.ACCOUNT, Source.Kind.LIST, Source.Kind.SEARCH


def texts() -> list[str]:
    return list(Candidate.objects.order_by("tweet__first_id").values_list("tweet__text", flat=True))


KINDS = [(ACCOUNT, "stadtblatt"), (ACCOUNT, "@Stadtblatt"), (LIST, POLITICS_DE), (SEARCH, "from:stadtblatt")]


@pytest.mark.parametrize(("kind", "value"), KINDS)
def test_posts_become_candidates_with_their_exact_text(
    x: Simulator, source_of: SourceOf, read: Read, kind: str, value: str
) -> None:
    first = x.post("stadtblatt", "Der Rat tagt. A & B <heute> 😀 #Lindmark", at=timezone.now() - timedelta(minutes=9))
    source = source_of(kind, value)
    run = read(source)
    candidate = Candidate.objects.select_related("tweet__author").get()
    tweet = candidate.tweet
    assert (tweet.first_id, tweet.current_id) == (int(first), int(first))
    assert tweet.text == "Der Rat tagt. A &amp; B &lt;heute&gt; 😀 #Lindmark"
    assert tweet.wire["entities"]["hashtags"][0]["tag"] == "Lindmark"
    assert tweet.author is not None
    assert (tweet.author.username, tweet.author.name) == ("stadtblatt", "Stadtblatt")
    assert (candidate.state, candidate.version, candidate.held) == (State.PENDING, 1, False)
    assert (candidate.source, candidate.posted_at) == (source, tweet.created_at)
    assert candidate.folded == "der rat tagt. a & b <heute> 😀 #lindmark stadtblatt stadtblatt"
    assert (run.outcome, run.read, run.fresh, run.candidates, run.error) == ("read", 1, 1, 1, "")
    assert run.market == Market.objects.get(code="de")
    assert Cursor.objects.get(pk=source.pk).newest_id == int(first)


@pytest.mark.parametrize(("kind", "value"), KINDS)
def test_a_second_reading_brings_only_what_is_new(
    x: Simulator, source_of: SourceOf, read: Read, kind: str, value: str
) -> None:
    x.post("stadtblatt", "Erstens.")
    source = source_of(kind, value)
    read(source)
    x.post("stadtblatt", "Zweitens.")
    run = read(source)
    assert (run.fresh, run.candidates, texts()) == (1, 1, ["Erstens.", "Zweitens."])
    run = read(source)
    assert (run.fresh, run.candidates, Tweet.objects.count()) == (0, 0, 2)


def test_an_account_is_looked_up_once(x: Simulator, source_of: SourceOf, read: Read) -> None:
    source = source_of(ACCOUNT, "stadtblatt")
    read(source)
    source.refresh_from_db()
    account = x.world.account("stadtblatt")
    assert account is not None
    assert source.x_id == str(account.id)
    x.fail("/2/users/by", status=500, times=None)
    assert read(source).outcome == "read"


def test_one_tweet_from_two_sources_is_one_candidate_of_the_first(
    x: Simulator, source_of: SourceOf, read: Read
) -> None:
    x.post("stadtblatt", "Nur einmal.")
    first, second = source_of(LIST, POLITICS_DE), source_of(ACCOUNT, "stadtblatt")
    read(first)
    run = read(second)
    assert (run.read, run.fresh, run.known, run.candidates) == (1, 0, 1, 0)
    assert Candidate.objects.get().source == first


def test_a_source_feeds_every_channel_of_its_scope(x: Simulator, source_of: SourceOf, read: Read) -> None:
    x.post("stadtblatt", "Für alle.")
    nl, sport = Market.objects.get(code="nl"), Category.objects.get(slug="sport")
    read(source_of(ACCOUNT, "stadtblatt", market=nl))
    assert Candidate.objects.filter(channel__market=nl).count() == nl.channel_set.count() == 4
    everywhere = source_of(ACCOUNT, "stadtblatt", scope="all", category=sport)
    SourceExemption.objects.create(source=everywhere, market=Market.objects.get(code="ro"), reason="anders")
    run = read(everywhere)
    fed = Candidate.objects.filter(channel__category=sport).values_list("channel__market__code", flat=True)
    assert sorted(fed) == ["de", "gr", "hr", "nl"]
    assert (run.candidates, run.market) == (3, Market.objects.get(code="de"))
    assert Tweet.objects.count() == 1


def test_a_repost_offers_the_original_under_its_author(x: Simulator, source_of: SourceOf, read: Read) -> None:
    x.account("ferne_agentur", name="Ferne Agentur", category="economy", language="nl")
    original = x.post("ferne_agentur", "Het origineel, helemaal, met een heel lang staartje. " * 4)
    x.retweet("stadtblatt", original)
    read(source_of(ACCOUNT, "stadtblatt"))
    tweet = Tweet.objects.select_related("author").get()
    assert (tweet.first_id, tweet.author and tweet.author.username) == (int(original), "ferne_agentur")
    assert tweet.text.startswith("Het origineel")


def test_a_repost_whose_original_is_gone_is_counted_and_not_offered(
    x: Simulator, source_of: SourceOf, read: Read
) -> None:
    original = x.post("rathaus", "Bald gelöscht.")
    x.retweet("stadtblatt", original)
    x.delete(original)
    run = read(source_of(ACCOUNT, "stadtblatt"))
    assert (run.outcome, run.missing, Candidate.objects.count()) == ("read", 1, 0)


def test_replies_to_others_come_only_by_search(x: Simulator, source_of: SourceOf, read: Read) -> None:
    question = x.post("rathaus", "Was meint ihr?")
    x.post("stadtblatt", "Wir meinen nichts.", reply_to=question)
    read(source_of(ACCOUNT, "stadtblatt"))
    read(source_of(LIST, POLITICS_DE))
    assert texts() == ["Was meint ihr?"]
    read(source_of(SEARCH, "from:stadtblatt"))
    assert len(texts()) == 2


def test_long_posts_come_whole(x: Simulator, source_of: SourceOf, read: Read) -> None:
    text = "Sehr lang und noch länger, " * 40 + "Ende."
    x.post("stadtblatt", text)
    read(source_of(ACCOUNT, "stadtblatt"))
    assert Tweet.objects.get().text == text


def test_an_edit_replaces_the_text_and_reopens_what_was_approved(
    x: Simulator, source_of: SourceOf, read: Read, de_politics: Channel
) -> None:
    first = x.post("stadtblatt", "Die Brücke ist offen.", at=timezone.now() - timedelta(minutes=5))
    source = source_of(ACCOUNT, "stadtblatt")
    read(source)
    assert Candidate.objects.values_list("author_id", "lang").get() == Tweet.objects.values_list("author", "lang").get()
    Candidate.objects.update(state=State.APPROVED, approved_at=timezone.now())
    second = x.edit(first, "Die Brücke ist zu.")
    run = read(source)
    tweet, candidate = Tweet.objects.get(), Candidate.objects.get()
    assert (tweet.first_id, tweet.current_id, tweet.text) == (int(first), int(second), "Die Brücke ist zu.")
    assert (tweet.previous_text, tweet.edited_at, tweet.edited) == ("Die Brücke ist offen.", run.started_at, True)
    assert (candidate.state, candidate.version, run.edited, run.fresh) == (State.PENDING, 2, 1, 0)
    assert (candidate.author_id, candidate.lang) == (tweet.author_id, tweet.lang)
    assert Decision.objects.get().verb == "edit"
    before = de_politics.revision
    de_politics.refresh_from_db()
    assert de_politics.revision == before + 1


def test_an_edit_keeps_where_the_old_links_led(x: Simulator, source_of: SourceOf, read: Read) -> None:
    """X gives the links of each version codes of their own, so that the text alone does not tell."""
    first = x.post("stadtblatt", "Mehr: https://lindmark.example/alt", at=timezone.now() - timedelta(minutes=5))
    source = source_of(ACCOUNT, "stadtblatt")
    read(source)
    x.edit(first, "Mehr: https://lindmark.example/neu")
    read(source)
    tweet = Tweet.objects.get()
    code = tweet.previous_text.removeprefix("Mehr: ")
    assert tweet.part("links_before") == {code: "https://lindmark.example/alt"}
    assert "alt" not in str(tweet.part("entities"))


def test_an_old_version_is_never_shown_when_a_newer_one_is_known(
    x: Simulator, source_of: SourceOf, read: Read, ask: Any
) -> None:
    """X answers an old id with its old text: the newest is fetched."""
    first = x.post("rathaus", "Alt und falsch.", at=timezone.now() - timedelta(minutes=5))
    x.post("stadtblatt", "Zitat.", quote=first)
    x.retweet("stadtblatt", first)
    newest = x.edit(first, "Neu und richtig.")
    read(source_of(ACCOUNT, "stadtblatt"))
    tweet = Tweet.objects.get(first_id=int(first))
    assert (tweet.text, tweet.current_id) == ("Neu und richtig.", int(newest))


def test_withholding_that_comes_later_withdraws_in_that_market_once(
    x: Simulator, source_of: SourceOf, read: Read, de_politics: Channel
) -> None:
    post = x.post("stadtblatt", "Umstritten.")
    source = source_of(LIST, POLITICS_DE)
    read(source)
    Candidate.objects.update(state=State.APPROVED, approved_at=timezone.now())
    x.withhold(post, ["DE"])
    read(source)
    de_politics.refresh_from_db()
    assert (Tweet.objects.get().withheld_in, de_politics.revision) == (["DE"], 1)
    read(source)
    de_politics.refresh_from_db()
    assert de_politics.revision == 1
    assert (Candidate.objects.get().state, Candidate.objects.get().version) == (State.WITHDRAWN, 2)


def test_posts_of_an_author_that_X_withholds_are_withdrawn(
    x: Simulator, source_of: SourceOf, read: Read, de_politics: Channel
) -> None:
    x.post("stadtblatt", "Umstritten.")
    source = source_of(LIST, POLITICS_DE)
    read(source)
    Candidate.objects.update(state=State.APPROVED, approved_at=timezone.now())
    x.withhold_user("stadtblatt", ["DE"])
    run = read(source)
    de_politics.refresh_from_db()
    assert (Author.objects.get().withheld_in, de_politics.revision, run.withdrawn) == (["DE"], 1, 1)
    assert Candidate.objects.get().state == State.WITHDRAWN


def test_an_erased_author_stays_erased(x: Simulator, source_of: SourceOf, read: Read) -> None:
    account = x.world.account("stadtblatt")
    assert account is not None
    ErasedAuthor.objects.create(digest=author_digest(account.id))
    x.post("stadtblatt", "Vergesst mich.")
    x.post("rathaus", "Mich nicht.")
    source = source_of(LIST, POLITICS_DE)
    run = read(source)
    assert (texts(), run.read, run.fresh) == (["Mich nicht."], 2, 1)
    assert not Author.objects.filter(pk=account.id).exists()
    assert Cursor.objects.get(pk=source.pk).newest_id is not None


def test_tombstones_outlive_a_new_secret_key(settings: Any) -> None:
    settings.ERASURE_KEY = "one"
    before = author_digest(7)
    settings.SECRET_KEY = "another"
    assert author_digest(7) == before
    settings.ERASURE_KEY = "two"
    assert author_digest(7) != before


def test_blocks_keep_out_or_hold_and_say_why(x: Simulator, source_of: SourceOf, read: Read) -> None:
    spam = make_block("Gewinnspiel")
    doubt = make_block("angeblich", effect="hold")
    make_block("Gewinnspiel", market=Market.objects.get(code="nl"))
    x.post("stadtblatt", "Großes Gewinnspiel, angeblich!")
    x.post("stadtblatt", "Das ist angeblich wahr.")
    x.post("stadtblatt", "Ganz gewöhnlich.")
    run = read(source_of(ACCOUNT, "stadtblatt"))
    found = {one.tweet.text: one for one in Candidate.objects.select_related("tweet")}
    states = {text: (one.state, one.blocked_by_lists, one.held) for text, one in found.items()}
    assert states == {
        "Großes Gewinnspiel, angeblich!": (State.BLOCKED, True, True),
        "Das ist angeblich wahr.": (State.PENDING, False, True),
        "Ganz gewöhnlich.": (State.PENDING, False, False),
    }
    hits = {(hit.candidate.tweet.text, hit.block_id, hit.start, hit.end) for hit in Hit.objects.all()}
    assert hits == {
        ("Großes Gewinnspiel, angeblich!", spam.pk, 7, 18),
        ("Großes Gewinnspiel, angeblich!", doubt.pk, 20, 29),
        ("Das ist angeblich wahr.", doubt.pk, 8, 17),
    }
    assert (run.candidates, run.blocked, run.held) == (3, 1, 2)


def test_a_known_tweet_reaches_a_channel_that_lacks_it(x: Simulator, source_of: SourceOf, read: Read) -> None:
    x.post("stadtblatt", "Auch für den Sport.")
    read(source_of(ACCOUNT, "stadtblatt"))
    run = read(source_of(ACCOUNT, "stadtblatt", scope="", channel=channel_of("de", "sport")))
    assert (run.fresh, run.known, run.candidates) == (0, 1, 1)


def test_what_was_gone_comes_back_whole_when_X_shows_it_again(x: Simulator, source_of: SourceOf, read: Read) -> None:
    x.post("stadtblatt", "Wieder da.", at=timezone.now() - timedelta(minutes=5))
    read(source_of(ACCOUNT, "stadtblatt"))
    before = Tweet.objects.get()
    operations.withdraw([before.pk], cause="suspended", now=timezone.now())
    run = read(source_of(LIST, POLITICS_DE))
    tweet, candidate = Tweet.objects.get(), Candidate.objects.get()
    assert (tweet.text, tweet.author_id, tweet.wire) == (before.text, before.author_id, before.wire)
    assert (tweet.raw is None, tweet.gone_at, tweet.gone_cause, tweet.purged_at) == (False, None, "", None)
    assert (candidate.state, candidate.version, run.restored, run.candidates) == ("pending", 3, 1, 0)
    assert candidate.folded == "wieder da. stadtblatt stadtblatt"


def test_what_retention_emptied_is_filled_only_for_a_channel_that_never_met_it(
    x: Simulator, source_of: SourceOf, read: Read
) -> None:
    x.post("stadtblatt", "Von früher.")
    read(source_of(ACCOUNT, "stadtblatt"))
    Candidate.objects.update(state=State.BLOCKED)
    Tweet.objects.update(text="", author=None, raw=None, purged_at=timezone.now())
    assert read(source_of(LIST, POLITICS_DE)).candidates == 0
    assert Tweet.objects.get().text == ""
    run = read(source_of(ACCOUNT, "stadtblatt", scope="", channel=channel_of("de", "sport")))
    told = sorted(Candidate.objects.values_list("channel__category__slug", "state", "version"))
    assert (run.candidates, told) == (1, [("politics", "blocked", 1), ("sport", "pending", 1)])
    assert (Tweet.objects.get().text, Tweet.objects.get().purged_at) == ("Von früher.", None)


def test_what_X_withholds_in_a_market_is_not_offered_there(x: Simulator, source_of: SourceOf, read: Read) -> None:
    x.withhold(x.post("stadtblatt", "Nicht überall."), ["DE"])
    for code in ("de", "nl"):
        read(source_of(ACCOUNT, "stadtblatt", scope="", channel=channel_of(code, "politics")))
    assert Candidate.objects.get().channel.market.code == "nl"


def test_arrivals_change_no_feed(x: Simulator, source_of: SourceOf, read: Read, de_politics: Channel) -> None:
    x.post("stadtblatt", "Neu.")
    read(source_of(ACCOUNT, "stadtblatt"))
    de_politics.refresh_from_db()
    assert de_politics.revision == 0
