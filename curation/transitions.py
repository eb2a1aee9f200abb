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


def as_table() -> str:
    """The table for people, in Markdown: a row for each verb, a column for each state before. docs/decisions.md."""
    rows = [["verb", *State.values], ["---"] * (len(State.values) + 1)]
    for verb, moves in TRANSITIONS.items():
        name = str(verb) if verb in EDITORS_VERBS else f"{verb} (system)"
        rows.append([name, *(" or ".join(map(str, moves.get(state, ("-",)))) for state in State.values)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
