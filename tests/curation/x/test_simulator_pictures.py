"""Pictures are drawn from their address alone."""

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
import requests

from curation.x.simulator import Simulator
from curation.x.simulator.pictures import drawn, initials
from curation.x.simulator.scenes import SCENES
from curation.x.simulator.texts import languages


@pytest.mark.parametrize("word", [*SCENES, "something-new"])
def test_scene_is_a_picture_and_stays_the_same(word: str) -> None:
    path = f"/pictures/media/{word}-3_123456789.svg"
    picture = drawn(path)
    assert picture and picture == drawn(path)
    root = ElementTree.fromstring(picture)
    assert (root.get("width"), root.get("height")) == ("1200", "675")
    assert len(root) > 8
    assert picture != drawn(f"/pictures/media/{word}-3_987654321.svg")


def test_avatar_shows_initials(x: Simulator) -> None:
    answer = requests.get(f"{x.base_url}/pictures/avatars/LM_Tagblatt.svg", timeout=5)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml; charset=utf-8")
    assert "".join(ElementTree.fromstring(answer.text).itertext()) == "LT"
    assert requests.get(f"{x.base_url}/pictures/avatars/..%2Fx.svg", timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("username", "letters"), [("to_orosimo", "TO"), ("DeltaDienst", "DD"), ("abc", "AB"), ("_", "_")]
)
def test_initials(username: str, letters: str) -> None:
    assert initials(username) == letters


def test_every_scene_the_texts_name_is_drawn() -> None:
    templates: list[Any] = [t for one in languages().values() for found in one.templates.values() for t in found]
    assert {template.media for template in templates if template.media} <= set(SCENES)
