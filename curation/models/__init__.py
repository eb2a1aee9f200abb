"""What came in and what we decided. One module a noun."""

from curation.models.acts import Act, Decision, IdempotencyKey, Note, Seal, Verb, Wording
from curation.models.blocks import Enforcement
from curation.models.budget import BudgetDay, Charge, Pause, Purpose, RateWindow, Reservation, UsageReading
from curation.models.candidates import Candidate, Hit, Offer, State
from curation.models.compliance import ComplianceJob
from curation.models.ingest import Cursor, IngestRun, Quarantined
from curation.models.tweets import Author, ErasedAuthor, Tweet

__all__ = [
    "Act",
    "Author",
    "BudgetDay",
    "Candidate",
    "Charge",
    "ComplianceJob",
    "Cursor",
    "Decision",
    "Enforcement",
    "ErasedAuthor",
    "Hit",
    "IdempotencyKey",
    "IngestRun",
    "Note",
    "Offer",
    "Pause",
    "Purpose",
    "Quarantined",
    "RateWindow",
    "Reservation",
    "Seal",
    "State",
    "Tweet",
    "UsageReading",
    "Verb",
    "Wording",
]
