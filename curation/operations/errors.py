"""What operations refuse. Codes are part of the API's contract; sentences are for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext_lazy as _

from curation.models import Candidate, Decision
from curation.operations import meanwhile
from regions.models import User
from regions.problems import Refusal


class VersionRequired(Refusal):
    code = "version_required"
    detail = _("Say which version you saw.")


class NotAllowed(Refusal):
    code = "not_allowed"
    detail = _("That cannot be done with this post as it stands.")


class SecondPairNeeded(Refusal):
    code = "second_pair_needed"
    detail = _("You approved this already. Someone else has to approve it too.")


class BlockStands(Refusal):
    code = "block_stands"
    detail = _("A block forbids this post. Lift the block first.")


class NoSuchSlot(Refusal):
    code = "no_such_slot"
    detail = _("This channel has no such slot.")


class BadWindow(Refusal):
    code = "bad_window"
    detail = _("The time is not usable.")


class BadWords(Refusal):
    code = "bad_words"
    detail = _("The words are too long or hold control characters.")


class NoSuchCategory(Refusal):
    code = "no_such_category"
    detail = _("This market has no such category.")


class NoSuchMarket(Refusal):
    code = "no_such_market"
    detail = _("There is no such other market.")


class TooMany(Refusal):
    code = "too_many"
    detail = _("At most 200 posts at once.")


class KeyReused(Refusal):
    code = "key_reused"
    detail = _("This Idempotency-Key was used for another request.")


class UnknownAuthor(Refusal):
    code = "unknown_author"
    detail = _("No author of that name is known here. Give X's id of the account.")


class NotAnId(Refusal):
    code = "not_an_id"
    detail = _("This is no id of an account at X: those have at most 19 digits, and none is 0.")


class SeveralAuthors(Refusal):
    code = "several_authors"
    detail = _("Several accounts had this name. Give the id.")


class Conflict(Refusal):
    status = HTTPStatus.CONFLICT


class SlotTaken(Conflict):
    code = "slot_taken"
    detail = _("That slot is taken. Swap, or choose another.")


class SlotsFull(Conflict):
    code = "slots_full"
    detail = _("All slots are taken. Swap with one of them.")


class AlreadyThere(Conflict):
    code = "already_there"
    detail = _("That category has this post already.")


class NotUndoable(Conflict):
    code = "not_undoable"
    detail = _("This cannot be taken back any more.")


class Busy(Refusal):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "busy"
    detail = _("The channel is busy. Nothing was changed; try again.")


class StaleVersion(Conflict):
    """Someone was faster. Tells the reader who, which verb and when; `candidate` is the row as it stands now."""

    code = "stale_version"

    def __init__(self, candidate: Candidate, last: Decision | None, reader: User) -> None:
        self.candidate = candidate
        self.last = last
        told: dict[str, Any] = {"by": None, "verb": None, "at": None, "version": candidate.version}
        detail: Any = _("This post changed meanwhile. Look at it again.")
        if last is not None:
            by = last.by.shown_name if last.by else None
            told |= {"by": by, "verb": last.verb, "at": last.at.isoformat()}
            detail = meanwhile.sentence(last, reader)
        super().__init__(detail, **told)
