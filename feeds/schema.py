"""The public feed in the OpenAPI document. Its views are plain Django for speed, so their paths are written here."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
ID = {"type": "string", "description": "X's current id of the post", "example": "1859000000000000001"}
TIME = {"type": "string", "format": "date-time", "description": "UTC, whole seconds", "example": "2026-11-22T08:41:07Z"}


def nullable(schema: Schema) -> Schema:
    return schema | {"nullable": True}


def fields(always: Schema, sometimes: Schema | None = None) -> Schema:
    """An object with these fields, the first ones always there."""
    return {"type": "object", "required": list(always), "properties": always | (sometimes or {})}


def listed(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


STRING, WHOLE, YES = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
AUTHOR = fields(
    {"id": STRING, "name": STRING, "username": STRING, "url": STRING}
    | {"avatar_url": nullable(STRING), "verified_type": nullable(STRING)}
)
MEDIUM = fields(
    {"type": STRING, "url": nullable(STRING), "preview_url": nullable(STRING)}
    | {"width": nullable(WHOLE), "height": nullable(WHOLE), "alt": nullable(STRING)}
)
FULL_ONLY = {
    "text": STRING | {"description": "As X gave it, escapes included; entities count its code points"},
    "entities": fields({kind: listed({"type": "object"}) for kind in ("urls", "hashtags", "mentions", "cashtags")}),
    "lang": STRING,
    "created_at": TIME,
    "edited": YES,
    "author": nullable(AUTHOR),
    "media": listed(MEDIUM),
}
ENTRY = fields(
    {
        "id": ID,
        "url": STRING | {"example": "https://x.com/i/status/1859000000000000001"},
        "category": STRING | {"example": "politics"},
        "pinned": YES,
        "context": nullable(STRING | {"description": "The editor's line"}),
        "label": nullable(STRING),
        "expires_at": nullable(TIME),
    },
    FULL_ONLY,
)
FEED = fields(
    {
        "version": WHOLE | {"enum": [1]},
        "market": STRING | {"example": "de"},
        "category": nullable(STRING | {"example": "politics"}),
        "language": STRING | {"example": "de"},
        "snapshot": WHOLE | {"example": 412},
        "published_at": TIME,
        "ttl": WHOLE | {"description": "Seconds until a reader should look again", "example": 60},
        "entries": listed({"$ref": "#/components/schemas/FeedEntry"}),
        "removed": listed(fields({"id": ID, "at": TIME})),
    }
)
NAMES = {"type": "object", "additionalProperties": STRING, "description": "By language code"}
LISTED = fields(
    {
        "market": STRING,
        "category": nullable(STRING),
        "language": STRING,
        "names": fields({"market": NAMES, "category": nullable(NAMES)}),
        "url": STRING,
    }
)
CATALOGUE = fields({"version": WHOLE, "feeds": listed(LISTED)})
PROBLEM = fields({"type": STRING, "title": STRING, "status": WHOLE, "code": STRING, "detail": STRING})
COMPONENTS = {
    "Feed": FEED,
    "FeedEntry": ENTRY,
    "FeedCatalogue": CATALOGUE,
    "FeedProblem": PROBLEM,
}


def in_path(name: str, pattern: str, example: str) -> Schema:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "schema": schema, "example": example}


MARKET, CATEGORY = in_path("market", "^[a-z]{2}$", "de"), in_path("category", "^[a-z][a-z0-9-]{1,30}$", "politics")
KEY = {
    "name": "key",
    "in": "query",
    "required": False,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9]{16,64}$"},
    "description": "A consumer's key. In mode full every field is there; without one only ids.",
}
KNOWN = {"name": "If-None-Match", "in": "header", "required": False, "schema": STRING}


def bodied(description: str, name: str, kind: str = "application/json") -> Schema:
    return {"description": description, "content": {kind: {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def refusal(description: str) -> Schema:
    return bodied(description, "FeedProblem", "application/problem+json")


def path(operation: str, summary: str, body: str, *parameters: Schema) -> Schema:
    answers = {"200": bodied("The newest snapshot", body), "304": {"description": "Nothing new"}}
    answers["503"] = refusal("The feeds cannot be read now; Retry-After")
    if parameters:
        answers |= {"403": refusal("Unknown or revoked key"), "404": refusal("No such feed")}
    told = {"operationId": operation, "summary": summary, "tags": ["feeds"], "security": [{}]}
    return {"get": told | {"parameters": [*parameters, KNOWN], "responses": answers}}


def syndicated(operation: str, summary: str, kind: str, *parameters: Schema) -> Schema:
    told = path(operation, summary, "Feed", *parameters)
    told["get"]["responses"]["200"] = {
        "description": "The newest snapshot, the same with every key and without",
        "content": {kind: {"schema": {"type": "object"} if kind.endswith("json") else STRING}},
    }
    del told["get"]["responses"]["403"]
    return told


PATHS = {
    "/api/v1/feeds/": path("feeds", "The feeds there are", "FeedCatalogue"),
    "/api/v1/feeds/{market}/": path("feed_of_market", "All channels of a market", "Feed", MARKET, KEY),
    "/api/v1/feeds/{market}/{category}/": path("feed_of_channel", "One channel", "Feed", MARKET, CATEGORY, KEY),
    "/api/v1/feeds/{market}/feed.json": syndicated(
        "json_feed_of_market", "A market as JSON Feed 1.1", "application/feed+json", MARKET
    ),
    "/api/v1/feeds/{market}/rss.xml": syndicated("rss_of_market", "A market as RSS 2.0", "application/rss+xml", MARKET),
    "/api/v1/feeds/{market}/{category}/feed.json": syndicated(
        "json_feed_of_channel", "One channel as JSON Feed 1.1", "application/feed+json", MARKET, CATEGORY
    ),
    "/api/v1/feeds/{market}/{category}/rss.xml": syndicated(
        "rss_of_channel", "One channel as RSS 2.0", "application/rss+xml", MARKET, CATEGORY
    ),
}


def add_feeds(result: Schema, **_: Any) -> Schema:
    """Post-processing hook of drf-spectacular."""
    result.setdefault("paths", {}).update(PATHS)
    result.setdefault("components", {}).setdefault("schemas", {}).update(COMPONENTS)
    return result
