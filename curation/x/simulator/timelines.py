"""Pages of posts: of an account, of a list, of a search."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from curation.x.simulator.accounts import Account
from curation.x.simulator.asking import Request, body
from curation.x.simulator.fields import Json
from curation.x.simulator.lookups import seen_account
from curation.x.simulator.pages import Bounds, Cursor, Page, Shelf, cursor, page
from curation.x.simulator.parameters import moment
from curation.x.simulator.posts import Post, iso, snowflake
from curation.x.simulator.problems import Asked, Complaint, Refused, invalid_request
from curation.x.simulator.queries import BadQuery, Query, parse
from curation.x.simulator.search import Narrowing, searchable

WEEK = 7 * 86_400_000
EXCLUDED = {"replies": "replied_to", "retweets": "retweeted"}


def user(request: Request) -> Json:
    asked = Asked("user", "id", request.parameters["id"])
    account = seen_account(request, asked)
    if isinstance(account, Account) and account.protected:
        account = asked.protected(request.dialect)
    if not isinstance(account, Account):
        return body(None, request.includes(), [account])
    hidden = {EXCLUDED[word] for word in request.values("exclude")}
    order = request.world.authored[account.id]
    shelf = Shelf(request.world, lambda post: post.kind not in hidden, bounds(request), order)
    found = page(shelf, position(request), request.number("max_results", 10))
    return answer(request, found, ends=True)


def xlist(request: Request) -> Json:
    asked = Asked("list", "id", request.parameters["id"])
    found = request.world.lists().get(int(asked.value))
    if found is None:
        return body(None, request.includes(), [asked.missing(request.dialect)])
    shelf = Shelf(request.world, lambda post: True, Bounds(), request.world.list_order(found))
    shown = page(shelf, position(request), request.number("max_results", 100))
    return answer(request, shown, ends=False)


def search(request: Request) -> Json:
    query = asked_query(request)
    limits = recent(request)
    narrow = Narrowing(request.world, query)
    shelf = Shelf(request.world, partial(_fits, request, query, narrow), limits, narrow.order())
    found = page(shelf, position(request), request.number("max_results", 10))
    if request.text("sort_order") == "relevancy":
        found = replace(found, posts=sorted(found.posts, key=partial(_likes, request), reverse=True))
    return answer(request, replace(found, previous_token=None), ends=True)


def _fits(request: Request, query: Query, narrow: Narrowing, post: Post) -> bool:
    return narrow.allows(post) and query.finds(searchable(request.world, post))


def _likes(request: Request, post: Post) -> int:
    return request.view.metrics(post)["like_count"]


def answer(request: Request, found: Page, ends: bool) -> Json:
    includes = request.includes()
    includes.gather(found.posts)
    request.charge("post", [post.id for post in found.posts], request.subject)
    return body([request.view.post(post) for post in found.posts], includes, [], found.meta(ends))


def position(request: Request) -> Cursor | None:
    """Where the page token points; the search takes it under two names."""
    for name in ("pagination_token", "next_token"):
        value = request.text(name)
        if value is not None:
            try:
                return cursor(value)
            except ValueError:
                raise refused(request, name, f"The `{name}` query parameter value [{value}] is not valid") from None
    return None


def bounds(request: Request) -> Bounds:
    """since_id and until_id are exclusive, start_time is inclusive, end_time exclusive."""
    found = Bounds()
    since, until = request.text("since_id"), request.text("until_id")
    start, end = request.text("start_time"), request.text("end_time")
    found = found.since(int(since)) if since else found
    found = found.until(int(until)) if until else found
    found = found.from_time(moment(start)) if start else found
    return found.to_time(moment(end)) if end else found


def recent(request: Request) -> Bounds:
    """Bounds of a recent search: the last seven days; asking for more is refused as X refuses it."""
    oldest = request.world.now() - WEEK
    since, start = request.text("since_id"), request.text("start_time")
    if since and int(since) < snowflake(oldest):
        raise refused(
            request,
            "since_id",
            f"'since_id' must be a tweet id created after [{iso(oldest)}]. "
            f"Please use a 'since_id' that is larger than {snowflake(oldest)}",
        )
    if start and moment(start) < oldest:
        raise refused(
            request,
            "start_time",
            f"Invalid 'start_time':'{start}'. 'start_time' must be on or after {iso(oldest)}. "
            "Please use a start time that is within the last 7 days",
        )
    return bounds(request).from_time(oldest)


def asked_query(request: Request) -> Query:
    text = request.parameters["query"]
    if len(text) > request.query_limit:
        raise refused(
            request,
            "query",
            f"Invalid 'query':'{text}'. 'query' must be at most {request.query_limit} characters",
        )
    try:
        return parse(text)
    except BadQuery as wrong:
        raise refused(request, "query", str(wrong)) from None


def refused(request: Request, parameter: str, message: str) -> Refused:
    complaint = Complaint(parameter, [request.parameters[parameter]], message)
    return invalid_request([complaint], request.dialect)
