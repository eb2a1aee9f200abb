"""The scenes that stand under posts as pictures; each is drawn from a seed, so it never changes."""

from __future__ import annotations

from collections.abc import Callable
from math import sin
from random import Random

from curation.x.simulator.shapes import (
    BRICK,
    CALM,
    GRASS,
    HEIGHT,
    INK,
    NIGHT,
    SAND,
    STONE,
    WATER,
    WIDTH,
    area,
    crowd,
    disc,
    hills,
    rect,
    sky,
    skyline,
    stroke,
    windows,
)

Drawing = list[str]
WHITE, GLASS, LAMP = "#f7f5ef", "#dfeaf0", "#ffe9a8"


def bridge(chance: Random) -> Drawing:
    pylons = (330, 870)
    cables = [
        stroke(f"M{x} 170 L{x + side * reach} 420", STONE, 3)
        for x in pylons
        for side in (-1, 1)
        for reach in range(50, 280, 45)
    ]
    towers = [rect(x - 14, 160, 28, 400, INK) for x in pylons]
    deck = [rect(0, 415, WIDTH, 22, INK), rect(0, 405, WIDTH, 6, STONE)]
    return [
        *sky(chance),
        hills(chance, 430, "#a9b8a0"),
        rect(0, 500, WIDTH, 175, WATER),
        *cables,
        *towers,
        *deck,
    ]


def plenary(chance: Random) -> Drawing:
    colour = chance.choice(CALM)
    rows = [
        stroke(f"M{120 + n * 40} {640 - n * 10} Q600 {420 - n * 55} {1080 - n * 40} {640 - n * 10}", colour, 20)
        for n in range(5)
    ]
    desk = [rect(470, 360, 260, 80, BRICK), rect(500, 330, 200, 34, SAND), disc(600, 300, 24, INK)]
    wall = [
        rect(0, 0, WIDTH, HEIGHT, "#efe9dd"),
        *[rect(x, 0, 46, 330, "#e0d6c3") for x in range(40, 1200, 110)],
    ]
    return [*wall, rect(0, 330, WIDTH, 345, "#d9cdb8"), *rows, *desk]


def tram(chance: Random) -> Drawing:
    colour = chance.choice(CALM)
    car = [rect(210, 290, 780, 240, colour, 'rx="26"'), rect(210, 440, 780, 14, WHITE)]
    panes = [rect(240 + n * 124, 325, 100, 92, GLASS, 'rx="8"') for n in range(6)]
    wheels = [disc(x, 540, 28, INK) for x in (330, 420, 780, 870)]
    wire = [stroke("M0 190 H1200", INK, 3), stroke("M560 290 L600 192 L640 290", INK, 4)]
    ground = [rect(0, 545, WIDTH, 130, "#b9b6ae"), rect(0, 566, WIDTH, 6, INK), rect(0, 610, WIDTH, 6, INK)]
    return [*sky(chance), *skyline(chance, 545, "#b4bfc9"), *ground, *wire, *car, *panes, *wheels]


def train(chance: Random) -> Drawing:
    colour = chance.choice(CALM)
    nose = area("M120 520 Q140 330 420 310 H1200 V520 Z", WHITE)
    band = area("M128 470 Q136 440 160 420 H1200 V470 Z", colour)
    panes = [rect(470 + n * 130, 345, 96, 56, INK, 'rx="10"') for n in range(6)]
    front = area("M215 390 Q290 340 400 338 L380 392 Z", INK)
    track = [
        rect(0, 530, WIDTH, 145, "#c3b9a6"),
        *[rect(x, 552, 44, 16, "#8d7f6c") for x in range(0, 1200, 84)],
    ]
    return [
        *sky(chance),
        hills(chance, 420, GRASS),
        *track,
        nose,
        band,
        *panes,
        front,
        rect(0, 540, WIDTH, 7, INK),
    ]


def port(chance: Random) -> Drawing:
    stacks = [
        rect(560 + i * 92, 400 - j * 46, 86, 42, chance.choice(CALM))
        for i in range(6)
        for j in range(chance.randint(1, 3))
    ]
    crane = [rect(250, 150, 20, 380, BRICK), rect(360, 150, 20, 380, BRICK), rect(150, 140, 480, 20, BRICK)]
    rope = stroke("M560 160 V300", INK, 4)
    hull = area("M500 446 H1180 L1120 560 H560 Z", INK)
    quay = rect(0, 530, 470, 145, "#b8b1a3")
    return [*sky(chance), rect(0, 520, WIDTH, 155, WATER), quay, *crane, rope, *stacks, hull]


def stadium(chance: Random) -> Drawing:
    colours = (chance.choice(CALM), WHITE, chance.choice(CALM))
    stand = [area("M0 140 Q600 60 1200 140 V380 H0 Z", "#7c8794"), *crowd(chance, 190, 5, colours)]
    pitch = [area("M0 400 H1200 V675 H0 Z", GRASS)]
    pitch += [area(f"M{x} 400 h100 l{(x - 550) // 4} 275 h-140 Z", "#7d9f6a") for x in range(50, 1200, 200)]
    lines = [
        stroke("M0 410 H1200 M600 410 V675", WHITE, 4),
        f'<ellipse cx="600" cy="540" rx="150" ry="56" fill="none" stroke="{WHITE}" stroke-width="4"/>',
    ]
    lamps = [rect(x, 20, 120, 46, LAMP, 'rx="6"') for x in (60, 1020)]
    return [*sky(chance, NIGHT), *lamps, *stand, *pitch, *lines, disc(690, 560, 11, WHITE)]


def stage(chance: Random) -> Drawing:
    lights = [
        f'<path d="M{x} 0 L{x + chance.randint(-260, 60)} 520 h200 Z" fill="{chance.choice(CALM)}" opacity="0.45"/>'
        for x in range(150, 1200, 180)
    ]
    singer = [
        disc(600, 300, 26, SAND),
        area("M565 330 H635 L650 470 H550 Z", WHITE),
        rect(640, 300, 6, 180, STONE),
    ]
    floor = [rect(0, 470, WIDTH, 40, "#3b3146"), rect(0, 510, WIDTH, 165, "#1d1a26")]
    return [
        rect(0, 0, WIDTH, HEIGHT, "#241f33"),
        *lights,
        *floor,
        *singer,
        *crowd(chance, 560, 4, ("#12101a", "#191624")),
    ]


def chart(chance: Random) -> Drawing:
    level, points = 420.0, []
    for x in range(140, 1100, 40):
        level = min(540, max(160, level + chance.randint(-46, 40)))
        points.append(f"{x} {level:g}")
    grid = [stroke(f"M120 {y} H1100", "#d8dee3", 2) for y in range(150, 600, 90)]
    bars = [rect(140 + n * 80, 590 - h, 44, h, "#c7d3dc") for n, h in enumerate(chance.sample(range(40, 190), 12))]
    line = stroke("M" + " L".join(points), chance.choice(CALM), 9)
    return [rect(0, 0, WIDTH, HEIGHT, "#f6f7f5"), *grid, *bars, stroke("M120 110 V590 H1110", INK, 4), line]


def flood(chance: Random) -> Drawing:
    houses = []
    for x in range(120, 1100, 260):
        top = 300 + chance.randint(-30, 30)
        houses += [
            rect(x, top, 170, 300, SAND),
            area(f"M{x - 20} {top} L{x + 85} {top - 90} L{x + 190} {top} Z", BRICK),
        ]
        houses += windows(x + 28, top + 40, 2, 1, 76, INK)
    waves = [
        area(
            f"M0 {y} " + " ".join(f"L{x} {y + 9 * sin(x / 60 + y):.0f}" for x in range(0, 1240, 40)) + " V675 H0 Z",
            c,
        )
        for y, c in ((450, "#7d8f86"), (510, "#6f8379"), (580, "#61766d"))
    ]
    boat = [area("M520 520 H680 L650 560 H550 Z", BRICK), disc(600, 492, 16, INK)]
    return [*sky(chance, ("#8d9aa5", "#c9d1d4")), *houses, *waves, *boat]


def press(chance: Random) -> Drawing:
    colour = chance.choice(CALM)
    wall = [
        rect(0, 0, WIDTH, HEIGHT, "#e8edf0"),
        *[
            rect(x, y, 70, 24, "#d3dde3", 'rx="6"')
            for y in range(60, 420, 90)
            for x in range(60 + y % 4 * 30, 1180, 170)
        ],
    ]
    speaker = [disc(600, 250, 58, SAND), area("M480 460 Q490 320 600 320 Q710 320 720 460 Z", INK)]
    desk = [area("M430 430 H770 L740 675 H460 Z", colour), rect(415, 414, 370, 24, BRICK)]
    microphones = [
        part
        for x in (530, 575, 625, 670)
        for part in (
            stroke(f"M{x} 414 L{600 + (x - 600) // 2} 360", INK, 5),
            disc(600 + (x - 600) // 2, 352, 11, STONE),
        )
    ]
    return [*wall, *speaker, *desk, *microphones]


def hospital(chance: Random) -> Drawing:
    house = [
        rect(280, 190, 640, 370, WHITE),
        *windows(320, 240, 4, 4, 70, GLASS),
        *windows(690, 240, 3, 4, 70, GLASS),
    ]
    cross = [rect(585, 110, 30, 110, "#4f8a7d"), rect(545, 150, 110, 30, "#4f8a7d")]
    door = [rect(560, 450, 80, 110, "#9fb7c4"), rect(520, 430, 160, 16, "#4f8a7d")]
    car = [
        rect(120, 520, 190, 74, WHITE, 'rx="12"'),
        rect(120, 560, 190, 10, BRICK),
        disc(165, 600, 20, INK),
        disc(265, 600, 20, INK),
    ]
    return [
        *sky(chance),
        *skyline(chance, 560, "#c2ccd3"),
        rect(0, 555, WIDTH, 120, "#b9c2b4"),
        *house,
        *cross,
        *door,
        *car,
    ]


def school(chance: Random) -> Drawing:
    house = [
        rect(220, 270, 760, 300, SAND),
        area("M190 270 L600 130 L1010 270 Z", BRICK),
        disc(600, 215, 30, WHITE),
    ]
    hands = stroke("M600 215 V196 M600 215 H614", INK, 4)
    trees = [part for x in (110, 1090) for part in (rect(x - 10, 450, 20, 120, "#7b624b"), disc(x, 420, 78, GRASS))]
    door = [
        rect(555, 440, 90, 130, INK),
        *windows(270, 320, 4, 2, 68, GLASS),
        *windows(690, 320, 4, 2, 68, GLASS),
    ]
    return [*sky(chance), rect(0, 565, WIDTH, 110, "#b7c4a1"), *trees, *house, hands, *door]


def factory(chance: Random) -> Drawing:
    smoke = [disc(330 + n * 34, 170 - n * 22, 30 + n * 9, "#f2f2ee", 'opacity="0.7"') for n in range(4)]
    roof = [area(f"M{x} 360 V280 L{x + 120} 360 Z", INK) for x in range(420, 1000, 120)]
    hall = [
        rect(420, 358, 600, 210, STONE),
        *windows(460, 420, 7, 1, 78, GLASS),
        rect(300, 180, 60, 390, BRICK),
    ]
    return [
        *sky(chance),
        *skyline(chance, 565, "#c7ced3"),
        *smoke,
        *roof,
        *hall,
        rect(0, 565, WIDTH, 110, "#aeb39f"),
    ]


def market(chance: Random) -> Drawing:
    stalls = []
    for x in (80, 460, 840):
        colour = chance.choice(CALM)
        stalls += [rect(x + n * 40, 260, 40, 70, WHITE if n % 2 else colour) for n in range(7)]
        stalls += [
            rect(x + 8, 330, 8, 220, INK),
            rect(x + 264, 330, 8, 220, INK),
            rect(x, 470, 280, 90, "#a9845f"),
        ]
        fruit = ("#c9803f", "#8fa552", "#b4534a", "#d8b95a")
        stalls += [disc(x + 24 + n * 26, 462 - n % 2 * 14, 15, chance.choice(fruit)) for n in range(10)]
    return [*sky(chance), *skyline(chance, 480, "#cfc4b2"), rect(0, 555, WIDTH, 120, "#c7bda9"), *stalls]


def snow(chance: Random) -> Drawing:
    firs = []
    for _ in range(9):
        x, y, s = chance.randint(30, 1170), chance.randint(430, 560), chance.randint(60, 120)
        firs += [area(f"M{x} {y - s * 2} L{x + s * 0.6:g} {y} H{x - s * 0.6:g} Z", "#5c7a70")]
        firs += [area(f"M{x} {y - s * 2} L{x + s * 0.2:g} {y - s * 1.3:g} H{x - s * 0.2:g} Z", WHITE)]
    flakes = [disc(chance.randint(0, 1200), chance.randint(0, 660), chance.randint(3, 6), WHITE) for _ in range(70)]
    road = area("M520 675 L590 420 H610 L760 675 Z", "#bcc6cf")
    return [
        *sky(chance, ("#aebccb", "#e6ecf1")),
        hills(chance, 420, "#e4eaee"),
        hills(chance, 520, WHITE),
        road,
        *firs,
        *flakes,
    ]


def solar(chance: Random) -> Drawing:
    panels = []
    for row in range(3):
        y, size = 400 + row * 90, 130 + row * 26
        for x in range(-20, 1200, size + 26):
            panels.append(area(f"M{x + 24} {y} h{size} l-24 62 h-{size} Z", "#38577a"))
            panels.append(stroke(f"M{x + 24 + size / 2:g} {y} l-24 62 M{x + 12} {y + 31} h{size}", "#7f9cb8", 2))
    mills = []
    for x in (260, 700, 980):
        mills += [
            rect(x - 4, 150, 8, 210, WHITE),
            stroke(f"M{x} 150 V70 M{x} 150 l70 40 M{x} 150 l-70 40", WHITE, 8),
        ]
    return [*sky(chance), hills(chance, 350, "#9db58a"), *mills, hills(chance, 400, GRASS), *panels]


def town(chance: Random) -> Drawing:
    """Stands in for every scene that nobody has drawn."""
    square = [
        rect(0, 520, WIDTH, 155, "#c9c1b0"),
        rect(560, 250, 80, 270, SAND),
        area("M550 250 L600 130 L650 250 Z", BRICK),
    ]
    trees = [disc(x, 500, 44, GRASS) for x in (180, 320, 860, 1010)]
    return [*sky(chance), hills(chance, 400, "#b3c2a5"), *skyline(chance, 520, "#bcae9a"), *square, *trees]


SCENES: dict[str, Callable[[Random], Drawing]] = {
    "bridge": bridge,
    "plenary": plenary,
    "tram": tram,
    "train": train,
    "port": port,
    "stadium": stadium,
    "stage": stage,
    "chart": chart,
    "flood": flood,
    "press": press,
    "hospital": hospital,
    "school": school,
    "factory": factory,
    "market": market,
    "snow": snow,
    "solar": solar,
}
