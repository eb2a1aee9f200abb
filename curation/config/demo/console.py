"""What the demo prints: each program's lines behind its name, and its own sentences."""

import os
import re
import sys
from pathlib import Path
from typing import TextIO

from curation.config.demo.trouble import Ended

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
WIDTH = 10
MOST_LOG = 10_000_000


class Folding:
    """Makes one line of a traceback: its last, which says what went wrong. Of one that led to another, the other's."""

    BEGINS = "Traceback (most recent call last):"
    LEADS_ON = ("During handling of the above", "The above exception was")

    def __init__(self) -> None:
        self.within = False

    def shown(self, text: str) -> str:
        """What is to be shown of a line; "" for nothing."""
        if self.BEGINS in text:
            self.within = True
        elif self.within and text and not text[0].isspace() and not text.startswith(self.LEADS_ON):
            self.within = False
            return text
        return "" if self.within or text.startswith(self.LEADS_ON) else text


class Console:
    """Lines on `out`, in colour only where someone looks. They may quote tweets: none steers the terminal."""

    def __init__(self, out: TextIO = sys.stdout, folder: Path | None = None) -> None:
        self.out = out
        self.folder = folder
        self.colour = out.isatty() and not os.environ.get("NO_COLOR")

    def say(self, sentence: str) -> None:
        self.line("demo", sentence)

    def line(self, name: str, text: str, *, shown: str | None = None) -> None:
        """Keeps one line of a program in its log, and shows it, or what shall be shown of it; "" shows nothing."""
        text = UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
        self.keep(name, text)
        if shown == "":
            return
        label = f"{name:<{WIDTH}} |"
        if self.colour:
            tone = 36 if name == "demo" else 31 + sum(name.encode()) % 5
            label = f"\x1b[{tone}m{label}\x1b[0m"
        self.write(f"{label} {text}\n")

    def write(self, text: str) -> None:
        """Where nobody reads any more, the first write ends the demo and the later ones are silent."""
        try:
            self.out.write(text)
            self.out.flush()
        except OSError as error:
            self.out = open(os.devnull, "w")  # noqa: SIM115
            raise Ended from error

    def keep(self, name: str, text: str) -> None:
        """Appends to the program's log; after the first failure, as on a full disk, no longer."""
        if not self.folder or name == "demo":
            return
        file = self.log_of(name)
        try:
            if file.exists() and file.stat().st_size > MOST_LOG:
                file.replace(file.with_suffix(".log.1"))
            with file.open("a", encoding="utf-8") as log:
                log.write(text + "\n")
        except OSError:
            self.folder = None
            raise

    def log_of(self, name: str) -> Path:
        return (self.folder or Path()) / f"{name}.log"
