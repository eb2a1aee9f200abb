"""Why the demo stops."""


class Trouble(Exception):
    """It cannot go on. Its text is one plain sentence, shown without a traceback."""


class Ended(Exception):
    """Someone asked it to end, or nobody reads any more."""
