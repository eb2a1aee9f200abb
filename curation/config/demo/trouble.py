"""What the person who started the demo is told when it cannot go on."""


class Trouble(Exception):
    """Ends the demo. Its text is one plain sentence, shown without a traceback."""
