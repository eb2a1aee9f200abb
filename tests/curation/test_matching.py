"""Which blocks match: whole words in five languages, phrases, what hides between letters, and where it stands."""

from datetime import UTC, datetime
from typing import Any

import pytest

from curation.matching import Matcher, host_of, with_parents
from curation.models import Author, Tweet
from regions.models import Block

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KIND = Block.Kind


def block(value: str, kind: str = KIND.TERM, pk: int = 1, **fields: Any) -> Block:
    return Block(pk=pk, value=value, kind=kind, **fields)


def found(text: str, *terms: str) -> list[str]:
    """The words of the text that the terms match, as they stand there."""
    matches = Matcher([block(term, pk=n) for n, term in enumerate(terms)]).matches(Tweet(text=text), 1, NOW)
    return [text[match.start : match.end] for match in matches]


@pytest.mark.parametrize(
    ("term", "text", "words"),
    [
        # German
        ("straße", "In der STRASSE brennt es", ["STRASSE"]),
        ("Strasse", "Große Straße.", ["Straße"]),
        ("Maße", "In Massen", []),
        ("über", "UBER alles", ["UBER"]),
        ("größe", "Die Größe", ["Größe"]),
        ("Müller", "Mueller", []),
        ("Rat", "Im Rathaus berät der Stadtrat", []),
        ("Rat", "Der Rat, der #Rat und die Rat-Frage", ["Rat"]),
        # Dutch
        ("ijs", "Lekker ĳs!", ["ĳs"]),
        ("cafe", "In het CAFÉ zit een café", ["CAFÉ"]),
        ("coördinatie", "De coordinatie", ["coordinatie"]),
        # Greek
        ("σκάνδαλο", "Το ΣΚΑΝΔΑΛΟ της χρονιάς", ["ΣΚΑΝΔΑΛΟ"]),
        ("ΝΟΜΟΣ", "Ο νόμος είναι νόμος", ["νόμος"]),
        ("νόμοσ", "Ο ΝΌΜΟΣ", ["ΝΌΜΟΣ"]),
        ("ΠΡΟΪΟΝ", "Το προϊόν", ["προϊόν"]),
        ("νομο", "Ο νόμος", []),
        # Romanian
        ("știri", "Ştiri false", ["Ştiri"]),
        ("ţară", "O țară mică", ["țară"]),
        ("pîine", "paine", []),
        ("pâine", "Paine si PÎINE", ["Paine"]),
        ("ÎNCĂ", "incă", ["incă"]),
        # Croatian
        ("žrtva", "ZRTVA i žrtva", ["ZRTVA"]),
        ("Đorđe", "dorde", ["dorde"]),
        ("čaša ćevapa", "Casa  cevapa!", ["Casa  cevapa"]),
        ("šećer", "Secer\u030c", ["Secer\u030c"]),
        # everywhere
        ("kauf jetzt", "Kauf\u00a0\u2003\n  jetzt!", ["Kauf\u00a0\u2003\n  jetzt"]),
        ("kauf  jetzt", "kauf jetzt", ["kauf jetzt"]),
        ("kauf jetzt", "kaufjetzt", []),
        ("Gewinn", "Ge\u200bwi\u00adnn hier", ["Ge\u200bwi\u00adnn"]),
        ("Gewinn", "\u202eGe\u2066winn\u2069", ["Ge\u2066winn\u2069"]),
        ("Gewinn", "Ｇｅｗｉｎｎ", ["Ｇｅｗｉｎｎ"]),
        ("Gewinn", "G\u0336e\u0336w\u0336i\u0336n\u0336n\u0336!", ["G\u0336e\u0336w\u0336i\u0336n\u0336n\u0336"]),
        ("1:0", "Es steht 1:0!", ["1:0"]),
        ("1:0", "Es steht 11:0 oder 1:05", []),
        ("🤑", "Jetzt🤑🤑", ["🤑"]),
        ("50 %", "Rabatt 50 %!", ["50 %"]),
        ("Q&A", "Unser Q&amp;A heute", ["Q&amp;A"]),
        ("amp", "Dies &amp; das", []),
        ("das", "Dies &amp; das", ["das"]),
        ("\u200b", "nichts\u200b hier", []),
        ("...", "Na …", ["…"]),
    ],
)
def test_terms(term: str, text: str, words: list[str]) -> None:
    assert found(text, term) == words


def test_several_terms_in_one_pass_each_by_its_first_place() -> None:
    text = "Abzocke bei der Abzocke-Bank in Bad Abzock: Bad Bank"
    assert found(text, "abzocke", "bank", "bad bank", "bad", "abzock") == [
        "Abzocke",
        "Bank",
        "Bad",
        "Abzock",
        "Bad Bank",
    ]


def test_a_term_within_another_is_found_too() -> None:
    assert found("das rote Kreuz hilft", "rote kreuz hilft", "kreuz", "rote") == ["rote", "Kreuz", "rote Kreuz hilft"]


def test_terms_that_fold_alike_both_match() -> None:
    matches = Matcher([block("Über", pk=1), block("uber", pk=2)]).matches(Tweet(text="über"), 1, NOW)
    assert [match.block_id for match in matches] == [1, 2]


def tweet_with(**entities: Any) -> Tweet:
    author = Author(x_id=77, username="Stadtblatt_1")
    return Tweet(first_id=100, current_id=200, text="x", author=author, wire={"entities": entities})


LINK = {"start": 3, "end": 9, "url": "https://t.co/a", "expanded_url": "https://user@News.Spam.Example:8080/a?b#c"}


@pytest.mark.parametrize(
    ("kind", "value", "span"),
    [
        (KIND.AUTHOR, "@STADTBLATT_1", (None, None)),
        (KIND.AUTHOR, "77", (None, None)),
        (KIND.AUTHOR, "stadtblatt", None),
        (KIND.TWEET, "https://x.com/i/status/200/", (None, None)),
        (KIND.TWEET, "100", (None, None)),
        (KIND.TWEET, "20", None),
        (KIND.HASHTAG, "#žrtve", (1, 7)),
        (KIND.HASHTAG, "ŽRTVE", (1, 7)),
        (KIND.HASHTAG, "#zrtv", None),
        (KIND.DOMAIN, "spam.example", (3, 9)),
        (KIND.DOMAIN, "https://www.spam.example/", (3, 9)),
        (KIND.DOMAIN, "news.spam.example", (3, 9)),
        (KIND.DOMAIN, "am.example", None),
        (KIND.DOMAIN, "example", None),
        (KIND.DOMAIN, "user", None),
    ],
)
def test_other_kinds(kind: str, value: str, span: tuple[int | None, int | None] | None) -> None:
    tweet = tweet_with(hashtags=[{"start": 1, "end": 7, "tag": "Žrtve"}], urls=[LINK])
    matches = Matcher([block(value, kind)]).matches(tweet, 1, NOW)
    assert [(match.start, match.end) for match in matches] == ([span] if span else [])


def test_a_domain_in_its_own_letters_and_in_ascii_are_one() -> None:
    url = LINK | {"expanded_url": "https://www.müller.example/"}
    for value in ("müller.example", "xn--mller-kva.example", "MÜLLER.example"):
        assert len(Matcher([block(value, KIND.DOMAIN)]).matches(tweet_with(urls=[url]), 1, NOW)) == 1


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("example.com:8080/x", "example.com"),
        ("//example.com", "example.com"),
        ("https://a.example.", "a.example"),
        ("https://" + "a" * 300 + ".example/", ""),
        ("https:///", ""),
        ("", ""),
    ],
)
def test_hosts(address: str, host: str) -> None:
    assert host_of(address) == host


def test_parents_of_a_host() -> None:
    assert list(with_parents("a.b.example")) == ["a.b.example", "b.example"]


def test_channels_and_ends_are_kept_to() -> None:
    later, past = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
    listed = [
        block("rat", pk=1, channel_id=1), block("rat", pk=2, channel_id=2), block("rat", pk=3, ends_at=past),
        block("rat", pk=4, ends_at=later), block("rat", pk=5, effect=Block.Effect.HOLD),
    ]  # fmt: skip
    matcher, tweet = Matcher(listed), Tweet(text="Der Rat")
    assert [match.block_id for match in matcher.matches(tweet, 1, NOW)] == [1, 4, 5]
    assert matcher.next_end(NOW) == later
    assert matcher.blocks(tweet, 1, NOW) is True
    assert Matcher(listed[4:]).blocks(tweet, 1, NOW) is False


@pytest.mark.django_db
def test_a_market_s_matcher_follows_its_lists(nl_politics: Any, django_assert_num_queries: Any) -> None:
    market = nl_politics.market
    assert Matcher.of(market).matches(Tweet(text="Win nu"), nl_politics.pk, NOW) == []
    made = Block.objects.create(kind=KIND.TERM, value="win")
    assert len(Matcher.of(market).matches(Tweet(text="Win nu"), nl_politics.pk, NOW)) == 1
    with django_assert_num_queries(1):
        Matcher.of(market)
    made.exempt.add(market, through_defaults={"reason": "Hier nicht."})
    assert Matcher.of(market).matches(Tweet(text="Win nu"), nl_politics.pk, NOW) == []
