"""What is wrong with a page as it stands: for axe, for the policy, for the eye."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

WATCH = "window.broken = []; addEventListener('securitypolicyviolation', (e) => broken.push(e.violatedDirective));"
ADDED = ("target-size", "label-content-name-mismatch", "css-orientation-lock")
"""Rules of WCAG 2.1 and 2.2 that axe leaves out unless asked. All others of A and AA, and its best practices, hold."""
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# People's words may end in dots where they are told in full elsewhere; these hold nothing else.
WORDS = ".who, .strip p, .about a, .recent p, .entry p, .palette__label, .palette__hint, .chips q, .thread__words, .place__who, .inset .words, .cell bdi"  # noqa: E501
# Pictures, faces and the phone's screen are windows, and what is only heard takes no room.
WINDOWS = (
    ".sr, .face, .media, .gallery__one, .post__media, [inert], svg, [aria-hidden=true], option, noscript, .swagger-ui"
)
BOXES = ".button, .chip, .panel, .column, .rail, .top, .seg, dialog, td, th, li, form, main"
CUT = Path(__file__).with_name("cut.js").read_text()
# Told once and kept by the browser; sent with each look, half a megabyte takes longer than the look itself.
AT_HAND = "if (location.protocol !== 'about:') { (() => { AXE\n })(); }"
STILL = "() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)))"


@dataclass
class Eye:
    """Looks at one page again and again. `found` keeps what was wrong: (where, what), in the order of looking."""

    page: Page
    found: list[tuple[str, str]] = field(default_factory=list)
    looked: int = 0
    where: str = ""
    forgiven: str = ""
    """What the browser tells as an error and is none: the status of a page that refuses."""
    strict: bool = True
    """Best practices too; what others drew is held to WCAG alone."""

    def __post_init__(self) -> None:
        self.page.add_init_script(AT_HAND.replace("AXE", Axe().axe_script))
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.found.append((self.where, f"error: {error}")))

    def hear(self, told: ConsoleMessage) -> None:
        if told.type == "error" and not (self.forgiven and self.forgiven in told.text):
            self.found.append((self.where, f"console: {told.text[:200]}"))

    def look(self, where: str) -> None:
        """Once all of the page is there and nothing moves: what fades in has the contrast of its end only then."""
        self.where = where
        self.looked += 1
        self.page.wait_for_load_state("load")
        self.page.evaluate(STILL)
        wrong = [*self.told_by_axe(), *self.policy(), *self.too_wide(), *self.cut()]
        self.found += [(where, one) for one in wrong]

    def told_by_axe(self) -> list[str]:
        options: dict[str, Any] = {"resultTypes": ["violations"], "rules": {name: {"enabled": True} for name in ADDED}}
        if not self.strict:
            options["runOnly"] = LEVELS
        told = self.page.evaluate("(options) => axe.run(document, options)", options)["violations"]
        return [f"axe: {one['id']} {node['target']} {node['html'][:120]}" for one in told for node in one["nodes"]]

    def policy(self) -> list[str]:
        return [f"policy: {one}" for one in self.page.evaluate("(window.broken ?? []).splice(0)")]

    def too_wide(self) -> list[str]:
        over = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return [f"too wide by {over}"] if over > 0 else []

    def cut(self) -> list[str]:
        return [f"cut: {one}" for one in self.page.evaluate(CUT, [WORDS, WINDOWS, BOXES])]
