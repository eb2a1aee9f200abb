"""Who and where. Knows nothing of tweets. One module a noun."""

from regions.models.changes import Change
from regions.models.invitations import Invitation
from regions.models.lists import (
    Block,
    BlockExemption,
    BlockList,
    BlockListExemption,
    ListVersion,
    Source,
    SourceExemption,
)
from regions.models.people import Membership, Role, User
from regions.models.places import RESERVED_SLUGS, Category, Channel, ChannelQuerySet, Market

__all__ = [
    "RESERVED_SLUGS",
    "Block",
    "BlockExemption",
    "BlockList",
    "BlockListExemption",
    "Category",
    "Change",
    "Channel",
    "ChannelQuerySet",
    "Invitation",
    "ListVersion",
    "Market",
    "Membership",
    "Role",
    "Source",
    "SourceExemption",
    "User",
]
