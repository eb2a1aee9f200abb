"""How posts look: texts, entities, versions, long posts, retweets, numbers."""

from typing import Any

import pytest

from curation.x.simulator import Simulator

FIELDS = (
    "attachments,author_id,conversation_id,created_at,display_text_range,edit_controls,entities,"
    "in_reply_to_user_id,lang,note_tweet,possibly_sensitive,public_metrics,referenced_tweets,withheld"
)


def shown(ask: Any, number: str, **more: str) -> dict[str, Any]:
    post: dict[str, Any] = ask.json(f"/2/tweets/{number}", tweet__fields=FIELDS, **more)["data"]
    return post


def named(text: str, entity: dict[str, Any]) -> str:
    return text[entity["start"] : entity["end"]]


def test_entities_count_code_points(x: Simulator, ask: Any) -> None:
    raw = "👩‍🚒🔥 Rat & <Bau>: #Nordau, @hafenblatt, $ABC und https://www.nordau.example/ein/langer/weg/zum/ziel."
    post = shown(ask, x.post("stadt_nordau", raw))
    text, entities = post["text"], post["entities"]
    assert "Rat &amp; &lt;Bau&gt;:" in text
    assert named(text, entities["hashtags"][0]) == "#Nordau"
    assert entities["hashtags"][0]["tag"] == "Nordau"
    assert named(text, entities["mentions"][0]) == "@hafenblatt"
    assert entities["mentions"][0]["id"] == ask.user_id("hafenblatt")
    assert named(text, entities["cashtags"][0]) == "$ABC"
    link = entities["urls"][0]
    assert named(text, link) == link["url"] != link["expanded_url"]
    assert link["url"].startswith("https://t.co/") and len(link["url"]) == 23
    assert link["expanded_url"] == "https://www.nordau.example/ein/langer/weg/zum/ziel"
    assert link["display_url"] == "nordau.example/ein/langer/w…"[:26] + "…"
    assert text.endswith(link["url"] + ".")


def test_address_in_a_mail_is_no_mention(x: Simulator, ask: Any) -> None:
    post = shown(ask, x.post("stadt_nordau", "Schreibt an rat@nordau oder C#Kurs, Haus&#8470"))
    assert "entities" not in post


def test_pictures_stand_behind_the_text(x: Simulator, ask: Any) -> None:
    number = x.post("sv_nordau", "Sieg!", media=["stadium", "stage"], alt="Jubel")
    body = ask.json(
        f"/2/tweets/{number}",
        tweet__fields=FIELDS,
        expansions="attachments.media_keys",
        media__fields="url,alt_text,width,height",
    )
    post, media = body["data"], body["includes"]["media"]
    start, end = post["display_text_range"]
    assert post["text"][start:end] == "Sieg!"
    assert post["attachments"]["media_keys"] == [entry["media_key"] for entry in media]
    assert [url["media_key"] for url in post["entities"]["urls"]] == post["attachments"]["media_keys"]
    assert post["entities"]["urls"][0]["expanded_url"] == f"https://x.com/sv_nordau/status/{number}/photo/1"
    assert media[0]["url"] == f"{x.base_url}/pictures/media/stadium-{media[0]['media_key']}.svg"
    assert (media[0]["alt_text"], media[0]["width"], media[0]["height"]) == ("Jubel", 1200, 675)


def test_pictures_can_have_another_address(texts: Any, ask_of: Any) -> None:
    with Simulator(texts=texts, rate=0, catalogue=0, pictures_base="https://bilder.example/") as x:
        user = ask_of(x).json("/2/users/by/username/hafenblatt", user__fields="profile_image_url")["data"]
        assert user["profile_image_url"] == "https://bilder.example/pictures/avatars/hafenblatt.svg"


def test_old_version_keeps_its_text(x: Simulator, ask: Any) -> None:
    old = x.post("hafenblatt", "Um 14 Uhr")
    new = x.edit(old, "Um 15 Uhr")
    newest = x.edit(old, "Um 16 Uhr")
    assert int(old) < int(new) < int(newest)
    first = ask.json(f"/2/tweets/{old}", expansions="edit_history_tweet_ids", tweet__fields="edit_controls")
    assert first["data"]["text"] == "Um 14 Uhr"
    assert first["data"]["edit_history_tweet_ids"] == [old, new, newest]
    assert {post["text"] for post in first["includes"]["tweets"]} == {"Um 15 Uhr", "Um 16 Uhr"}
    assert first["data"]["edit_controls"]["edits_remaining"] == 3


def test_long_post_is_cut_and_whole_in_its_note(x: Simulator, ask: Any) -> None:
    raw = "Grün & gut. " * 40 + "Ende https://nordau.example/ende #Ende"
    post = shown(ask, x.post("hafenblatt", raw))
    note = post["note_tweet"]
    assert note["text"].startswith("Grün &amp; gut. Grün")
    assert named(note["text"], note["entities"]["hashtags"][0]) == "#Ende"
    assert named(note["text"], note["entities"]["urls"][0]) == note["entities"]["urls"][0]["url"]
    assert "hashtags" not in post["entities"]
    assert post["text"].startswith("Grün &amp; gut.") and "… https://t.co/" in post["text"]
    assert len(post["text"].replace("&amp;", "&")) <= 280
    assert "note_tweet" not in shown(ask, x.post("hafenblatt", "x" * 280))


def test_retweet_quote_and_reply(x: Simulator, ask: Any) -> None:
    original = x.post("hafenblatt", "Rat & Tat. " * 14)
    retweet = shown(ask, x.retweet("sv_nordau", original))
    assert retweet["text"].startswith("RT @hafenblatt: Rat &amp; Tat.")
    assert retweet["text"].endswith("…") and len(retweet["text"].replace("&amp;", "&")) <= 140
    assert retweet["referenced_tweets"] == [{"type": "retweeted", "id": original}]
    quote = shown(ask, x.post("boerse_nord", "Lesenswert", quote=original))
    assert quote["entities"]["urls"][0]["expanded_url"] == f"https://x.com/hafenblatt/status/{original}"
    reply = x.post("boerse_nord", "@hafenblatt Danke", reply_to=original)
    again = shown(ask, x.post("sv_nordau", "@boerse_nord Gern", reply_to=reply))
    assert again["conversation_id"] == original
    assert again["in_reply_to_user_id"] == ask.user_id("boerse_nord")


def test_expansions_bring_what_is_referred_to(x: Simulator, ask: Any) -> None:
    original = x.post("hafenblatt", "Bild", media=["port"])
    quote = x.post("boerse_nord", "Schaut, @lia_buehne", quote=original)
    body = ask.json(
        f"/2/tweets/{quote}",
        expansions="author_id,referenced_tweets.id.author_id,entities.mentions.username,"
        "referenced_tweets.id.attachments.media_keys",
    )
    assert {user["username"] for user in body["includes"]["users"]} == {
        "boerse_nord",
        "hafenblatt",
        "lia_buehne",
    }
    assert [post["id"] for post in body["includes"]["tweets"]] == [original]
    assert body["includes"]["media"][0]["type"] == "photo"
    assert "errors" not in body


def test_missing_reference_is_an_error_of_the_includes(x: Simulator, ask: Any) -> None:
    original = x.post("hafenblatt", "Weg")
    quote = x.post("boerse_nord", "Dazu", quote=original)
    x.delete(original)
    body = ask.json(f"/2/tweets/{quote}", expansions="referenced_tweets.id")
    assert body["data"]["id"] == quote
    assert [(error["parameter"], error["resource_id"]) for error in body["errors"]] == [
        ("referenced_tweets.id", original)
    ]


@pytest.mark.parametrize(("codes", "notice"), [(["DE"], False), (["XX"], True), (["XY"], True)])
def test_withheld(codes: list[str], notice: bool, x: Simulator, ask: Any) -> None:
    number = x.post("hafenblatt", "Umstritten")
    x.withhold(number, codes)
    post = shown(ask, number)
    assert post["withheld"] == {"copyright": codes == ["XY"], "country_codes": codes, "scope": "tweet"}
    assert ("has been withheld" in post["text"]) is notice
    x.withhold(number, [])
    assert shown(ask, number)["text"] == "Umstritten"


def test_withheld_author(x: Simulator, ask: Any) -> None:
    number = x.post("hafenblatt", "Text")
    x.withhold_user("hafenblatt", ["NL"])
    user = ask.json("/2/users/by/username/hafenblatt", user__fields="withheld")["data"]
    assert user["withheld"] == {"country_codes": ["NL"], "scope": "user"}
    assert shown(ask, number)["withheld"]["scope"] == "user"


def test_numbers_grow_with_age(texts: Any, ask_of: Any) -> None:
    now = [1_790_000_000.0]
    with Simulator(texts=texts, rate=0, catalogue=0, clock=lambda: now[0]) as x:
        ask, number = ask_of(x), x.post("lia_buehne", "Neues Lied")
        seen = []
        for hours in (0, 1, 6, 48):
            now[0] = 1_790_000_000 + hours * 3600
            seen.append(shown(ask, number)["public_metrics"]["like_count"])
        assert seen[0] == 0
        assert seen == sorted(set(seen))
        assert shown(ask, number)["created_at"] == "2026-09-21T14:13:20.000Z"


def test_ids_are_snowflakes_and_rise(x: Simulator) -> None:
    made = [int(x.post("hafenblatt", "Text")) for _ in range(200)]
    assert made == sorted(set(made))
    assert abs((made[0] >> 22) + 1288834974657 - x.world.now()) < 5000


def test_account_ids_never_change(ask: Any) -> None:
    assert ask.user_id("hafenblatt") == ask.user_id("HafenBlatt") == "209049471996238154"


def test_poll(x: Simulator, ask: Any) -> None:
    number = x.post("lia_buehne", "Und?", poll=["Ja", "Nein"])
    body = ask.json(
        f"/2/tweets/{number}",
        expansions="attachments.poll_ids",
        poll__fields="duration_minutes,end_datetime,voting_status",
    )
    poll = body["includes"]["polls"][0]
    assert body["data"]["attachments"]["poll_ids"] == [poll["id"]]
    assert [(option["position"], option["label"]) for option in poll["options"]] == [(1, "Ja"), (2, "Nein")]
    assert poll["voting_status"] == "open"
