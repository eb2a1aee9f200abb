"""How an amount of dollars is told, everywhere alike: rounded up, so that nobody is told less than the bill."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

SMALL = Decimal("0.1")
CENT, MILL = Decimal("0.01"), Decimal("0.001")


def told_price(amount: Decimal) -> Decimal:
    """To the cent or, below ten cents, to a tenth of one, as exactly as a post costs."""
    return amount.quantize(MILL if 0 < amount < SMALL else CENT, ROUND_CEILING)
