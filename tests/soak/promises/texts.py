"""Words of posts: plain ones, and such as want to be more than text. Invented."""

from __future__ import annotations

from random import Random

from tests.soak.world import WORDS

HOSTILE = (
    "<tdkx onclick='tdkx()'>", "<script>tdkx()</script>", '"><img src=x onerror=tdkx()>', "</script><tdkx>",
    "{{ tdkx }}", "{% tdkx %}", "' onmouseover='tdkx()", "javascript:tdkx()", "<!-- tdkx", "]]><tdkx/>", "&lt;tdkx&gt;",
    "\\u003ctdkx\\u003e", "'; DROP TABLE tdkx; --", "${tdkx}", "%s %(tdkx)s", "<style>*{color:tdkx}</style>",
    "<svg onload=tdkx()>", "<a href=javascript:tdkx()>x</a>", "\u202etdkx\u202c", "td\u200bkx tdkx", "tdkx\u2028tdkx",
    "t\u0336d\u0336k\u0336x\u0336 tdkx", "\U0001f469\u200d\U0001f469\u200d\U0001f467 tdkx",
)  # fmt: skip
SHARE = 0.3


def words_of_a_post(chance: Random, number: int) -> str:
    """Unlike any other; some hold something hostile."""
    words = " ".join(chance.choices(WORDS, k=9))
    return f"{chance.choice(HOSTILE)} {words} {number}." if chance.random() < SHARE else f"{words} {number}."


def hostile_words(chance: Random) -> str:
    """An editor's line may hold no character that steers."""
    fit = [text for text in HOSTILE if text.isprintable()]
    return f"{chance.choice(fit)} {chance.choice(WORDS)}"
