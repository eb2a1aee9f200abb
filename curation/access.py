"""Rows fetched through the permission, so that access cannot be forgotten."""

from typing import Any

from django.http import Http404

from curation.models import Act, Candidate
from regions.permissions import require


def candidate_for(user: Any, pk: int, right: str = "desk.read") -> Candidate:
    """A candidate with its tweet, author and channel. Http404 outside one's markets, PermissionDenied without right."""
    candidate = Candidate.objects.with_tweets().filter(pk=pk).first()
    if candidate is None:
        raise Http404
    require(user, right, candidate.channel.market)
    return candidate


def act_for(user: Any, pk: int, right: str = "desk.read") -> Act:
    """An act that touched one of one's markets."""
    act = Act.objects.select_related("by").filter(pk=pk).first()
    if act is None:
        raise Http404
    first = act.decision_set.select_related("market").order_by("id").first()
    if first is None:
        raise Http404
    require(user, right, first.market)
    return act
