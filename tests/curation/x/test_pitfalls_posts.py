"""What posts are otherwise than one expects: a test for each pitfall, through the real door over a real socket."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from curation.ingest.rechecking import compliance
from curation.ingest.rechecking.rechecks import recheck
from curation.models import Author, Candidate, Tweet
from curation.x import outcomes
from curation.x.compliance import Storage
from curation.x.simulator import Simulator
from curation.x.wire import Includes, read_post
from regions.models import Channel, Source
from tests.canned import USER, Canned, page, post
from tests.cast import make_author, make_candidate, make_tweet
from tests.curation.x.pitfalls import ID, TIMELINE, door_to, first_of, read


@pytest.mark.parametrize(("codes", "markets"), [(["DE"], {"DE"}), (["XX"], {"DE", "NL"}), (["XY"], {"DE", "NL"})])
@pytest.mark.django_db
def test_withheld_worldwide_and_for_copyright_are_country_codes_too(
    x: Simulator, source_of: Callable[..., Source], codes: list[str], markets: set[str]
) -> None:
    """XX means everywhere, XY copyright: neither is a country, both bar every market."""
    number = x.post("stadt_nordau", "Umstritten.")
    x.withhold(number, codes)
    read(source_of("account", "stadt_nordau"), x)
    tweet = Tweet.objects.get()
    assert {country for country in ("DE", "NL") if tweet.withheld_from(country)} == markets


@pytest.mark.django_db
def test_an_account_can_be_withheld_while_its_posts_are_not(odd: Canned, source_of: Callable[..., Source]) -> None:
    """Then only the account carries the notice, and it has another form than a post's."""
    odd.tell(TIMELINE, page(post(ID), users=[USER | {"withheld": {"country_codes": ["DE"]}}]))
    read(source_of("account", "stadtblatt"), odd)
    tweet = Tweet.objects.select_related("author").get()
    assert (tweet.withheld_in, tweet.withheld_from("DE"), tweet.withheld_from("NL")) == ([], True, False)
    assert Author.objects.get().withheld_in == ["DE"]


@pytest.mark.django_db
def test_a_notice_in_place_of_a_withheld_text_is_shown_nowhere_that_it_is_withheld(
    odd: Canned, source_of: Callable[..., Source]
) -> None:
    """X may send the notice as if it were the text: the country codes, not the words, decide."""
    notice = "@stadtblatt's account has been withheld in Germany in response to a legal demand."
    odd.tell(TIMELINE, page(post(ID, notice, withheld={"copyright": False, "country_codes": ["DE"], "scope": "tweet"})))
    read(source_of("account", "stadtblatt"), odd)
    tweet = Tweet.objects.select_related("author").get()
    assert (tweet.showable_in("DE"), tweet.showable_in("NL")) == (False, True)


@pytest.mark.django_db
def test_an_old_id_gives_the_old_text(x: Simulator, source_of: Callable[..., Source]) -> None:
    """Whoever asks for the id he knows never learns of the edit but by the history: the newest is fetched."""
    first = x.post("hafenblatt", "Um drei.", at=timezone.now() - timedelta(minutes=5))
    second = x.edit(first, "Um vier.")
    (old,) = door_to(x).tweets([first]).raw
    assert (old["text"], old["edit_history_tweet_ids"]) == ("Um drei.", [first, second])
    x.retweet("stadt_nordau", first)
    read(source_of("account", "stadt_nordau"), x)
    tweet = Tweet.objects.get()
    assert (tweet.first_id, tweet.current_id, tweet.text) == (int(first), int(second), "Um vier.")


def test_a_long_post_is_whole_in_its_note_with_its_own_entities(x: Simulator) -> None:
    """What is called text ends after 280 characters, and its offsets fit only that."""
    x.post("stadt_nordau", "Sehr lang. " * 40 + "Mehr bei @hafenblatt.")
    (user,) = door_to(x).users(usernames=["stadt_nordau"]).raw
    (raw,) = door_to(x).timeline(user["id"]).raw
    found = read_post(raw, Includes({}))
    (mention,) = found.entities["mentions"]
    assert (len(raw["text"]) < 300, len(found.text)) == (True, 440 + 21)
    assert found.text[mention["start"] : mention["end"]] == "@hafenblatt"


def test_offsets_count_code_points(x: Simulator) -> None:
    """Not UTF-16 units, as JavaScript would, nor bytes: a face before a tag moves it by one."""
    x.post("stadt_nordau", "😀👍 Ja! #Nordau")
    (user,) = door_to(x).users(usernames=["stadt_nordau"]).raw
    (raw,) = door_to(x).timeline(user["id"]).raw
    found = read_post(raw, Includes({}))
    (tag,) = found.entities["hashtags"]
    assert (tag["start"], tag["end"], found.text[tag["start"] : tag["end"]]) == (7, 14, "#Nordau")


@pytest.mark.django_db
def test_three_signs_are_escaped_in_texts_and_only_those(x: Simulator, source_of: Callable[..., Source]) -> None:
    """The text holds &amp;, &lt; and &gt; once; it is kept as X gives it and undone where it is shown."""
    x.post("stadt_nordau", "Rat & Tat: 3 < 4 > 2, \"so\" 'so' &quot;")
    read(source_of("account", "stadt_nordau"), x)
    assert Tweet.objects.get().text == "Rat &amp; Tat: 3 &lt; 4 &gt; 2, \"so\" 'so' &amp;quot;"


def test_a_missing_time_is_read_from_the_id(odd: Canned) -> None:
    """An id's upper bits are milliseconds since X's epoch."""
    told = post(ID)
    del told["created_at"]
    odd.tell(TIMELINE, page(told))
    assert first_of(odd).created_at == datetime(2025, 12, 14, 0, 28, 52, 860_000, tzinfo=UTC)


@pytest.mark.django_db
def test_a_look_up_takes_a_hundred_ids(x: Simulator, de_politics: Channel) -> None:
    """One more is a 400 that says nothing of any post: more are asked in several calls."""
    number = int(x.post("stadt_nordau", "Steht."))
    author = make_author("stadt_nordau", x_id=x.world.account("stadt_nordau").id)  # type: ignore[union-attr]
    for n in range(101):
        make_candidate(de_politics, tweet=make_tweet(f"Nummer {n}.", first_id=number + n, author=author))
    with pytest.raises(outcomes.QueryRefused):
        door_to(x).tweets(range(number, number + 101))
    ids = list(Tweet.objects.values_list("pk", flat=True))
    run = recheck(ids, now=timezone.now(), ask=door_to(x))
    assert run is not None
    assert (run.outcome, run.known, run.withdrawn) == ("read", 1, 100)


@pytest.mark.django_db
def test_batch_compliance_tells_of_affected_posts_only(de_politics: Channel) -> None:
    """The result is JSON lines, no JSON; and a post that does not stand in it is there."""
    with Simulator(rate=0, catalogue=0, compliance_seconds=0) as x:
        author = x.account("rathaus", category="politics", language="de")
        numbers = [int(x.post("rathaus", f"Nummer {n}.", at=timezone.now() - timedelta(minutes=9))) for n in range(3)]
        row = make_author("rathaus", x_id=author.id)
        for number in numbers:
            make_candidate(de_politics, tweet=make_tweet(first_id=number, author=row), state="approved")
        x.delete(numbers[1])
        store, now = Storage([x.base_url]), timezone.now()
        job = compliance.hand_in(now, ask=door_to(x), store=store)
        assert job is not None
        run = compliance.collect(job, now + timedelta(minutes=1), ask=door_to(x), store=store)
    assert run is not None
    assert (run.outcome, run.read, run.withdrawn) == ("read", 1, 1)
    assert [Candidate.objects.get(tweet__first_id=number).state for number in numbers] == [
        "approved",
        "withdrawn",
        "approved",
    ]
