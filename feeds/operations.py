"""Publishing."""

def listen() -> None:
    """Placeholder until the listener stands."""
