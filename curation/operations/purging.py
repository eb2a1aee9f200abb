"""Keep the reason, purge the text: ids, decisions and hits stay; text, author, media and X's payload go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from curation.models import Candidate, Tweet

EMPTIED: dict[str, Any] = {
    "author": None,
    "text": "",
    "previous_text": "",
    "lang_guess": "",
    "wire": {},
    "raw": None,
    "metrics": {},
}


def empty(tweet_ids: Iterable[int], *, now: datetime) -> None:
    """Empties tweets and what is kept of their words beside their candidates.

    In the caller's transaction, which holds the tweets, and the channels of all their candidates."""
    ids = list(tweet_ids)
    if not ids:
        return
    Tweet.objects.filter(pk__in=ids, purged_at=None).update(purged_at=now, **EMPTIED)
    Candidate.objects.filter(~Q(folded="") | ~Q(alike=[]), tweet__in=ids).update(folded="", alike=[])
