"""What a deliberate defect is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Defect:
    """A text of the code that is replaced by a worse one, and the tests that have to notice.

    `breaks`: the number of the promise, or speed, security, data. `tests` are named as pytest names them. `soak`: a
    long run alone does."""

    name: str
    breaks: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    soak: bool = False

    def spoiled(self, text: str) -> str:
        """The file's text with the defect in it. Raises ValueError where the list is not in step with the code."""
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file}: {text.count(self.old)} places hold the text of: {self.name}")
        return text.replace(self.old, self.new)
