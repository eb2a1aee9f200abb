"""Which verb leads from which state to which, and what it carries. What is not in these tables is refused."""

from curation.models import State, Verb
from regions import tunable

P, A, B, L, W = State.PENDING, State.APPROVED, State.BLOCKED, State.LAPSED, State.WITHDRAWN
Moves = dict[str, tuple[str, ...]]

TRANSITIONS: dict[str, Moves] = {
    Verb.APPROVE: {P: (A, P), L: (A, P)},
    Verb.PIN: {P: (A, P), A: (A,), L: (A, P)},
    Verb.UNPIN: {A: (A,)},
    Verb.BLOCK: {P: (B,), A: (B,), L: (B,)},
    Verb.REOPEN: {A: (P,), B: (P,), L: (P,)},
    Verb.MOVE: {P: (B,), A: (B,)},
    Verb.SCHEDULE: {P: (A, P), A: (A,)},
    Verb.ANNOTATE: {P: (P,), A: (A,)},
    Verb.OFFER: {state: (state,) for state in (P, A, B, L, W)},
    Verb.HOLD: {state: (state,) for state in (P, A, L)},
    Verb.LIFT: {B: (P,)},
    Verb.LAPSE: {P: (L,)},
    Verb.EDIT: {P: (P, B), A: (P, B), B: (B,), L: (L,), W: (W,)},
    Verb.WITHDRAW: {P: (W,), A: (W,), B: (W,), L: (W,)},
    Verb.RESTORE: {W: (P, B)},
}
"""Verb -> state before -> states after: pending after an approval that waits for the second pair of eyes, blocked
where the lists block what X shows anew."""

BY_RULE: dict[str, Moves] = {
    Verb.APPROVE: {P: (A,)},
    Verb.BLOCK: {P: (B,), A: (B,), L: (B,)},
}
"""Editors' verbs that the system uses too: a lead's auto-approve rule, and a block of the lists."""

REASONS = tuple(tunable.REASONS)
MOVED = "moved"  # the reason of what was moved; no editor gives it
EDITORS_VERBS = (
    Verb.APPROVE,
    Verb.PIN,
    Verb.UNPIN,
    Verb.BLOCK,
    Verb.REOPEN,
    Verb.MOVE,
    Verb.SCHEDULE,
    Verb.ANNOTATE,
    Verb.OFFER,
)
APPROVING = (Verb.APPROVE, Verb.PIN, Verb.SCHEDULE)

AS_APPROVED = ("go_live_at", "expire_at", "context", "label", "with_similar")
CARRIES: dict[str, tuple[str, ...]] = {
    Verb.APPROVE: ("slot", "until", "swap", *AS_APPROVED),
    Verb.PIN: ("slot", "until", "swap", *AS_APPROVED),
    Verb.UNPIN: (),
    Verb.BLOCK: ("reason", "also"),
    Verb.REOPEN: (),
    Verb.MOVE: ("category",),
    Verb.SCHEDULE: ("go_live_at", "expire_at", "with_similar"),
    Verb.ANNOTATE: ("context", "label"),
    Verb.OFFER: ("market",),
}
"""The fields that each verb takes beside a note; any other is refused."""


def leads(verb: str, before: str, after: str, *, by_system: bool) -> bool:
    """Whether the tables know this step. Undo leads back, whatever the way was."""
    if verb == Verb.UNDO:
        return True
    moves = BY_RULE.get(verb) if by_system else None
    return after in (moves or TRANSITIONS[verb]).get(before, ())


def as_table() -> str:
    """The table for people, in Markdown: a row for each verb, a column for each state before. docs/decisions.md."""
    rows = [["verb", *State.values], ["---"] * (len(State.values) + 1)]
    rows += [
        _row(str(verb) if verb in EDITORS_VERBS else f"{verb} (system)", moves) for verb, moves in TRANSITIONS.items()
    ]
    rows += [_row(f"{verb} (system)", moves) for verb, moves in BY_RULE.items()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(name: str, moves: Moves) -> list[str]:
    return [name, *(" or ".join(map(str, moves.get(state, ("-",)))) for state in State.values)]
