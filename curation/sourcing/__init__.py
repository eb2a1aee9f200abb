"""The lists of sources: what leads may list, what it would bring, how it fares, and the acts on it."""
