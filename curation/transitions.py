"""Which verb leads from which state to which. What is not in this table is refused."""

from curation.models import State, Verb

P, A, B, L, W = State.PENDING, State.APPROVED, State.BLOCKED, State.LAPSED, State.WITHDRAWN

TRANSITIONS: dict[str, dict[str, tuple[str, ...]]] = {
    Verb.APPROVE: {P: (A, P), L: (A, P)},
    Verb.PIN: {P: (A, P), A: (A,), L: (A, P)},
    Verb.UNPIN: {A: (A,)},
    Verb.BLOCK: {P: (B,), A: (B,), L: (B,)},
    Verb.REOPEN: {A: (P,), B: (P,), L: (P,)},
    Verb.LAPSE: {P: (L,)},
    Verb.EDIT: {P: (P, B), A: (P, B), B: (B,), L: (L,), W: (W,)},
    Verb.WITHDRAW: {P: (W,), A: (W,), B: (W,), L: (W,)},
    Verb.RESTORE: {W: (P, B)},
}
"""Verb -> state before -> states after: pending after an approval that waits for the second pair of eyes, blocked
where the lists block what X shows anew."""

REASONS = ("not_chosen", "off_topic", "duplicate", "spam", "hate", "false", "legal", "personal", "other")
EDITORS_VERBS = (Verb.APPROVE, Verb.PIN, Verb.UNPIN, Verb.BLOCK, Verb.REOPEN)
