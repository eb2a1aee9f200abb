"""A post's text as HTML: whole, linked where X says, nothing executed."""

from curation.wording import shown_text


def link(href: str, words: str) -> str:
    return f'<a href="{href}" target="_blank" rel="noopener noreferrer nofollow">{words}</a>'


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
    assert shown == "Beginn um <del>9</del><ins>10</ins> Uhr.<ins> Live</ins>"


def test_what_an_edit_cut_off_the_end_is_shown() -> None:
    assert shown_text("Beginn", {}, before="Beginn heute") == "Beginn<del> heute</del>"
