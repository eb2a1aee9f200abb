"""What happened to a post meanwhile, as someone is told whose decision came too late."""

from __future__ import annotations

from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.cards import DID, DONE
from curation.causes import CAUSES
from curation.models import Decision, Verb
from regions.clocks import zone_of
from regions.models import User

BY_NOBODY = {
    Verb.APPROVE: gettext_lazy("A rule of its source approved this post meanwhile (%(time)s)."),
    Verb.BLOCK: gettext_lazy("A block list blocked this post meanwhile (%(time)s)."),
    Verb.LIFT: gettext_lazy("A block ended, and this post waits again (%(time)s)."),
    Verb.EDIT: gettext_lazy("X showed an edit of this post meanwhile (%(time)s)."),
    Verb.WITHDRAW: gettext_lazy("This post was withdrawn meanwhile: %(cause)s (%(time)s)."),
    Verb.RESTORE: gettext_lazy("This post was withdrawn; now X shows it again (%(time)s)."),
    Verb.LAPSE: gettext_lazy("Nobody decided in time, so this post lapsed (%(time)s)."),
}
FOLLOWING = {
    Verb.BLOCK: gettext_lazy("A block of %(who)s took this post out meanwhile (%(time)s)."),
    Verb.LIFT: gettext_lazy("%(who)s lifted a block, and this post waits again (%(time)s)."),
}
HELD = gettext_lazy("A block list holds this post for a second look (%(time)s).")
HELD_BY = gettext_lazy("A block of %(who)s holds this post for a second look (%(time)s).")
HELD_NO_MORE = gettext_lazy("A block ended, and this post is held no more (%(time)s).")


def sentence(last: Decision, reader: User) -> str:
    """Who decided what and when, by the reader's clock; of the system's decisions what happened."""
    own, verb = last.by == reader, Verb(last.verb)
    told = {
        "who": last.by.shown_name if last.by else last.act.by.shown_name if last.act.by else "",
        "verb": (DONE if own else DID).get(verb, last.get_verb_display()),
        "cause": CAUSES.get(last.reason, last.reason),
        "time": date_format(localtime(last.at, zone_of(reader, last.market)), "H:i:s"),
    }
    if last.by is None:
        return str(_by_the_system(last)) % told
    oneself = _("You decided on it already (%(verb)s, %(time)s).")
    another = _("%(who)s was faster (%(verb)s, %(time)s).")
    return (oneself if own else another) % told


def _by_the_system(last: Decision) -> Any:
    verb, following = Verb(last.verb), last.act.by is not None
    if verb == Verb.HOLD:
        return HELD_NO_MORE if not last.after["held"] else HELD_BY if following else HELD
    return (FOLLOWING.get(verb) if following else None) or BY_NOBODY[verb]
