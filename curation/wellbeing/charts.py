"""Charts as geometry in a square of 100 by 100, which the page stretches; numbers are text, so that no language's
decimal comma gets into a path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

TOPS = (1, 2, 2.5, 4, 5, 8, 10)
FOOT = 5  # per cent of the height


@dataclass(frozen=True)
class Column:
    x: str
    y: str
    width: str
    height: str
    kind: str = ""


@dataclass(frozen=True)
class Chart:
    """`told` is the chart in a sentence; `rows` are its values as a reader of the screen hears them. `limit` is the
    height of the line that is not to be crossed, empty for none; `scale` top, middle and bottom."""

    title: str
    lead: str
    told: str
    rows: Sequence[tuple[str, str]]
    heads: tuple[str, str]
    scale: Sequence[str]
    axis: Sequence[str]
    columns: Sequence[Column] = ()
    curve: str = ""
    area: str = ""
    soft: str = ""
    guess: str = ""
    limit: str = ""
    grid: Sequence[str] = field(default=("0", "25", "50", "75", "100"))


def top_of(most: float) -> float:
    """A round number at or above: where the scale ends."""
    unit = 1.0
    while unit * 10 < most:
        unit *= 10
    return next(step * unit for step in TOPS if step * unit >= most)


def height(value: float, top: float) -> str:
    """Where a value stands, from the top down."""
    return f"{100 - 100 * min(value, top) / top:.1f}"


def columns(values: Sequence[int], failed: Sequence[bool], top: float) -> list[Column]:
    """One a value, the last one being now; where reading failed it has a foot of its own, seen even at nothing."""
    last = len(values) - 1
    made = [
        column(place, 100 * value / top, last, "now" if place == last else "") for place, value in enumerate(values)
    ]
    return made + [column(place, FOOT, last, "bad") for place, bad in enumerate(failed) if bad]


def column(place: int, tall: float, last: int, kind: str) -> Column:
    step = 100 / (last + 1)
    return Column(f"{place * step + step * 0.12:.2f}", f"{100 - tall:.1f}", f"{step * 0.76:.2f}", f"{tall:.1f}", kind)


def line(points: Sequence[tuple[float, float]], top: float) -> str:
    """A path through points of (x in 0..100, value)."""
    return "M" + "L".join(f"{x:.1f} {height(value, top)}" for x, value in points) if points else ""


def spread(values: Sequence[float]) -> list[tuple[float, float]]:
    """Values at even distances over the whole width."""
    last = max(len(values) - 1, 1)
    return [(100 * place / last, value) for place, value in enumerate(values)]


def broken_line(values: Sequence[float | None], top: float) -> str:
    """A path through values at even distances, which stops where one is missing; a lone one is a point."""
    last, path, before = max(len(values) - 1, 1), "", None
    for place, value in enumerate(values):
        if value is not None:
            told = f"{100 * place / last:.1f} {height(value, top)}"
            alone = before is None and (place == last or values[place + 1] is None)
            path += f"M{told}h0" if alone else f"{'M' if before is None else 'L'}{told}"
        before = value
    return path


def spark(values: Sequence[int]) -> str:
    return line(spread(values), max(top_of(max(values, default=0)), 1))
