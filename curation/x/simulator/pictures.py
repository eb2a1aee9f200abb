"""Pictures as SVG, drawn from their address alone: the same address gives the same picture."""

from __future__ import annotations

import html
import re

from curation.x.simulator.accounts import seeded
from curation.x.simulator.scenes import SCENES, town
from curation.x.simulator.shapes import CALM, HEIGHT, WIDTH

AVATAR = re.compile(r"/pictures/avatars/([A-Za-z0-9_]{1,15})\.svg")
MEDIA = re.compile(r"/pictures/media/([\w-]{1,40})-(\d+_\d+)\.svg")


def drawn(path: str) -> str | None:
    """The picture of that address, or None where there is none."""
    avatar_of, scene_of = AVATAR.fullmatch(path), MEDIA.fullmatch(path)
    if avatar_of:
        return avatar(avatar_of[1])
    return scene(scene_of[1], scene_of[2]) if scene_of else None


def svg(width: int, height: int, parts: list[str]) -> str:
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>' + "".join(parts) + "</svg>\n"


def scene(word: str, key: str) -> str:
    return svg(WIDTH, HEIGHT, SCENES.get(word, town)(seeded(word, key)))


def initials(username: str) -> str:
    """Two letters: of the parts of the name, else its first two."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", username) or [username]
    letters = "".join(part[0] for part in parts[:2]) if len(parts) > 1 else username[:2]
    return html.escape(letters.upper())


def avatar(username: str) -> str:
    chance = seeded("avatar", username.lower())
    colour, turn = chance.choice(CALM), chance.randint(0, 360)
    ring = (
        f'<circle cx="{chance.randint(60, 140)}" cy="{chance.randint(20, 180)}" '
        f'r="{chance.randint(60, 110)}" '
        f'fill="#fff" opacity="0.12" transform="rotate({turn} 100 100)"/>'
    )
    letters = (
        '<text x="100" y="100" dy="0.35em" text-anchor="middle" fill="#fff" font-size="84" '
        f'font-weight="600" font-family="system-ui, sans-serif">{initials(username)}</text>'
    )
    return svg(200, 200, [f'<rect width="200" height="200" fill="{colour}"/>', ring, letters])
