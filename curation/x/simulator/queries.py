"""X's search language: words, phrases, operators, implicit AND before OR, parentheses, negation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

OPERATORS = "https://docs.x.com/x-api/posts/search/integrate/operators"
WORD = re.compile(r"\w+")
TOKEN = re.compile(r'-?[a-z_]+:"[^"]*"|-?"[^"]*"|-?\(|\)|[^\s()"]+|"')
OPERATOR = re.compile(r"([a-z][a-z_]*):(.*)", re.DOTALL)
COMBINING = re.compile("[\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
IS = ("retweet", "reply", "quote", "verified", "nullcast")
HAS = ("links", "media", "images", "videos", "hashtags", "mentions", "cashtags", "geo")
LEAST = {
    "min_likes": "like_count",
    "min_reposts": "retweet_count",
    "min_retweets": "retweet_count",
    "min_replies": "reply_count",
}


class BadQuery(ValueError):
    """X's words for what is wrong, with the position (from 1)."""

    def __init__(self, reason: str, at: int | None = None) -> None:
        position = "" if at is None else f" (at position {at})"
        super().__init__(f"There were errors processing your request: {reason}{position}")


def folded(text: str) -> str:
    """Lower case without diacritics: ă, č, ö, ώ and final sigma find their plain sisters."""
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", text.casefold())
    return COMBINING.sub("", spread).replace("đ", "d").replace("ς", "σ")


@dataclass
class Searchable:
    """What a query sees of a post. `flags` holds "is:reply", "has:links" and the like; tags are folded."""

    author: str
    author_id: str
    lang: str
    text: str
    words: list[str]
    flags: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    cashtags: set[str] = field(default_factory=set)
    mentions: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    lists: set[str] = field(default_factory=set)
    contexts: set[str] = field(default_factory=set)
    replies_to: str = ""
    retweets: str = ""
    conversation: str = ""
    metrics: Callable[[], dict[str, int]] = dict


Test = Callable[[Searchable], bool]
Needs = tuple[frozenset[str], ...]
NEEDED = ("from", "list", "lang")
# Stand in a text as handed out, but not as its author typed it.
ADDED = ("amp", "lt", "gt", "https", "t", "co")


@dataclass(frozen=True)
class Query:
    """`words`: whether it asks for words, in which case X returns no retweets. `needs`: of every set a post
    that is found fulfils one term at least, a `from:`, `list:`, `lang:` or `word:`."""

    test: Test
    words: bool
    needs: Needs = ()

    def finds(self, post: Searchable) -> bool:
        if self.words and "is:retweet" in post.flags:
            return False
        return self.test(post)


Fold = Callable[[str], str]


def exact(text: str) -> str:
    """Lower case, with the diacritics left alone."""
    return unicodedata.normalize("NFC", text.lower())


def parse(text: str) -> Query:
    """A search. Raises BadQuery."""
    return Parser(text, folded).query()


def parse_rule(text: str) -> Query:
    """A rule of the stream: diacritics matter and lists are not known. Raises BadQuery."""
    return Parser(text, exact, unknown=("list",)).query()


class Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, text: str, fold: Fold, unknown: tuple[str, ...] = ()) -> None:
        self.fold = fold
        self.unknown = unknown
        self.tokens = [(match[0], match.start() + 1) for match in TOKEN.finditer(text)]
        self.end = len(text) + 1
        self.at = 0
        self.words = False
        self.standalone = False

    def query(self) -> Query:
        test, needs = self._either()
        if self.at < len(self.tokens):
            term, position = self.tokens[self.at]
            raise BadQuery(f"missing EOF at '{term}'", position)
        if not self.standalone:
            raise BadQuery("Rules must contain at least one positive, non-stopword clause")
        return Query(test, self.words, needs)

    def _peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def _either(self) -> tuple[Test, Needs]:
        found = [self._all()]
        while self._peek() == "OR":
            self.at += 1
            found.append(self._all())
        tests = [test for test, _ in found]
        if len(found) == 1:
            return found[0]
        return (lambda post: any(test(post) for test in tests)), alternatives([needs for _, needs in found])

    def _all(self) -> tuple[Test, Needs]:
        tests, needs = [], list[frozenset[str]]()
        while self._peek() not in ("", ")", "OR"):
            test, more = self._term()
            tests.append(test)
            needs += more
        if not tests:
            position = self.tokens[self.at][1] if self.at < len(self.tokens) else self.end
            raise BadQuery(f"no viable alternative at input '{self._peek() or '<EOF>'}'", position)
        return (lambda post: all(test(post) for test in tests)), tuple(needs)

    def _term(self) -> tuple[Test, Needs]:
        term, position = self.tokens[self.at]
        self.at += 1
        if term == "(":
            return self._group()
        if term == "-(":
            raise BadQuery("Grouped terms cannot be negated, negate each of them", position)
        if term == '"':
            raise BadQuery("missing closing quote", position)
        if term.startswith("-") and len(term) > 1:
            test = self._leaf(term[1:], position)[0]
            return (lambda post: not test(post)), ()
        test, kind = self._leaf(term, position)
        self.words |= kind == "word"
        self.standalone |= kind != "narrowing"
        needed = self._needed(term, kind)
        return test, (frozenset([needed]),) if needed else ()

    def _needed(self, term: str, kind: str) -> str:
        """What a post must fulfil for this term, as far as it can be told cheaply."""
        name, colon, value = term.lower().partition(":")
        if kind == "word":
            words = [] if term[0] in "@$" else WORD.findall(self.fold(term))
            longest = max(words, key=len, default="t")
            return "" if longest in ADDED else f"word:{longest}"
        stripped = value.strip('@"')
        return f"{name}:{stripped}" if colon and name in NEEDED else ""

    def _leaf(self, term: str, position: int) -> tuple[Test, str]:
        if term.partition(":")[0] in self.unknown and ":" in term:
            raise invalid_operator(term, position)
        return leaf(term, position, self.fold)

    def _group(self) -> tuple[Test, Needs]:
        found = self._either()
        if self._peek() != ")":
            raise BadQuery("missing ')' at '<EOF>'", self.end)
        self.at += 1
        return found


def alternatives(branches: list[Needs]) -> Needs:
    """What every one of several alternatives needs: one set, of the narrowest of each."""
    if not all(branches):
        return ()
    narrowest = [min(needs, key=_breadth) for needs in branches]
    return (frozenset().union(*narrowest),)


def _breadth(terms: frozenset[str]) -> tuple[int, int]:
    """Few authors are narrower than a language, words the narrowest but dearest to look for."""
    kinds = {term.partition(":")[0] for term in terms}
    return (2 if "lang" in kinds else 1 if "word" in kinds else 0), len(terms)


def leaf(term: str, position: int, fold: Fold = folded) -> tuple[Test, str]:
    """The test of one term, and whether it is a "word", an "operator", or only "narrowing" others."""
    operator = OPERATOR.fullmatch(term)
    if operator:
        return _operator(operator[1], operator[2].strip('"'), position)
    if term.startswith("#"):
        tag = fold(term[1:])
        return (lambda post: tag in post.tags), "word"
    if term.startswith("$"):
        cash = term[1:].upper()
        return (lambda post: cash in post.cashtags), "word"
    if term.startswith("@"):
        name = term[1:].lower()
        return (lambda post: name in post.mentions), "word"
    return phrase(term.strip('"'), fold), "word"


def phrase(text: str, fold: Fold) -> Test:
    """The words of `text`, one after the other; signs without letters are looked for as they are."""
    wanted = WORD.findall(fold(text))
    if not wanted:
        return lambda post: bool(text) and text in post.text
    size = len(wanted)
    return lambda post: any(post.words[i : i + size] == wanted for i in range(len(post.words) - size + 1))


def _operator(name: str, value: str, position: int) -> tuple[Test, str]:
    low = value.lower()
    if (name == "is" and low in IS) or (name == "has" and low in HAS):
        flag = f"{name}:{low}"
        return (lambda post: flag in post.flags), "narrowing"
    if name in LEAST and value.isdecimal():
        return (lambda post: post.metrics()[LEAST[name]] >= int(value)), "narrowing"
    if name in OPERATOR_TESTS and value:
        kind = "narrowing" if name in ("lang", "place_country") else "operator"
        return OPERATOR_TESTS[name](low), kind
    raise invalid_operator(f"{name}:{value}", position)


def invalid_operator(term: str, position: int) -> BadQuery:
    return BadQuery(
        f"Reference to invalid operator '{term}'. Operator is not available in current product "
        f"or product packaging. Please refer to complete available operator list at {OPERATORS}.",
        position,
    )


def _context(value: str) -> Test:
    domain, _, entity = value.partition(".")
    return lambda post: any(
        (domain in ("*", have.partition(".")[0])) and entity in ("*", have.partition(".")[2]) for have in post.contexts
    )


OPERATOR_TESTS: dict[str, Callable[[str], Test]] = {
    "from": lambda value: lambda post: value.lstrip("@") in (post.author, post.author_id),
    "to": lambda value: lambda post: post.replies_to == value.lstrip("@"),
    "retweets_of": lambda value: lambda post: post.retweets == value.lstrip("@"),
    "list": lambda value: lambda post: value in post.lists,
    "lang": lambda value: lambda post: post.lang == value,
    "url": lambda value: lambda post: any(value in link.lower() for link in post.links),
    "conversation_id": lambda value: lambda post: post.conversation == value,
    "context": _context,
    "place_country": lambda value: lambda post: False,
}
