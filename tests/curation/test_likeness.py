"""When two posts say the same: links, words, numbers; and the keys that find them."""

import random
from typing import Any

import pytest

from curation.likeness import NEARLY, Likeness, in_channel, likeness, link_of
from curation.matching import words_of

NEWS = "Der Rat von Lindmark hat am Abend die neue Brücke über die Weser beschlossen, nach vier Stunden Streit."
DERBY = "Es steht %s für Lindmark im Derby gegen Oberhagen, und alle singen."
GREEK = "Το δημοτικό συμβούλιο ενέκρινε χθες το βράδυ τον νέο προϋπολογισμό ύστερα από πολύωρη συζήτηση."


def of(text: str, *links: str) -> Likeness:
    return likeness(words_of(text), {"urls": [{"expanded_url": link} for link in links]})


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("https://www.Blatt.example/a/b/?utm_source=x&id=7#top", "blatt.example/a/b?id=7"),
        ("http://m.blatt.example:8080/a", "blatt.example/a"),
        ("https://blatt.example/?p=12", "blatt.example?p=12"),
        ("https://blatt.example/a?b=2&a=1", "blatt.example/a?a=1&b=2"),
        ("https://blatt.example/a?gclid=1&fbclid=2&ref=x&s=20&mc_cid=4", "blatt.example/a"),
        ("https://blatt.example/a?style=1&sport=2&reference=3", "blatt.example/a?reference=3&sport=2&style=1"),
        ("https://blatt.example/Weg/GROSS", "blatt.example/Weg/GROSS"),
        ("https://blatt.example", ""),
        ("https://www.blatt.example/?utm_source=x", ""),
        ("https://x.com/blatt/status/1/photo/1", ""),
        ("https://twitter.com/blatt/status/1", ""),
        ("https://t.co/abc", ""),
        ("ftp://blatt.example/a", ""),
        ("kein Link", ""),
        ("", ""),
    ],
)
def test_links(address: str, link: str) -> None:
    assert link_of(address) == link


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (NEWS, NEWS.replace("vier", "vielen"), True),
        (NEWS, NEWS.replace("vier Stunden", "4 Stunden"), False),
        (NEWS, "Eilmeldung: " + NEWS, True),
        (NEWS, NEWS[:60], False),
        (GREEK, GREEK.upper(), True),
        (GREEK, GREEK.replace("χθες", "σήμερα"), True),
        ("Tor! Tor!", "Tor Tor", True),
        ("Tor! Tor!", "Tor Tore", False),
        (DERBY % "1:0", DERBY % "1 : 0", True),
        (DERBY % "1:0", DERBY % "0:1", False),
        (DERBY % "1:0", DERBY % "2:0", False),
        ("", "", False),
        ("🚨🚨", "🚨", False),
    ],
)  # fmt: skip
def test_words(one: str, other: str, alike: bool) -> None:
    assert (of(one).agrees(of(other)) >= NEARLY) is alike
    assert of(one).agrees(of(other)) == of(other).agrees(of(one))


def test_one_link_of_several_is_enough() -> None:
    one, other = of("Dies", "https://a.example/1", "https://b.example/2"), of("Das", "https://b.example/2#x")
    assert one.agrees(other) == 100
    assert set(one.keys) & set(other.keys)
    assert of("Dies").agrees(of("Das")) < NEARLY


def changed(text: str, chance: random.Random) -> str:
    """As others repeat it: a word changed, before or behind it some more."""
    words = text.split()
    at = chance.randrange(len(words))
    ways: list[Any] = [
        [*words[:at], "anderswo", *words[at + 1 :]],
        ["EIL:", *words],
        [*words, "Mehr", "dazu", "gleich"],
        [*words[:at], words[at] + "s", *words[at + 1 :]],
    ]
    return " ".join(chance.choice(ways))


def test_who_is_nearly_the_same_shares_a_key_nearly_always() -> None:
    chance = random.Random(11)
    texts = [chance.choice((NEWS, GREEK)) + f" {word} heute" for word in range(500)]
    found = sum(bool(set(of(text).keys) & set(of(changed(text, chance)).keys)) for text in texts)
    assert found >= 485


def test_keys_are_few_whatever_the_length() -> None:
    assert len(of(NEWS * 50, *[f"https://a.example/{n}" for n in range(20)]).keys) == 7
    assert len(of("Tor! Tor!").keys) == 1
    assert of("🚨 @rathaus https://t.co/x").keys == []


def test_keys_of_channels_are_apart_and_fit_a_bigint() -> None:
    here, there = (set(in_channel(pk, of(NEWS).keys)) for pk in (1, 2))
    assert not here & there
    assert max(in_channel(2**40 + 2**31 - 1, [2**32 - 1])) == 2**63 - 1
