"""Words of others that would turn a line around, or end the element they stand in."""

import pytest

from regions.words import contained, straight

PDI, RLO, FSI, RLI = "\u2069", "\u202e", "\u2068", "\u2067"


def test_a_name_turns_nothing_around() -> None:
    assert straight(f"Stadtblatt{PDI}{PDI}{RLO}") == "Stadtblatt"
    assert straight("تونس \U0001f469\u200d\U0001f52c") == "تونس \U0001f469\u200d\U0001f52c"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"auf{PDI}{RLO} davon", f"auf{RLO} davon"),
        (f"{FSI}ein Name{PDI} sagt", f"{FSI}ein Name{PDI} sagt"),
        (f"{RLI}{FSI}zwei{PDI}{PDI}{PDI}.", f"{RLI}{FSI}zwei{PDI}{PDI}."),
    ],
)
def test_a_text_ends_nothing_but_what_it_opened(text: str, kept: str) -> None:
    assert contained(text) == kept
