"""Names of people and accounts, shortened."""

import re

# What browsers and systems call themselves: the first one found counts, since the later ones are claimed by many.
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "FxiOS": "Firefox", "CriOS": "Chrome"}
BROWSERS |= {"Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {"Windows": "Windows", "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "CrOS": "ChromeOS"}
SYSTEMS |= {"Mac OS X": "macOS", "Linux": "Linux"}
FIRST_LETTER = re.compile(r"(?<![^\W_])[^\W_]")


def initials(name: str | None) -> str:
    """The first letters of a name's first two words, in upper case; "X" where there is none."""
    return "".join(FIRST_LETTER.findall(name or "")[:2]).upper() or "X"


def browser(user_agent: str | None) -> str:
    """Of a User-Agent header "Firefox · Windows"; empty where neither is known."""
    found = (name_in(user_agent or "", names) for names in (BROWSERS, SYSTEMS))
    return " · ".join(name for name in found if name)


def name_in(words: str, names: dict[str, str]) -> str:
    return next((name for mark, name in names.items() if mark in words), "")
