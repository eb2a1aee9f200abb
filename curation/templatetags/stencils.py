"""Rows of a page that are drawn alike but for what is filled in.

`{% stencil card what it looks like ... %}` renders what it encloses once a page for each look, for a stand-in that has
signs in place of its ids and names, and for every further card of that look puts its own where the signs are. What is
more than an id or a name stands between `{% own %}` and `{% endown %}`: that is rendered for each card.

So the looks have to tell apart all that is decided outside of `own`; and what is filled in has to be printed as it is,
not through a filter. Within `own` only those names are known that are known where the stencil begins."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, replace
from html import escape
from secrets import randbelow
from typing import Any

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token
from django.template.context import Context

from curation.cards import Card

register = template.Library()
RECORDED = "own parts of a stencil"
PK, VERSION, POST, POINTS, KEY, NAME, USERNAME, PICTURE, VIA, LANGUAGE, PART = range(11)
OWN = 500  # the numbers from here on are parts of the template, those from PART on points of a score's parts
SECRET = 10**14 + randbelow(9 * 10**14)
SIGNS = re.compile(rf"{SECRET}(\d{{3}})")


def sign(number: int) -> int:
    """A number that nobody can guess, and that fits wherever an id does."""
    return SECRET * 1000 + number


def stand_in(card: Card) -> Card:
    """A card that looks the same, with signs for what is filled in."""
    candidate, tweet = copy(card.candidate), copy(card.tweet)
    tweet.current_id, tweet.lang = sign(POST), str(sign(LANGUAGE))
    if author := copy(tweet.author):
        author.name, author.username = str(sign(NAME)), str(sign(USERNAME))
        author.avatar_url = str(sign(PICTURE)) if author.avatar_url else ""
        tweet.author = author
    candidate.pk, candidate.version, candidate.tweet = sign(PK), sign(VERSION), tweet
    alike = replace(card, candidate=candidate, key=str(sign(KEY)))
    alike.points, alike.via = sign(POINTS), str(sign(VIA)) if card.via else ""
    alike.high, alike.speaks = card.high, card.speaks
    alike.points_of_parts = [(code, sign(PART + n)) for n, (code, _points) in enumerate(card.points_of_parts)]
    return alike


def told_by(card: Card) -> list[str]:
    """What is filled in, by the numbers of the signs."""
    candidate, author = card.candidate, card.tweet.author
    who = [escape(told) for told in (author.name, author.username, author.avatar_url)] if author else ["", "", ""]
    ids = [str(told) for told in (candidate.pk, candidate.version, card.tweet.current_id, card.points)]
    parts = [str(points) for _code, points in card.points_of_parts]
    return [*ids, card.key, *who, escape(card.via), escape(card.tweet.lang), *parts]


@dataclass(frozen=True)
class Cut:
    """What was rendered for a look: runs of HTML, the first before the first sign; and what stands at the signs."""

    runs: list[str]
    holes: list[int]
    own: list[Own]

    def filled(self, card: Card, context: Context) -> str:
        told = told_by(card)
        parts = [self.runs[0]]
        for run, hole in zip(self.runs[1:], self.holes, strict=True):
            parts += [self.own[hole - OWN].render(context) if hole >= OWN else told[hole], run]
        return "".join(parts)


class Stencil(Node):
    def __init__(self, card: FilterExpression, look: list[FilterExpression], nodelist: NodeList) -> None:
        self.card, self.look, self.nodelist = card, look, nodelist

    def render(self, context: Context) -> str:
        card: Card = self.card.resolve(context)
        look = (card.tweet.author is None, *(told.resolve(context) for told in self.look))
        if card.refusal:
            return self.nodelist.render(context)
        of_the_page: Any = context.render_context.dicts[0]
        cuts: dict[Any, Cut] = of_the_page.setdefault(self, {})
        if look not in cuts:
            cuts[look] = self.cut(card, context)
        return cuts[look].filled(card, context)

    def cut(self, card: Card, context: Context) -> Cut:
        alike = stand_in(card)
        parts: list[Own] = []
        names = {"card": alike, "candidate": alike.candidate, "tweet": alike.tweet, "author": alike.tweet.author}
        with context.push(**names, **{RECORDED: parts}):
            runs = SIGNS.split(self.nodelist.render(context))
        return Cut(runs[::2], [int(number) for number in runs[1::2]], parts)


class Own(Node):
    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Context) -> str:
        recorded: list[Own] | None = context.get(RECORDED)
        if recorded is None:
            return self.nodelist.render(context)
        recorded.append(self)
        return str(sign(OWN + len(recorded) - 1))


@register.tag
def stencil(parser: Parser, token: Token) -> Stencil:
    _tag, card, *look = token.split_contents()
    nodelist = parser.parse(["endstencil"])
    parser.delete_first_token()
    return Stencil(parser.compile_filter(card), [parser.compile_filter(told) for told in look], nodelist)


@register.tag
def own(parser: Parser, _token: Token) -> Own:
    nodelist = parser.parse(["endown"])
    parser.delete_first_token()
    return Own(nodelist)
