"""Why something lies in quarantine, in the reader's language. Stored in English, as the log has it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

DATABASE = "the database refuses it"
KNOWN: dict[str, str | Promise] = {
    "the line is not JSON": gettext_lazy("the line is not JSON"),
    "it is no JSON": gettext_lazy("the line is not JSON"),
    "the line is not an object": gettext_lazy("the line is no post"),
    "a message of a kind that is not known": gettext_lazy("a message of a kind that is not known"),
    "it matches no rule of ours": gettext_lazy("it matches no stream rule of ours"),
    "id is not an id": gettext_lazy("its id is not one of X's"),
    "author_id is not an id": gettext_lazy("its author's id is not one of X's"),
    "in_reply_to_user_id is not an id": gettext_lazy("the id of whom it answers is not one of X's"),
    "a referenced id is not an id": gettext_lazy("the id of a post it refers to is not one of X's"),
    "an id of the edit history is not an id": gettext_lazy("an id of its edit history is not one of X's"),
    "the edit history is not a list": gettext_lazy("its edit history is not a list"),
    "its id is from the future": gettext_lazy("its id is from the future"),
    "created_at is not a time": gettext_lazy("the time it was written cannot be read"),
    "created_at is missing": gettext_lazy("the time it was written is missing"),
    "the post is not an object": gettext_lazy("it is no post"),
    "the post names no author": gettext_lazy("it names no author"),
    "its author is not known": gettext_lazy("X does not tell who its author is"),
    "text is missing": gettext_lazy("its text is missing"),
    "text is too long": gettext_lazy("its text is too long"),
    "X answers with another post": gettext_lazy("X answered with another post"),
    "it does not say delete": gettext_lazy("it does not say what became of a post"),
    "its reason is not known": gettext_lazy("it gives a reason that is not known"),
}


def in_words(reason: str) -> str:
    """One that nobody translated stays as it is."""
    if reason.startswith(DATABASE):
        return _("our database refuses it (%(error)s)") % {"error": reason.removeprefix(DATABASE).lstrip(": ")}
    return str(KNOWN.get(reason, reason))
