"""Whether X takes a query: checked as X does, before it is asked, and told in the reader's language.

Rules: X_API, section "Queries", and X's own refusals. What X finds wrong beyond them is told when a source is tried."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext_lazy as _

from regions.models import Source
from regions.problems import Refusal

LONGEST = {Source.Kind.SEARCH: 512, Source.Kind.STREAM: 1024}  # characters: X_API, section "Endpoints"
PIECE = re.compile(r'-?(?:[a-z_]+:)?"[^"]*"|-?\(|\)|[^\s()"]+|"')
OPERATOR = re.compile(r"([a-z][a-z_]*):(.*)", re.DOTALL)
CURLY = re.compile("[“”„‟«»‹›‘’‚]")
# fmt: off
STANDALONE = frozenset([
    "from", "to", "retweets_of", "url", "context", "entity", "conversation_id", "list", "in_reply_to_tweet_id",
    "retweets_of_tweet_id", "quotes_of_tweet_id",
])
# fmt: on
NARROWING: dict[str, frozenset[str]] = {
    "is": frozenset(["retweet", "reply", "quote", "verified", "nullcast"]),
    "has": frozenset(["links", "media", "images", "videos", "video_link", "hashtags", "mentions", "cashtags", "geo"]),
}
ANY_VALUE = frozenset(["lang", "place_country", "min_likes", "min_reposts", "min_retweets", "min_replies"])
COUNTED = frozenset(name for name in ANY_VALUE if name.startswith("min_"))
SEARCHED_ALONE = ("list", "entity")  # the stream does not know them


class BadQuery(Refusal):
    """`at`: the character, from 1, that it is about."""

    code = "bad_query"

    def __init__(self, detail: Any, at: int = 0) -> None:
        told = _("%(what)s (at character %(at)d)") % {"what": detail, "at": at} if at else detail
        super().__init__(told, field="value", **({"at": at} if at else {}))


def check(query: str, kind: str) -> None:
    """Raises BadQuery for what X would refuse of a search or of a stream rule."""
    most = LONGEST[Source.Kind(kind)]
    if len(query) > most:
        told = {"most": most, "n": len(query)}
        raise BadQuery(_("X takes at most %(most)d characters; these are %(n)d.") % told)
    if found := CURLY.search(query):
        raise BadQuery(_('X knows straight quotation marks alone: "like this".'), found.start() + 1)
    Checking(query, kind).whole()


class Checking:
    """One walk over a query: brackets, OR, minus, operators, and that something in it can stand alone."""

    def __init__(self, query: str, kind: str) -> None:
        self.query, self.streamed = query, kind == Source.Kind.STREAM
        self.open: list[int] = []
        self.wanting = True  # something must follow: at the beginning, after a bracket opened, after OR
        self.stands = False

    def whole(self) -> None:
        for found in PIECE.finditer(self.query):
            self._piece(found[0], found.start() + 1)
        if self.open:
            raise BadQuery(_("A bracket is opened and not closed."), self.open[-1])
        if self.wanting:
            raise BadQuery(_("OR needs something after it."), len(self.query))
        if not self.stands:
            raise BadQuery(
                _(
                    "X refuses a query of operators that only narrow (lang:, is:, has:, min_likes:) or only exclude:"
                    " add a word, a hashtag or from:name."
                )
            )

    def _piece(self, piece: str, at: int) -> None:
        if piece == '"':
            raise BadQuery(_("A quotation mark is opened and not closed."), at)
        if piece == "-(":
            raise BadQuery(_("A bracket cannot be excluded as one: put the minus before each word in it."), at)
        if piece == "(":
            self.open.append(at)
            self.wanting = True
        elif piece == ")":
            self._closed(at)
        elif piece == "OR":
            if self.wanting:
                raise BadQuery(_("OR needs something before it."), at)
            self.wanting = True
        else:
            self._term(piece, at)
            self.wanting = False

    def _closed(self, at: int) -> None:
        if not self.open:
            raise BadQuery(_("A bracket is closed that was not opened."), at)
        if self.wanting:
            raise BadQuery(_("There is nothing in a bracket, or nothing after OR."), at)
        self.open.pop()

    def _term(self, piece: str, at: int) -> None:
        if piece == "-":
            raise BadQuery(_("A minus stands before a word, without a blank."), at)
        if piece == "or":
            raise BadQuery(_("Write OR in capitals; put it in quotation marks where the word is meant."), at)
        if piece.lower() == "and":
            raise BadQuery(_("A blank joins words: leave AND out, or put it in quotation marks."), at)
        excluded, term = piece.startswith("-"), piece.removeprefix("-")
        found = OPERATOR.fullmatch(term)
        alone = self._operator(found[1], found[2].strip('"'), excluded, at) if found else bool(term.strip('"# $@'))
        self.stands |= alone and not excluded

    def _operator(self, name: str, value: str, excluded: bool, at: int) -> bool:
        """Whether it can stand alone."""
        if self.streamed and name in SEARCHED_ALONE:
            raise BadQuery(_("A stream rule does not know %(name)s: use a search.") % {"name": f"{name}:"}, at)
        if name in STANDALONE and value:
            return True
        if value.lower() in NARROWING.get(name, ()):
            if (name, value.lower()) == ("is", "nullcast") and not excluded:
                raise BadQuery(_("X knows is:nullcast with a minus alone: -is:nullcast."), at)
            return False
        if name in ANY_VALUE and value and (name not in COUNTED or value.isdecimal()):
            return False
        raise BadQuery(_("X does not know the operator %(name)s.") % {"name": f"{name}:{value}"}, at)
