"""Posts that are gone: their cards say why, and hold together when text and author were removed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from curation import operations
from curation.models import Candidate, State, Tweet
from regions.models import Channel, User
from tests.cast import make_candidate, make_tweet
from tests.curation.test_desk import DESK, HTMX, rows_of, text_of

AT = datetime(2026, 11, 20, 13, 2, tzinfo=UTC)
SAID = {
    Tweet.Gone.DELETED: "Deleted at X",
    Tweet.Gone.PROTECTED: "Its author shows posts to followers alone",
    Tweet.Gone.SUSPENDED: "Its author is suspended at X",
    Tweet.Gone.ERASED: "Its author asked to be erased",
    Tweet.Gone.UNVERIFIED: "X could not be asked for a day whether it still stands",
}


def purge(candidate: Candidate, **fields: Any) -> None:
    empty = {"text": "", "previous_text": "", "author": None, "raw": None, "wire": {}, "purged_at": AT}
    Tweet.objects.filter(pk=candidate.tweet_id).update(**empty | fields)


def changed(browse: Any, user: User) -> Any:
    return browse(user).get(DESK + "changes/", {"decision": 0, "candidate": 0}, headers=HTMX)


@pytest.mark.parametrize("cause", Tweet.Gone.values)
def test_a_purged_post_says_why_and_when(browse: Any, anna: User, de_politics: Channel, cause: str) -> None:
    candidate = make_candidate(de_politics, "Geheimes Wort")
    operations.block(candidate, by=anna, version=1)
    purge(candidate, gone_at=AT, gone_cause=cause)
    response = changed(browse, anna)
    assert rows_of(response) == [candidate.pk]
    told = text_of(response)
    assert f"{SAID[Tweet.Gone(cause)]}, seen November 20, 14:02; the text was removed." in told
    assert ("Removed post" in told, "Geheimes Wort" in told) == (True, False)


def test_a_post_whose_time_was_up_says_so(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.block(candidate, by=anna, version=1)
    purge(candidate)
    assert "The text was removed: its time was up." in text_of(changed(browse, anna))


def test_a_post_that_is_gone_but_not_purged_has_a_note(browse: Any, anna: User, de_politics: Channel) -> None:
    tweet = make_tweet("Noch da", gone_at=AT, gone_cause=Tweet.Gone.SUSPENDED)
    make_candidate(de_politics, tweet=tweet)
    told = text_of(browse(anna).get(DESK))
    assert "Noch da" in told
    assert "Its author is suspended at X, seen November 20, 14:02" in told


def test_the_undo_line_names_no_post_that_was_removed(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, "Geheimes Wort")
    operations.block(candidate, by=anna, version=1)
    purge(candidate)
    html = browse(anna).get(DESK).content.decode()
    assert "Removed post" in html
    assert "None" not in html.split('id="strip"')[1].split("</div>")[0]


def test_signs_that_x_escapes_are_shown_as_written(browse: Any, anna: User, de_politics: Channel) -> None:
    live = make_candidate(de_politics, "Rat &amp; Tat", state=State.APPROVED)
    operations.pin(live, by=anna, version=1)
    assert "Rat & Tat" in text_of(browse(anna).get("/live/de/politics/")).replace("&amp;", "&")
    for path in ("/live/de/politics/", DESK):
        assert "&amp;amp;" not in browse(anna).get(path).content.decode()
