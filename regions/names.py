"""Names of people and accounts, shortened."""


def initials(name: str | None) -> str:
    """The first letters of a name's first two words that begin with one, in upper case; "X" where there is none."""
    words = (word.lstrip("@#\"'„“»«([{") for word in (name or "").replace("_", " ").replace(".", " ").split())
    letters = [word[0] for word in words if word and word[0].isalnum()]
    return "".join(letters[:2]).upper() or "X"
