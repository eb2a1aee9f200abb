"""What a post says to its readers: the handed-out text, its entities, its full text when it is long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curation.x.simulator.entities import Piece, assembled, cut, length, link_piece, pieces, plain
from curation.x.simulator.posts import LONGEST, Post
from curation.x.simulator.world import World

RETWEET_LENGTH = 140
NOTICES = {
    "XX": "This post from @{} has been withheld worldwide in response to a legal demand.",
    "XY": "This post from @{} has been withheld in response to a report from the copyright holder.",
}


@dataclass(frozen=True)
class Wording:
    """`shown` is the range without trailing picture and quote links; `note` only with long posts."""

    text: str
    entities: dict[str, list[dict[str, Any]]]
    shown: tuple[int, int]
    note: dict[str, Any] | None = None


def wording(world: World, post: Post) -> Wording:
    """Kept for a while: the same page is read by many. The world drops what changed."""
    known: Wording | None = world.worded.get(post.id)
    return known or world.remember(world.worded, post.id, _worded(world, post))


def _worded(world: World, post: Post) -> Wording:
    notice = next((NOTICES[code] for code in post.withheld if code in NOTICES), None)
    if notice:
        text = notice.format(world.author(post).username)
        return Wording(text, {}, (0, len(text)))
    if post.kind == "retweeted":
        return _retweet(world, post)
    body = _pieces(world, post.text, post)
    tail = _tail(world, post)
    return _long(world, post, body, tail) if length(body) > LONGEST else _whole(body, tail)


def address(world: World, post: Post) -> str:
    return f"https://x.com/{world.author(post).username}/status/{post.id}"


def _pieces(world: World, raw: str, post: Post) -> list[Piece]:
    def number(username: str) -> int | None:
        account = world.account(username)
        return account.id if account else None

    return pieces(raw, post.first, number)


def _whole(body: list[Piece], tail: list[Piece]) -> Wording:
    text, entities = assembled([*body, *tail])
    return Wording(text, entities, (0, sum(len(piece.text) for piece in body)))


def _long(world: World, post: Post, body: list[Piece], tail: list[Piece]) -> Wording:
    full, full_entities = assembled(body)
    note: dict[str, Any] = {"text": full} | ({"entities": full_entities} if full_entities else {})
    link = link_piece(f"https://x.com/i/web/status/{post.id}", post.first)
    short = [*cut(body, LONGEST - 25), plain("… "), link]
    text, entities = assembled([*short, *tail])
    return Wording(text, entities, (0, sum(len(piece.text) for piece in short)), note)


def _tail(world: World, post: Post) -> list[Piece]:
    """The links X puts behind a text: to the quoted post and to the pictures."""
    tail = []
    quoted = world.posts.get(post.ref) if post.kind == "quoted" else None
    if quoted:
        tail += [plain(" "), link_piece(address(world, quoted), post.first)]
    if post.media:
        tail += [plain(" "), _pictures(world, post)]
    return tail


def _pictures(world: World, post: Post) -> Piece:
    kind = "video" if post.media[0].type == "video" else "photo"
    piece = link_piece(f"{address(world, post)}/{kind}/1", post.first)
    fields = piece.fields[0] | {"display_url": "pic.x.com/" + piece.text[-10:]}
    piece.fields = [fields | {"media_key": media.key} for media in post.media]
    return piece


def _retweet(world: World, post: Post) -> Wording:
    original = world.posts.get(post.ref)
    if original is None:
        return _whole(_pieces(world, post.text, post), [])
    head = _pieces(world, f"RT @{world.author(original).username}: ", post)
    body = [*head, *_pieces(world, original.text, original), *_tail(world, original)]
    if length(body) > RETWEET_LENGTH:
        body = [*cut(body, RETWEET_LENGTH - 1), plain("…")]
    return _whole(body, [])
