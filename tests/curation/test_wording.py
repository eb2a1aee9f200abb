"""A post's text as HTML: whole, linked where X says, nothing executed."""

import time

import pytest
from django.utils import translation

from curation.wording import brief, difference, is_long, shown_text


def link(href: str, words: str) -> str:
    return f'<a href="{href}" target="_blank" rel="noopener noreferrer nofollow">{words}</a>'


def out(words: str) -> str:
    return f'<del><span class="sr" lang="en">[taken out: </span>{words}<span class="sr">]</span></del>'


def put_in(words: str) -> str:
    return f'<ins><span class="sr" lang="en">[put in: </span>{words}<span class="sr">]</span></ins>'


def test_plain_text_stays_as_it_is() -> None:
    assert shown_text("Zwei\nZeilen", {}) == "Zwei\nZeilen"


def test_markup_is_shown_not_run() -> None:
    text = "<script>alert(1)</script> & \"quoted\" 'too'"
    shown = "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quoted&quot; &#x27;too&#x27;"
    assert shown_text(text, None) == shown


def test_what_x_escaped_is_unescaped_once() -> None:
    assert shown_text("&amp;lt; &lt;b&gt; &amp; &copy;", {}) == "&amp;lt; &lt;b&gt; &amp; &amp;copy;"
    assert shown_text("A &amp;lt; B", {}) == "A &amp;lt; B"


def test_entities_are_linked_by_code_points() -> None:
    text = "👩🏽‍🚀 @rat_lindmark: #Brücke https://t.co/abc $LIND"
    at = {words: (text.index(words), text.index(words) + len(words)) for words in text.split()[1:]}
    entities = {
        "mentions": [{"start": 5, "end": 18, "username": "rat_lindmark"}],
        "hashtags": [{"start": at["#Brücke"][0], "end": at["#Brücke"][1], "tag": "Brücke"}],
        "urls": [
            {"start": at["https://t.co/abc"][0], "end": at["https://t.co/abc"][1],
             "url": "https://t.co/abc", "display_url": "lindmark.example/a&b"}
        ],
        "cashtags": [{"start": at["$LIND"][0], "end": at["$LIND"][1], "tag": "LIND"}],
    }  # fmt: skip
    assert shown_text(text, entities) == " ".join(
        [
            "👩🏽‍🚀",
            link("https://x.com/rat_lindmark", "@rat_lindmark") + ":",
            link("https://x.com/hashtag/Br%C3%BCcke", "#Brücke"),
            link("https://t.co/abc", "lindmark.example/a&amp;b"),
            link("https://x.com/search?q=%24LIND", "$LIND"),
        ]
    )


def test_a_link_that_is_no_web_address_stays_text() -> None:
    entities = {"urls": [{"start": 0, "end": 4, "url": "javascript:alert(1)", "display_url": "x"}]}
    assert shown_text("hier", entities) == "hier"


def test_an_address_cannot_leave_its_attribute() -> None:
    entities = {"urls": [{"start": 0, "end": 4, "url": 'https://a.example/"onmouseover="x', "display_url": '"><b>'}]}
    shown = link("https://a.example/&quot;onmouseover=&quot;x", "&quot;&gt;&lt;b&gt;")
    assert shown_text("hier", entities) == shown


def test_broken_entities_are_passed_over() -> None:
    entities = {
        "urls": [{"start": 2, "end": 99, "url": "https://t.co/a"}, {"start": "x", "end": 3, "url": "https://t.co/b"}],
        "hashtags": [{"start": 0, "end": 5, "tag": "Tags"}, {"start": 1, "end": 3, "tag": "ag"}, {"end": 2}],
        "mentions": None,
    }
    assert shown_text("#Tags", entities) == link("https://x.com/hashtag/Tags", "#Tags")


def test_a_blocks_word_is_marked_also_inside_a_link() -> None:
    entities = {"hashtags": [{"start": 4, "end": 11, "tag": "Böller"}]}
    assert shown_text("Ein #Böller", entities, [(5, 11)]) == "Ein " + link(
        "https://x.com/hashtag/B%C3%B6ller", "#<mark>Böller</mark>"
    )


def test_an_edit_shows_what_went_and_what_came() -> None:
    shown = shown_text("Beginn um 10 Uhr. Live", {}, before="Beginn um 9 Uhr.")
    assert shown == f"Beginn um {out('9')}{put_in('10')} Uhr.{put_in(' Live')}"


def test_what_an_edit_cut_off_the_end_is_shown() -> None:
    assert shown_text("Beginn", {}, before="Beginn heute") == "Beginn" + out(" heute")


def test_an_edit_is_said_in_the_readers_language() -> None:
    with translation.override("el"):
        assert 'lang="el"' in shown_text("neu", {}, before="alt")


def test_what_an_edit_took_out_is_shown_not_run() -> None:
    shown = shown_text("Text", {}, before="<img src=x onerror=alert(1)>Text")
    assert "<img" not in shown
    assert "&lt;" in shown


def test_a_blocked_word_that_an_edit_put_in_is_both() -> None:
    assert shown_text("Es gab Böller", {}, [(7, 13)], before="Es gab Kuchen") == (
        "Es gab " + out("Kuchen") + put_in("<mark>Böller</mark>")
    )


def test_an_edit_inside_a_link_stays_inside() -> None:
    entities = {"hashtags": [{"start": 0, "end": 7, "tag": "Brücke"}]}
    shown = shown_text("#Brücke", entities, before="#Tunnel")
    assert shown == link("https://x.com/hashtag/Br%C3%BCcke", "#" + out("Tunnel") + put_in("Brücke"))


def test_a_link_whose_words_stand_for_an_address_wears_what_its_address_wears() -> None:
    entities = {"urls": [{"start": 4, "end": 18, "url": "https://t.co/a", "display_url": "böse.example"}]}
    shown = shown_text("Neu https://t.co/a", entities, [(4, 18)], before="Neu")
    assert shown == "Neu" + put_in(" ") + link("https://t.co/a", put_in("<mark>böse.example</mark>"))


@pytest.mark.parametrize("span", [(5, 8), (4, 7), (6, 7)])
def test_a_mark_cuts_no_escaped_sign_in_two(span: tuple[int, int]) -> None:
    assert shown_text("Tom &amp; Ida", {}, [span]) == "Tom <mark>&amp;</mark> Ida"


def test_an_edit_cuts_no_sign_and_no_emoji_in_two() -> None:
    assert shown_text("&lt;👩🏽‍🚀", {}, before="&amp;👩‍🚀") == out("&amp;👩‍🚀") + put_in("&lt;👩🏽‍🚀")


@pytest.mark.parametrize("spans", [[(3, 99)], [(90, 99)], [(2, 2)], [(0, 4), (1, 2)]])
def test_marks_that_fit_no_text_break_nothing(spans: list[tuple[int, int]]) -> None:
    shown = shown_text("Text", {}, spans)
    assert shown.replace("<mark>", "").replace("</mark>", "") == "Text"
    assert shown.count("<mark>") == shown.count("</mark>")


def test_hostile_texts_are_compared_in_time_too() -> None:
    """Without a bound this pair takes more than half a minute."""
    before = ".," * 1000
    after = "".join(sign + "-" * (place % 3 == 0) for place, sign in enumerate(",." * 750))
    began = time.monotonic()
    assert difference(before, after) == ({0: before}, [(0, len(after))])
    assert time.monotonic() - began < 2


def test_a_small_edit_of_a_long_text_is_found_exactly() -> None:
    text = "Wort und " * 3000
    assert difference(text + "eins " + text, text + "zwei " + text) == ({27000: "eins"}, [(27000, 27004)])


def test_a_high_gap_is_folded_with_its_height_and_can_be_opened() -> None:
    gap = "\n" + "\u2800\n \u200b\n" * 30
    summary = '<summary lang="en">60 empty lines</summary>'
    assert shown_text(f"Oben{gap}unten", {}) == f'Oben<details class="gap">{summary}{gap}</details>unten'
    assert shown_text("Oben\n\n\nunten", {}) == "Oben\n\n\nunten"


def test_a_line_of_nothing_that_would_run_on_and_on_is_a_gap_too() -> None:
    assert '<details class="gap">' in shown_text("a" + "\u2800" * 300 + "b", {})


def test_a_text_is_long_by_its_lines_without_gaps() -> None:
    assert (is_long("W" * 3000), is_long("\n" * 60 + "kurz"), is_long("Zeile\n" * 20)) == (True, False, True)


def test_in_brief_links_read_as_on_the_card() -> None:
    text = "Tom &amp; Ida:\n\n\n\n\nhttps://t.co/abc"
    start = text.index("https")
    url = {"start": start, "end": len(text), "url": "https://t.co/abc", "display_url": "lindmark.example/a"}
    assert brief(text, {"urls": [url]}) == "Tom & Ida:\nlindmark.example/a"
    assert brief("&amp;lt; https://t.co/abc", None) == "&lt; https://t.co/abc"


def test_a_new_code_of_the_same_link_is_no_edit_but_another_address_is() -> None:
    url = {
        "start": 7,
        "end": 23,
        "url": "https://t.co/new",
        "display_url": "a.example",
        "expanded_url": "https://a.example",
    }
    told = {"urls": [url]}
    link_of = link("https://t.co/new", "a.example")
    shown = shown_text(
        "Mehr:  https://t.co/new",
        told,
        before="Mehr:  https://t.co/old",
        led_to={"https://t.co/old": "https://a.example"},
    )
    assert shown == f"Mehr:  {link_of}"
    shown = shown_text(
        "Mehr:  https://t.co/new",
        told,
        before="Mehr:  https://t.co/old",
        led_to={"https://t.co/old": "https://b.example"},
    )
    assert shown == "Mehr:  " + link("https://t.co/new", out("https://b.example") + put_in("a.example"))
