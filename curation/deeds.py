"""What an act did, in the words of the strip and of the list of one's last acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from curation.cards import DONE
from curation.models import Act, Candidate, Decision, State, Verb
from curation.transitions import APPROVING


@dataclass(frozen=True)
class Deed:
    """`words` for what was done to `posts`; `beside`: what became of another post by it."""

    words: Any
    posts: Sequence[Candidate]
    beside: str = ""


def deed_of(act: Act) -> Deed:
    """Of one act, with what one line says of its posts. Asked in two: joined, to plan it takes longer than all else."""
    decisions = {made.candidate_id: made for made in Decision.objects.filter(act=act)}
    posts = list(Candidate.objects.told_briefly().filter(pk__in=decisions).order_by("pk"))
    if act.verb == Verb.PIN and len(posts) > 1:
        return pinned(posts, decisions)
    return Deed(words_of(act, waits=all(only_first(one) for one in decisions.values())), posts)


def words_of(act: Act, *, waits: bool) -> Any:
    """`waits`: whether it approved posts that need a second approval, which is still to come."""
    return _("first approval, waits for a second") if waits else DONE.get(Verb(act.verb), act.get_verb_display())


def only_first(decision: Decision) -> bool:
    """Whether a second pair of eyes has to approve it too."""
    return decision.verb in APPROVING and decision.after.get("state") == State.PENDING


def pinned(posts: list[Candidate], decisions: dict[int, Decision]) -> Deed:
    """Who is pinned at a slot that another held sends that one away, or to the slot it had itself."""
    gave_way = [post for post in posts if decisions[post.pk].verb == Verb.UNPIN]
    kept = [post for post in posts if post not in gave_way]
    if gave_way:
        names = ", ".join(str(post.tweet.author or _("Removed post")) for post in gave_way)
        return Deed(DONE[Verb.PIN], kept, _("%(name)s gave way") % {"name": names})
    swapped = len(posts) == 2 and all(one.before.get("slot") for one in decisions.values())
    return Deed(_("slots changed") if swapped else DONE[Verb.PIN], posts)
