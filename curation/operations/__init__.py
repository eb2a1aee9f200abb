"""The one set of operations, used by pages, API, jobs and commands alike."""

from curation.operations.deciding import (
    Many,
    Outcome,
    Result,
    approve,
    block,
    decide,
    decide_many,
    pin,
    reopen,
    unpin,
)
from curation.operations.errors import (
    BadWindow,
    BadWords,
    BlockStands,
    Busy,
    KeyReused,
    NoSuchSlot,
    NotAllowed,
    NotUndoable,
    SecondPairNeeded,
    SlotsFull,
    SlotTaken,
    StaleVersion,
    TooMany,
    VersionRequired,
)
from curation.operations.following import Followed, edit, obey, withdraw
from curation.operations.system import lapse_old
from curation.operations.undoing import undo
from regions.operations import touch

__all__ = [
    "BadWindow",
    "BadWords",
    "BlockStands",
    "Busy",
    "Followed",
    "KeyReused",
    "Many",
    "NoSuchSlot",
    "NotAllowed",
    "NotUndoable",
    "Outcome",
    "Result",
    "SecondPairNeeded",
    "SlotTaken",
    "SlotsFull",
    "StaleVersion",
    "TooMany",
    "VersionRequired",
    "approve",
    "block",
    "decide",
    "decide_many",
    "edit",
    "lapse_old",
    "obey",
    "pin",
    "reopen",
    "touch",
    "undo",
    "unpin",
    "withdraw",
]
