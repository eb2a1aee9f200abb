"""Named lists of blocks."""

from __future__ import annotations

from http import HTTPStatus

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.operations.blocking import may_lay
from curation.operations.errors import BadWords
from regions.models import BlockList, Channel, Market, User
from regions.operations import log_change
from regions.problems import Refusal
from regions.words import unusable

LONGEST_NAME, LONGEST_PURPOSE = 100, 200


class ListedAlready(Refusal):
    status = HTTPStatus.CONFLICT
    code = "listed_already"
    detail = gettext_lazy("There is a list of this name already.")


def add_block_list(
    name: str, *, by: User, purpose: str = "", channel: Channel | None = None, market: Market | None = None
) -> BlockList:
    """An empty list of a channel, of a market, or of all. Raises ScopeForbidden, BadWords, ListedAlready."""
    may_lay(by, channel, market)
    name, purpose = _words(name, purpose)
    try:
        with transaction.atomic():
            made = BlockList.objects.create(name=name, purpose=purpose, channel=channel, market=market)
            payer = channel.market if channel else market
            log_change(made, "add", by=by, market=payer, after={"name": name, "scope": made.scope})
    except IntegrityError as error:
        raise ListedAlready(field="name") from error
    return made


def rename_block_list(listed: BlockList, name: str, *, by: User, purpose: str = "") -> bool:
    """Another name, or another purpose; whether anything is another now. Raises as add_block_list does."""
    may_lay(by, listed.channel, listed.market)
    before = {"name": listed.name, "purpose": listed.purpose}
    after = dict(zip(before, _words(name, purpose), strict=True))
    if before == after:
        return False
    listed.name, listed.purpose = after["name"], after["purpose"]
    try:
        with transaction.atomic():
            listed.save(update_fields=list(after))
            payer = listed.channel.market if listed.channel else listed.market
            log_change(listed, "rename", by=by, market=payer, before=before, after=after)
    except IntegrityError as error:
        listed.name, listed.purpose = before["name"], before["purpose"]
        raise ListedAlready(field="name") from error
    return True


def _words(name: str, purpose: str) -> tuple[str, str]:
    """A list's name and purpose as they are stored. Raises BadWords."""
    name, purpose = name.strip(), purpose.strip()
    for field, words, most in (("name", name, LONGEST_NAME), ("purpose", purpose, LONGEST_PURPOSE)):
        if len(words) > most or unusable(words):
            raise BadWords(_("At most %(n)d characters in one line.") % {"n": most}, field=field)
    if not name:
        raise BadWords(_("Give the list a name."), field="name")
    return name, purpose
