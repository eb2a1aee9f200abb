"""What belongs to a post's words on its card: whom it answers, what it quotes, its poll, all its pictures."""

import re
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation.models import Tweet
from regions.models import Channel, User
from tests.cast import make_author, make_candidate, make_tweet
from tests.curation.test_desk import DESK, text_of


def wire(**parts: Any) -> dict[str, Any]:
    return {"entities": {}, "media": [], "refs": []} | parts


def quoting(tweet: Tweet, how: str = "quoted") -> dict[str, Any]:
    return wire(refs=[{"type": how, "id": str(tweet.current_id)}])


def test_a_quoted_post_that_is_stored_is_shown_small(browse: Any, anna: User, de_politics: Channel) -> None:
    quoted = make_tweet("Das Zitat &amp; mehr", author=make_author("zitiert", name="Zitierte Zeitung"))
    make_candidate(de_politics, tweet=make_tweet("Dazu sagen wir", wire=quoting(quoted)))
    page = browse(anna).get(DESK)
    assert "Zitierte Zeitung @zitiert Das Zitat &amp; mehr" in text_of(page)
    assert f'href="https://x.com/i/status/{quoted.current_id}"' in page.content.decode()


def test_a_quoted_post_that_is_gone_or_unknown_is_a_link_alone(browse: Any, anna: User, de_politics: Channel) -> None:
    gone = make_tweet("Nicht mehr zu lesen", gone_at=timezone.now(), gone_cause="deleted")
    make_candidate(de_politics, tweet=make_tweet("Eins", wire=quoting(gone)))
    make_candidate(de_politics, tweet=make_tweet("Zwei", wire=wire(refs=[{"type": "quoted", "id": "77"}])))
    told = text_of(browse(anna).get(DESK))
    assert told.count("Quotes a post that is not stored here") == 2
    assert "Nicht mehr zu lesen" not in told


def test_an_answer_says_to_whom(browse: Any, anna: User, de_politics: Channel) -> None:
    asked = make_tweet("Wann kommt die Brücke?", author=make_author("frager"))
    make_candidate(de_politics, tweet=make_tweet("Morgen", wire=quoting(asked, "replied_to")))
    unknown = wire(
        refs=[{"type": "replied_to", "id": "78"}],
        entities={"mentions": [{"start": 0, "end": 6, "username": "fremd"}]},
    )
    make_candidate(de_politics, tweet=make_tweet("@fremd Ja", wire=unknown))
    make_candidate(de_politics, tweet=make_tweet("Nein", wire=wire(refs=[{"type": "replied_to", "id": "79"}])))
    told = text_of(browse(anna).get(DESK))
    assert "Replies to @frager Wann kommt die Brücke?" in told
    assert "Replies to @fremd" in told
    assert "Replies to another post" in told


def test_a_poll_shows_its_options_with_their_shares(browse: Any, anna: User, de_politics: Channel) -> None:
    options = [{"label": "Ja", "votes": 3}, {"label": "Nein", "votes": 1}]
    make_candidate(de_politics, tweet=make_tweet(wire=wire(poll={"options": options})))
    told = text_of(browse(anna).get(DESK))
    assert "Ja 75 %" in told
    assert "Nein 25 %" in told


def test_a_poll_nobody_voted_in_has_shares_too(browse: Any, anna: User, de_politics: Channel) -> None:
    make_candidate(de_politics, tweet=make_tweet(wire=wire(poll={"options": [{"label": "Ja", "votes": 0}]})))
    assert "Ja 0 %" in text_of(browse(anna).get(DESK))


def test_all_pictures_are_there_with_what_they_show(browse: Any, anna: User, de_politics: Channel) -> None:
    media = [
        {"type": "photo", "url": "https://pbs.twimg.com/media/a.jpg", "alt": "Eine Brücke"},
        {"type": "video", "preview_url": "https://pbs.twimg.com/media/b.jpg", "alt": ""},
    ]
    make_candidate(de_politics, tweet=make_tweet(wire=wire(media=media)))
    page = browse(anna).get(DESK)
    gallery = page.content.decode().split('class="gallery"')[1].split("</ul>")[0]
    assert re.findall(r'src="([^"]+)" alt="([^"]+)"', gallery) == [
        ("https://pbs.twimg.com/media/a.jpg", "Eine Brücke"),
        ("https://pbs.twimg.com/media/b.jpg", "Picture without description"),
    ]
    assert "1 of 2" in text_of(page)


def test_what_stands_beside_is_read_for_all_rows_at_once(browse: Any, anna: User, de_politics: Channel) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            browse(anna).get(DESK)
        return len(queries)

    make_candidate(de_politics, tweet=make_tweet(wire=quoting(make_tweet())))
    few = asked()
    for _ in range(10):
        make_candidate(de_politics, tweet=make_tweet(wire=quoting(make_tweet())))
    assert asked() == few


def test_a_quotes_links_read_as_on_its_own_card(browse: Any, anna: User, de_politics: Channel) -> None:
    text = "Dazu https://t.co/abc"
    url = {"start": 5, "end": len(text), "url": "https://t.co/abc", "display_url": "lindmark.example/a"}
    quoted = make_tweet(text, wire=wire(entities={"urls": [url]}))
    make_candidate(de_politics, tweet=make_tweet("Seht her", wire=quoting(quoted)))
    told = text_of(browse(anna).get(DESK))
    assert ("Dazu lindmark.example/a" in told, "t.co" in told) == (True, False)


def test_a_page_of_nothing_is_folded_and_a_long_text_scrolls(browse: Any, anna: User, de_politics: Channel) -> None:
    make_candidate(de_politics, "Oben" + "\n" * 61 + "unten")
    make_candidate(de_politics, "W" * 3000)
    html = browse(anna).get(DESK).content.decode()
    assert re.findall(r"<summary[^>]*>(\d+ empty lines)</summary>", html) == ["60 empty lines"]
    assert html.count('class="words words--long" tabindex="0"') == 1
