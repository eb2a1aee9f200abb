"""Strokes and colours that the pictures are drawn with."""

from __future__ import annotations

from random import Random

WIDTH, HEIGHT = 1200, 675
SKIES = (("#cfe3ee", "#f6efe3"), ("#bcd4e6", "#e9f1f4"), ("#f3d9c6", "#f8efe6"), ("#c9d6df", "#eef2f3"))
NIGHT = ("#22304a", "#56688a")
INK, STONE, GRASS, WATER, SAND, BRICK = "#33475b", "#8b98a5", "#86a873", "#6d9dba", "#dccaa5", "#b5715a"
CALM = ("#4a6b8a", "#5d8a72", "#8a6b4a", "#7a5d8a", "#8a5d66", "#4f7f86", "#6b7a45", "#5a6478")


def rect(x: float, y: float, w: float, h: float, fill: str, extra: str = "") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" fill="{fill}" {extra}/>'


def disc(x: float, y: float, r: float, fill: str, extra: str = "") -> str:
    return f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" fill="{fill}" {extra}/>'


def area(d: str, fill: str) -> str:
    return f'<path d="{d}" fill="{fill}"/>'


def stroke(d: str, colour: str, width: float = 6) -> str:
    return (
        f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def sky(chance: Random, colours: tuple[str, str] | None = None) -> list[str]:
    """A gradient over the whole picture and, by day, a low sun."""
    top, bottom = colours or chance.choice(SKIES)
    gradient = (
        f'<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{top}"/>'
        f'<stop offset="1" stop-color="{bottom}"/></linearGradient></defs>'
    )
    sun = disc(chance.randint(150, 1050), chance.randint(90, 200), 46, "#fff6d8", 'opacity="0.85"')
    return [gradient, rect(0, 0, WIDTH, HEIGHT, "url(#sky)"), *([] if colours else [sun])]


def hills(chance: Random, y: int, fill: str) -> str:
    a, b = chance.randint(-70, 0), chance.randint(-90, -20)
    return area(f"M0 {y} Q300 {y + a * 2} 600 {y} T1200 {y + b} V{HEIGHT} H0 Z", fill)


def windows(x: int, y: int, across: int, down: int, step: int, fill: str) -> list[str]:
    size = step * 0.55
    return [rect(x + i * step, y + j * step, size, size * 1.2, fill) for j in range(down) for i in range(across)]


def skyline(chance: Random, y: int, fill: str) -> list[str]:
    """A row of plain buildings standing on `y`."""
    found, x = [], -20
    while x < WIDTH:
        w, h = chance.randint(60, 150), chance.randint(60, 190)
        found.append(rect(x, y - h, w, h, fill))
        x += w + chance.randint(4, 24)
    return found


def crowd(chance: Random, y: int, rows: int, colours: tuple[str, ...]) -> list[str]:
    """Heads in rows, the nearer the larger."""
    return [
        disc(x + chance.randint(-6, 6), y + row * 34, 11 + row * 2, chance.choice(colours))
        for row in range(rows)
        for x in range(10, WIDTH, 40 + row * 6)
    ]
