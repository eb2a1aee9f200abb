"""What X answers otherwise than one expects: a test for each pitfall, through the real door over a real socket.

Those of posts, of cost and queries, of the stream and of tweepy are in the files beside this one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from curation.models import Cursor, Tweet
from curation.x import outcomes
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Source
from tests.canned import USER, Canned, page, post
from tests.curation.x.pitfalls import ID, SEARCH, TIMELINE, door_to, first_of, read

# --- two dialects
RENAMED = [
    ({"edit_history_tweet_ids": ["7", str(ID)]}, {"edit_history_post_ids": ["7", str(ID)]}, "edit_ids"),
    (
        {"referenced_tweets": [{"type": "quoted", "id": "7"}]},
        {"referenced_posts": [{"type": "quoted", "id": "7"}]},
        "refs",
    ),
    ({"note_tweet": {"text": "Alles."}}, {"note_post": {"text": "Alles."}}, "text"),
    ({"public_metrics": {"retweet_count": 4}}, {"public_metrics": {"repost_count": 4}}, "metrics"),
    (
        {"withheld": {"country_codes": ["DE"], "scope": "tweet"}},
        {"withheld": {"country_codes": ["DE"], "scope": "post"}},
        "withheld_in",
    ),
]


@pytest.mark.parametrize(("older", "newer", "part"), RENAMED, ids=[part for *_, part in RENAMED])
def test_each_renamed_word_is_understood_in_both_dialects(
    odd: Canned, older: dict[str, Any], newer: dict[str, Any], part: str
) -> None:
    """Since August half of X's words have a second name, and either may come."""
    plain = post(ID)
    del plain["edit_history_tweet_ids"]
    told = []
    for words in ({}, older, newer):
        odd.tell(TIMELINE, page(plain | words), times=1)
        told.append(getattr(first_of(odd), part))
    assert told[1] == told[2] != told[0]


@pytest.mark.parametrize("name", ["tweets", "posts"])
@pytest.mark.django_db
def test_originals_stand_in_includes_under_either_name(
    odd: Canned, source_of: Callable[..., Source], name: str
) -> None:
    """The list of what posts refer to was renamed too: a repost finds its original in both."""
    repost = post(ID + 1, "RT @stadtblatt: D…", referenced_tweets=[{"type": "retweeted", "id": str(ID)}])
    odd.tell(TIMELINE, page(repost, includes={"users": [USER], name: [post(ID, "Das Ganze.")]}))
    run = read(source_of("account", "stadtblatt"), odd)
    assert (run.missing, Tweet.objects.get().text) == (0, "Das Ganze.")


def test_we_ask_in_the_older_dialect_alone(odd: Canned) -> None:
    """X answers in the dialect of the parameter: one name of the newer one would turn the whole answer."""
    ask = door_to(odd)
    for path in (TIMELINE, SEARCH, "/2/lists/9/tweets", "/2/tweets"):
        odd.tell(path, page())
    ask.timeline("5001")
    ask.search("lang:de Rat")
    ask.list_tweets("9")
    ask.tweets([ID])
    assert len(odd.asked) == 4
    for _path, given in odd.asked:
        words = ",".join([*given, *given.values()])
        assert ("tweet.fields" in given, "edit_history_tweet_ids" in words, "post" in words) == (True, True, False)


# --- endpoints
@pytest.mark.django_db
def test_a_list_is_read_down_to_what_is_known_since_it_takes_no_since_id(
    odd: Canned, source_of: Callable[..., Source]
) -> None:
    """Lists know no bound by id: we stop by ourselves, and ask no further page."""
    more = {"meta": {"next_token": "further"}}
    odd.tell("/2/lists/9/tweets", page(post(ID)), times=1)
    odd.tell("/2/lists/9/tweets", page(post(ID + 1), post(ID), **more))
    source = source_of("list", "9")
    runs = [read(source, odd), read(source, odd)]
    assert [(run.fresh, run.known) for run in runs] == [(1, 0), (1, 1)]
    assert len(odd.asked) == 2
    assert not [given for _path, given in odd.asked if "since_id" in given]


def test_a_search_continues_by_next_token_and_a_timeline_by_pagination_token(odd: Canned) -> None:
    """Two endpoints, two names for the same thing; the wrong one is a 400."""
    for path in (TIMELINE, SEARCH):
        odd.tell(path, page())
    ask = door_to(odd)
    ask.search("lang:de Rat", pagination_token="further")
    ask.timeline("5001", pagination_token="further")
    tokens = [{name for name, value in given.items() if value == "further"} for _path, given in odd.asked]
    assert tokens == [{"next_token"}, {"pagination_token"}]


def test_limits_are_those_of_the_headers(odd: Canned) -> None:
    """What the documents say of limits is neither true of every tier nor for ever."""
    reset = int(timezone.now().timestamp()) + 600
    rate = {"x_rate_limit_limit": "3", "x_rate_limit_remaining": "0", "x_rate_limit_reset": str(reset)}
    odd.tell(SEARCH, page(), **rate)
    ask = door_to(odd)
    assert ask.search("lang:de Rat").rate is not None
    with pytest.raises(outcomes.WindowClosed) as closed:
        ask.search("lang:de Rat")
    assert (closed.value.reset_at, len(odd.asked)) == (reset, 1)


def test_the_limit_of_a_day_is_not_taken_for_that_of_a_window(odd: Canned) -> None:
    """X sends headers of the same make for 24 hours beside those for 15 minutes."""
    reset = str(int(timezone.now().timestamp()) + 600)
    day = {"x_app_limit_24hour_remaining": "0", "x_app_limit_24hour_reset": reset, "x_app_limit_24hour_limit": "9"}
    rate = {"x_rate_limit_limit": "450", "x_rate_limit_remaining": "449", "x_rate_limit_reset": reset}
    odd.tell(SEARCH, page(), **day, **rate)
    ask = door_to(odd)
    ask.search("lang:de Rat")
    ask.search("lang:de Rat")
    assert (len(odd.asked), ask.rates["search"].remaining) == (2, 449)


@pytest.mark.parametrize("given", ["1", "9223372036854775807"])
def test_ids_are_strings_of_up_to_19_digits_and_stay_whole(odd: Canned, given: str) -> None:
    """A browser would round ids of 17 digits and more: in our own form they are strings."""
    odd.tell(TIMELINE, page(post(0) | {"id": given, "edit_history_tweet_ids": [given]}))
    found = first_of(odd)
    assert (found.id, found.wire()["edit_ids"]) == (int(given), [given])


@pytest.mark.parametrize("given", ["12345678901234567890", "9223372036854775808", "0", "", "7e18", "-1"])
@pytest.mark.django_db
def test_an_id_of_another_make_is_set_aside(odd: Canned, source_of: Callable[..., Source], given: str) -> None:
    """What is no id must not reach a bigint column, nor the cursor."""
    odd.tell(TIMELINE, page(post(ID), post(0) | {"id": given}))
    run = read(source_of("account", "stadtblatt"), odd)
    assert (run.outcome, run.fresh, run.quarantined, Cursor.objects.get().newest_id) == ("read", 1, 1, ID)


# --- shapes
@pytest.mark.django_db
def test_an_answer_without_hits_has_no_data(odd: Canned, source_of: Callable[..., Source]) -> None:
    """Nothing found means that the key is missing altogether, not that it is an empty list."""
    odd.tell(SEARCH, {"meta": {"result_count": 0}})
    run = read(source_of("search", "lang:de Rat"), odd)
    assert (run.outcome, run.read, run.error) == ("read", 0, "")


ABOUT_OTHERS = ["referenced_tweets.id", "author_id", "attachments.media_keys", "entities.mentions.username", "pinned"]


@pytest.mark.parametrize("parameter", ABOUT_OTHERS)
@pytest.mark.django_db
def test_errors_about_what_a_post_includes_are_not_about_the_post(
    odd: Canned, source_of: Callable[..., Source], parameter: str
) -> None:
    """Only entries whose parameter is an id that we asked for say that what we asked for is gone."""
    error = {"parameter": parameter, "resource_id": "7", "title": "Not Found Error", "type": "x/resource-not-found"}
    odd.tell(TIMELINE, {"errors": [error], "meta": {"result_count": 0}})
    source = source_of("account", "stadtblatt")
    run = read(source, odd)
    source.refresh_from_db()
    assert (run.outcome, source.paused_at) == ("read", None)


@pytest.mark.parametrize(
    ("title", "kind", "cause"),
    [
        ("Not Found Error", "resource-not-found", "deleted"),
        ("Forbidden", "resource-not-found", "suspended"),
        ("Authorization Error", "not-authorized-for-resource", "protected"),
    ],
)
@pytest.mark.django_db
def test_gone_suspended_and_protected_are_told_apart_by_type_and_title(
    odd: Canned, source_of: Callable[..., Source], title: str, kind: str, cause: str
) -> None:
    """A suspended account has the type of a deleted one; only the title differs."""
    source = source_of("account", "stadtblatt")
    odd.tell(TIMELINE, page(post(ID)), times=1)
    read(source, odd)
    error = {"parameter": "id", "resource_id": "5001", "title": title, "type": f"https://api.x.com/2/problems/{kind}"}
    odd.tell(TIMELINE, {"errors": [error]})
    assert (read(source, odd).outcome, Tweet.objects.get().gone_cause) == ("refused", cause)


@pytest.mark.parametrize("host", ["https://api.twitter.com/2/problems", "https://api.x.com/2/problems", "problems", ""])
def test_problem_types_are_compared_by_their_last_segment(odd: Canned, host: str) -> None:
    """X moved its problem types to another host and may do so again."""
    odd.tell(SEARCH, {"title": "Whatever", "detail": "No more.", "type": f"{host}/usage-capped"}, 429)
    with pytest.raises(outcomes.MonthlyCapReached, match="No more"):
        door_to(odd).search("lang:de Rat")


@pytest.mark.django_db
def test_what_is_wrong_with_a_query_is_told_to_its_lead(x: Simulator, source_of: Callable[..., Source]) -> None:
    """A 400 will be a 400 for ever: the source pauses, with X's words as the reason."""
    source = source_of("search", "((Rat lang:de")
    run = read(source, x)
    source.refresh_from_db()
    assert (run.outcome, source.paused_at is None, source.paused_reason) == ("refused", False, run.error)
    assert "(" in run.error


@pytest.mark.django_db
def test_a_query_over_512_characters_is_refused_in_words(x: Simulator, source_of: Callable[..., Source]) -> None:
    """Self-serve tiers take 512 characters where Enterprise takes 4,096: X says it, not we."""
    source = source_of("search", "lang:de (" + " OR ".join(f"wort{n}" for n in range(60)) + ")")
    run = read(source, x)
    source.refresh_from_db()
    assert (run.outcome, "512" in source.paused_reason) == ("refused", True)


def test_a_401_without_rate_headers_changes_no_window(x: Simulator) -> None:
    """The answer to a bad token says nothing of windows: what is known of them stays."""
    ask = door_to(x)
    ask.search("lang:de Rat")
    known = dict(ask.rates)
    x.fail(SEARCH, status=401)
    with pytest.raises(outcomes.BadToken):
        ask.search("lang:de Rat")
    assert (ask.rates, ask.rates["search"].remaining) == (known, 449)


def test_out_of_credits_has_an_outcome_of_its_own(x: Simulator) -> None:
    """For a 402 tweepy has no class: it raises the bare one, which could be anything."""
    x.fail(SEARCH, status=402)
    with pytest.raises(outcomes.OutOfCredits, match="credits"):
        door_to(x).search("lang:de Rat")


def test_a_403_by_tier_pauses_without_calling_anything_gone(x: Simulator) -> None:
    """What our tier may not read is no sign that an account was protected."""
    x.fail(SEARCH, status=403, body={"title": "Client Forbidden", "detail": "Not on your tier.", "type": "x/client"})
    with pytest.raises(outcomes.NotPermitted, match="Not on your tier") as caught:
        door_to(x).search("lang:de Rat")
    assert not isinstance(caught.value, outcomes.Gone)


def test_a_404_of_a_wrong_path_is_html_and_no_deleted_account(x: Simulator) -> None:
    """X says "not found" in HTML where the address is wrong: a fault of ours or theirs, to be tried again."""
    ask = Door(x.base_url + "/3", x.token)
    with pytest.raises(outcomes.Unreachable, match="no such address"):
        ask.search("lang:de Rat")


V1 = {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}
V2 = {"title": "Too Many Requests", "type": "about:blank", "status": 429}


@pytest.mark.parametrize("body", [V1, V2], ids=["v1", "v2"])
def test_a_closed_window_is_told_in_two_forms(odd: Canned, body: dict[str, Any]) -> None:
    """The old form with code 88 still comes; both mean: wait for the reset."""
    reset = int(timezone.now().timestamp()) + 300
    odd.tell(SEARCH, body, 429, x_rate_limit_reset=str(reset))
    with pytest.raises(outcomes.WindowClosed) as closed:
        door_to(odd).search("lang:de Rat")
    assert closed.value.reset_at == reset


@pytest.mark.parametrize("remaining", ["449", "0"])
def test_a_usage_cap_is_no_closed_window_whatever_remains(odd: Canned, remaining: str) -> None:
    """The monthly cap comes as a 429 too, while the window is wide open: waiting for its reset is useless."""
    reset = str(int(timezone.now().timestamp()) + 60)
    body = {"title": "UsageCapExceeded", "period": "Monthly", "type": "https://api.x.com/2/problems/usage-capped"}
    odd.tell(SEARCH, body, 429, x_rate_limit_limit="450", x_rate_limit_remaining=remaining, x_rate_limit_reset=reset)
    with pytest.raises(outcomes.MonthlyCapReached):
        door_to(odd).search("lang:de Rat")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", "<html><h1>Over capacity</h1></html>", {"title": "Service Unavailable"}])
def test_a_5xx_may_have_any_body(odd: Canned, status: int, body: Any) -> None:
    """Empty, HTML or a problem: it is tried again later."""
    odd.tell(SEARCH, body, status)
    with pytest.raises(outcomes.Unreachable, match=str(status)):
        door_to(odd).search("lang:de Rat")
