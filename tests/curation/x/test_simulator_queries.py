"""The search language, by a table."""

from typing import Any

import pytest

from curation.x.simulator.queries import BadQuery, folded, parse

SEARCH = "/2/tweets/search/recent"
POSTS = {
    "bridge": ("hafenblatt", "Die neue Brücke in Südau steht. #Nordau https://nordau.example/bruecke", {}),
    "rail": ("stadt_nordau", "Tram und Bahn fahren wieder", {"media": ["tram"]}),
    "goal": ("sv_nordau", "Tor! Die Bundesliga grüßt @hafenblatt #svn", {}),
    "greek": ("limani", "Ώρες αναμονής στο λιμάνι", {}),
    "big": ("lia_buehne", "Danke Nordau", {}),
}
TABLE = [
    ("brücke", "bridge"),
    ("brucke", "bridge"),
    ("BRÜCKE -steht", ""),
    ("tram bahn", "rail"),
    ("tram brücke", ""),
    ("tram OR brücke", "bridge rail"),
    ('"tram und bahn"', "rail"),
    ('"bahn und tram"', ""),
    ('-"tram und bahn" from:stadt_nordau', "reply"),
    ("#nordau", "bridge"),
    ("#Nord OR #SVN", "goal"),
    ("nordau", "bridge big"),
    ("@hafenblatt", "goal reply"),
    ("from:SV_nordau", "goal retweet"),
    ("from:sv_nordau -is:retweet", "goal"),
    ("from:sv_nordau is:retweet", "retweet"),
    ("die", "bridge goal"),
    ("is:reply from:stadt_nordau", "reply"),
    ("to:hafenblatt", "reply"),
    ("from:boerse_nord is:quote", "quote"),
    ("(from:hafenblatt OR from:stadt_nordau) has:links -is:reply", "bridge rail"),
    ("from:stadt_nordau has:media", "rail"),
    ("from:stadt_nordau has:images", "rail"),
    ("tram OR tor has:mentions", "goal rail"),
    ("(tram OR tor) has:mentions", "goal"),
    ("from:limani lang:el", "greek"),
    ("λιμανι ωρες", "greek"),
    ("from:limani lang:de", ""),
    ("list:1500000000000000000 -is:reply", "bridge rail"),
    ("context:11.* bundesliga", "goal"),
    ("url:nordau.example", "bridge retweet"),
    ("nordau min_likes:20000", "big"),
    ("retweets_of:hafenblatt", "retweet"),
    ("brücke is:verified -is:nullcast", "bridge"),
]
BAD = [
    ("(tram", "missing ')' at '<EOF>' (at position 6)"),
    ("tram)", "missing EOF at ')' (at position 5)"),
    ("tram OR", "no viable alternative at input '<EOF>' (at position 8)"),
    ("()", "no viable alternative at input ')' (at position 2)"),
    ("tram colour:red", "Reference to invalid operator 'colour:red'."),
    ("tram is:nice", "Reference to invalid operator 'is:nice'."),
    ("lang:de", "Rules must contain at least one positive, non-stopword clause"),
    ("-tram lang:de", "Rules must contain at least one positive, non-stopword clause"),
    ("tram -(bahn OR tor)", "Grouped terms cannot be negated"),
    ('"tram', "missing closing quote (at position 1)"),
]


@pytest.fixture
def names(x: Any) -> dict[str, str]:
    made = {x.post(author, text, **fields): name for name, (author, text, fields) in POSTS.items()}
    bridge = next(iter(made))
    made[x.post("stadt_nordau", "@hafenblatt Danke", reply_to=bridge)] = "reply"
    made[x.post("boerse_nord", "Lesenswert", quote=bridge)] = "quote"
    made[x.retweet("sv_nordau", bridge)] = "retweet"
    # Old enough for likes, and one account has followers enough for them.
    x.account("lia_buehne", followers=10**9)
    moment = x.clock() + 86_400
    x.world.clock = lambda: moment
    return made


@pytest.mark.parametrize(("query", "expected"), TABLE)
def test_query_finds(query: str, expected: str, names: dict[str, str], ask: Any) -> None:
    found = ask.json(SEARCH, query=query).get("data", [])
    assert sorted(names[post["id"]] for post in found) == sorted(expected.split())


@pytest.mark.parametrize(("query", "message"), BAD)
def test_bad_query_is_refused(query: str, message: str, ask: Any) -> None:
    answer = ask.get(SEARCH, query=query)
    assert answer.status_code == 400
    error = answer.json()["errors"][0]
    assert error["parameters"] == {"query": [query]}
    assert error["message"].startswith("There were errors processing your request: " + message)


def test_relevancy_sorts_by_likes(names: dict[str, str], ask: Any) -> None:
    found = ask.json(SEARCH, query="nordau", sort_order="relevancy")["data"]
    assert [names[post["id"]] for post in found] == ["big", "bridge"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Đorđe Čović", "dorde covic"), ("Ώρες", "ωρεσ"), ("Straße", "strasse"), ("Țară", "tara")],
)
def test_folding(text: str, plain: str) -> None:
    assert folded(text) == plain


def test_words_alone_keep_retweets_out() -> None:
    assert parse("tram").words
    assert not parse("from:hafenblatt -tram").words
    with pytest.raises(BadQuery):
        parse("")
