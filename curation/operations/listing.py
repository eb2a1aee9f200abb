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
    name, purpose = name.strip(), purpose.strip()
    for field, words, most in (("name", name, LONGEST_NAME), ("purpose", purpose, LONGEST_PURPOSE)):
        if len(words) > most or unusable(words):
            raise BadWords(_("At most %(n)d characters in one line.") % {"n": most}, field=field)
    if not name:
        raise BadWords(_("Give the list a name."), field="name")
    try:
        with transaction.atomic():
            made = BlockList.objects.create(name=name, purpose=purpose, channel=channel, market=market)
            payer = channel.market if channel else market
            log_change(made, "add", by=by, market=payer, after={"name": name, "scope": made.scope})
    except IntegrityError as error:
        raise ListedAlready(field="name") from error
    return made
