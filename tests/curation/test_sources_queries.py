"""Queries and values as X takes them: what is refused, why, and where."""

import pytest

from curation.sourcing import queries, values
from curation.sourcing.queries import BadQuery
from curation.sourcing.values import BadSource, kind_of, normalised
from curation.x.simulator import queries as theirs

GOOD = [
    "(from:a OR from:b) -is:retweet -is:reply",
    "list:123 -is:retweet has:links",
    '("Bundesliga" OR context:11.*) lang:de -is:retweet -is:nullcast min_likes:20',
    "landtag (abstimmung OR haushalt) lang:de -is:retweet -quiz",
    "#rat OR $ABC OR @rathaus",
    'url:"https://rat.example" -"nicht das"',
    "Anpfiff 10:30",
    "(lang:hr OR lang:sr) vlada",
]
BAD = [
    ("landtag (haushalt", 9),
    ("landtag haushalt)", 17),
    ('"landtag', 1),
    ("landtag ()", 10),
    ("landtag OR", 10),
    ("OR landtag", 1),
    ("a OR OR b", 6),
    ("(a OR ) b", 7),
    ("landtag -(a OR b)", 9),
    ("landtag since:2026-01-01", 9),
    ("landtag is:funny", 9),
    ("landtag min_likes:many", 9),
    ("lang:de has:links", 0),
    ("-landtag", 0),
]
OURS_ALONE = [  # X refuses them; the simulator is less strict
    ("landtag and rat", 9),
    ("landtag or rat", 9),
    ("landtag - quiz", 9),
    ("landtag is:nullcast", 9),
    ("“landtag”", 1),
]


@pytest.mark.parametrize("query", GOOD)
def test_what_x_takes_is_taken(query: str) -> None:
    queries.check(query, "search")
    theirs.parse(query)


@pytest.mark.parametrize(("query", "at"), BAD)
def test_what_x_refuses_is_refused_with_its_place(query: str, at: int) -> None:
    with pytest.raises(BadQuery) as refused:
        queries.check(query, "search")
    assert (refused.value.field, refused.value.more.get("at", 0)) == ("value", at)
    with pytest.raises(theirs.BadQuery):
        theirs.parse(query)


@pytest.mark.parametrize(("query", "at"), OURS_ALONE)
def test_what_is_often_typed_wrong_is_told(query: str, at: int) -> None:
    with pytest.raises(BadQuery) as refused:
        queries.check(query, "search")
    assert refused.value.more["at"] == at


@pytest.mark.parametrize(("kind", "most"), [("search", 512), ("stream", 1024)])
def test_the_length_is_ours_to_keep(kind: str, most: int) -> None:
    queries.check("ä" * most, kind)
    with pytest.raises(BadQuery, match="bad_query") as refused:
        queries.check("ä" * (most + 1), kind)
    assert f"at most {most} characters; these are {most + 1}" in str(refused.value.detail)


def test_the_stream_knows_no_lists() -> None:
    queries.check("list:12", "search")
    with pytest.raises(BadQuery):
        queries.check("rat list:12", "stream")
    with pytest.raises(theirs.BadQuery):
        theirs.parse_rule("rat list:12")


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("account", " @Rathaus_1 ", "Rathaus_1"),
        ("account", "https://x.com/rathaus?s=20", "rathaus"),
        ("account", "twitter.com/rathaus/status/12", "rathaus"),
        ("account", "http://mobile.twitter.com/@rathaus/", "rathaus"),
        ("list", "https://x.com/i/lists/1500000000000000000", "1500000000000000000"),
        ("list", "0012", "12"),
        ("search", "  landtag \n lang:de ", "landtag lang:de"),
    ],
)
def test_values_are_stored_in_one_form(kind: str, given: str, stored: str) -> None:
    assert normalised(kind, given) == stored


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("account", ""),
        ("account", "@name_of_sixteen_"),
        ("account", "zwei worte"),
        ("account", "https://x.com/i/lists/12"),
        ("account", "https://x.com/search?q=rat"),
        ("account", "https://evil.example/rathaus"),
        ("account", "räthaus"),
        ("list", "Parlamente"),
        ("list", "https://x.com/rathaus/lists/parlamente"),
        ("list", "12345678901234567890"),
        ("search", "a\0b"),
        ("search", "\u202elandtag"),
    ],
)
def test_what_is_neither_is_refused(kind: str, given: str) -> None:
    with pytest.raises(BadSource) as refused:
        normalised(kind, given)
    assert refused.value.field == "value"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("@rathaus", "account"),
        ("https://x.com/rathaus", "account"),
        ("x.com/i/lists/12", "list"),
        ("1500000000000000000", "list"),
        ("landtag", "search"),
        ("@rathaus brücke", "search"),
        ("a/b", "search"),
    ],
)
def test_a_line_says_what_it_is(given: str, kind: str) -> None:
    assert kind_of(given) == kind


def test_names_are_compared_in_any_case() -> None:
    assert values.folded("account", "@Rathaus") == values.folded("account", "rathaus")
    assert values.folded("search", "Rat") != values.folded("search", "rat")
