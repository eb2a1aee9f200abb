"""What a command asks whoever runs it."""

from __future__ import annotations

from django.core.management.base import CommandError


def answer(question: str) -> str:
    try:
        return input(question).strip().lower()
    except EOFError:
        raise CommandError("It asks, so it needs a terminal; or look at the lines above and add --yes.") from None


def ask_for_yes(question: str, otherwise: str) -> None:
    """For what has no way back: a `y` alone does not count."""
    if answer(f"{question} There is no way back. Type yes: ") != "yes":
        raise CommandError(f"{otherwise} Only yes in full counts.")
