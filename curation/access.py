"""Rows fetched through the permission, so that access cannot be forgotten."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext as _

from curation.models import Act, Candidate, Decision, Enforcement
from regions.models import Category, Channel, Market
from regions.permissions import may, require
from regions.problems import Refusal


def candidate_for(user: Any, pk: int, right: str = "desk.read") -> Candidate:
    """A candidate with its tweet, author and channel. Http404 outside one's markets, PermissionDenied without right."""
    candidate = Candidate.objects.with_tweets().filter(pk=pk).first()
    if candidate is None:
        raise Http404
    require(user, right, candidate.channel.market)
    return candidate


def act_for(user: Any, pk: int, right: str = "desk.read") -> Act:
    """An act that touched one of one's markets, with the right in at least one of them."""
    act = Act.objects.select_related("by", "undoes").filter(pk=pk).first()
    markets = Market.objects.filter(_touched(pk)) if act else []
    own = [market for market in markets if may(user, "desk.read", market)]
    if act is None or not own:
        raise Http404
    if not any(may(user, right, market) for market in own):
        raise PermissionDenied
    return act


def _touched(act: int) -> Q:
    """The markets of an act: those of its decisions, and those whose lists it changed, which may be all."""
    laid = Enforcement.objects.filter(act=act)
    everywhere = laid.filter(market=None, block__market=None, block__channel=None).exclude(block=None)
    if everywhere.exists():
        return Q()
    return (
        Q(pk__in=Decision.objects.filter(act=act).values("market"))
        | Q(pk__in=laid.values("market"))
        | Q(pk__in=laid.values("block__market"))
        | Q(pk__in=laid.values("block__channel__market"))
    )


def channel_of(market: Market, slug: str) -> Channel:
    """The market's channel of a category; refused where the market has none."""
    category = Category.objects.filter(slug=slug).first()
    channel = Channel.objects.active().filter(market=market, category=category).first()
    if channel is None:
        raise Refusal(_("This market has no such category."), field="category")
    return channel
