"""Which verb leads from which state to which. What is not in this table is refused."""

from curation.models import State, Verb

P, A, B, L, W = State.PENDING, State.APPROVED, State.BLOCKED, State.LAPSED, State.WITHDRAWN

TRANSITIONS: dict[str, dict[str, str]] = {
    Verb.APPROVE: {P: A, L: A},
    Verb.PIN: {A: A, P: A, L: A},
    Verb.UNPIN: {A: A},
    Verb.BLOCK: {P: B, A: B, L: B},
    Verb.REOPEN: {A: P, B: P, L: P},
    Verb.LAPSE: {P: L},
    Verb.EDIT: {P: P, A: P, B: B, L: L, W: W},
    Verb.WITHDRAW: {P: W, A: W, B: W, L: W},
}
"""Verb -> state before -> state after."""

REASONS = ("not_chosen", "off_topic", "duplicate", "spam", "hate", "false", "legal", "personal", "other")
EDITORS_VERBS = (Verb.APPROVE, Verb.PIN, Verb.UNPIN, Verb.BLOCK, Verb.REOPEN)
