"""Tells open browsers what changed, through Redis. A lost message costs nothing: pages ask again by revision."""

def listen() -> None:
    """Placeholder until the listener stands."""
