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
from curation.operations.erasing import Erasure, erase_author, preview_erasure
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
    SeveralAuthors,
    SlotsFull,
    SlotTaken,
    StaleVersion,
    TooMany,
    UnknownAuthor,
    VersionRequired,
)
from curation.operations.following import Followed, edit, obey, withdraw
from curation.operations.purging import purge_old
from curation.operations.sealing import Sealer, seal, write_out
from curation.operations.system import lapse_old
from curation.operations.undoing import undo
from curation.operations.verifying import Audit, Damage, verify_log
from regions.operations import touch

__all__ = [
    "Audit",
    "BadWindow",
    "BadWords",
    "BlockStands",
    "Busy",
    "Damage",
    "Erasure",
    "Followed",
    "KeyReused",
    "Many",
    "NoSuchSlot",
    "NotAllowed",
    "NotUndoable",
    "Outcome",
    "Result",
    "Sealer",
    "SecondPairNeeded",
    "SeveralAuthors",
    "SlotTaken",
    "SlotsFull",
    "StaleVersion",
    "TooMany",
    "UnknownAuthor",
    "VersionRequired",
    "approve",
    "block",
    "decide",
    "decide_many",
    "edit",
    "erase_author",
    "lapse_old",
    "obey",
    "pin",
    "preview_erasure",
    "purge_old",
    "reopen",
    "seal",
    "touch",
    "undo",
    "unpin",
    "verify_log",
    "withdraw",
    "write_out",
]
