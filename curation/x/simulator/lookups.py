"""Look-ups by id and name: what is there stands in `data`, what is not in `errors`."""

from __future__ import annotations

from curation.x.simulator.accounts import Account
from curation.x.simulator.asking import Request, body
from curation.x.simulator.fields import Json
from curation.x.simulator.posts import Post
from curation.x.simulator.problems import Asked


def posts(request: Request) -> Json:
    return _posts(request, "ids", list(dict.fromkeys(request.values("ids"))), many=True)


def post(request: Request) -> Json:
    return _posts(request, "id", [request.parameters["id"]], many=False)


def _posts(request: Request, parameter: str, numbers: list[str], many: bool) -> Json:
    seen = [seen_post(request, Asked("tweet", parameter, number)) for number in numbers]
    found = [one for one in seen if isinstance(one, Post)]
    errors = [one for one in seen if isinstance(one, dict)]
    includes = request.includes()
    includes.gather(found)
    request.charge("post", [one.id for one in found])
    shown = [request.view.post(one) for one in found]
    return body(shown if many else next(iter(shown), None), includes, errors)


def seen_post(request: Request, asked: Asked) -> Post | Json:
    """The post, or why not."""
    found = request.world.posts.get(int(asked.value))
    if found is None or found.deleted:
        return asked.missing(request.dialect)
    author = request.world.author(found)
    if author.suspended:
        return asked.suspended(request.dialect)
    return asked.protected(request.dialect) if author.protected else found


def users(request: Request) -> Json:
    asked = [Asked("user", "ids", value) for value in dict.fromkeys(request.values("ids"))]
    return _users(request, asked, many=True)


def user(request: Request) -> Json:
    return _users(request, [Asked("user", "id", request.parameters["id"])], many=False)


def usernames(request: Request) -> Json:
    asked = [Asked("user", "usernames", value) for value in dict.fromkeys(request.values("usernames"))]
    return _users(request, asked, many=True)


def username(request: Request) -> Json:
    return _users(request, [Asked("user", "username", request.parameters["username"])], many=False)


def _users(request: Request, asked: list[Asked], many: bool) -> Json:
    seen = [seen_account(request, one) for one in asked]
    found = [one for one in seen if isinstance(one, Account)]
    errors = [one for one in seen if isinstance(one, dict)]
    includes = request.includes()
    if "most_recent_tweet_id" in request.wanted.expansions:
        for account in found:
            newest = next(request.world.descending(1 << 63, request.world.authored[account.id]), None)
            if newest:
                includes.include_post(newest.id, "most_recent_tweet_id")
    request.charge("user", [one.id for one in found])
    shown = [request.view.user(one) for one in found]
    return body(shown if many else next(iter(shown), None), includes, errors)


def seen_account(request: Request, asked: Asked) -> Account | Json:
    """The account, or why not. A protected account itself may be seen."""
    by_name = "username" in asked.parameter
    world = request.world
    found = world.account(asked.value) if by_name else world.by_id.get(int(asked.value))
    if found is None:
        return asked.missing(request.dialect)
    return asked.suspended(request.dialect) if found.suspended else found


def xlist(request: Request) -> Json:
    asked = Asked("list", "id", request.parameters["id"])
    found = request.world.lists().get(int(asked.value))
    includes = request.includes()
    if found is None:
        return body(None, includes, [asked.missing(request.dialect)])
    owner = request.world.account(found.members[0]) if found.members else None
    if owner and "owner_id" in request.wanted.expansions:
        includes.user(owner, "owner_id")
    return body(request.view.list(found, owner), includes, [])
