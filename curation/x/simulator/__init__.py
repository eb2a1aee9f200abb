"""A real HTTP server that speaks X API v2, with fictional accounts: for the demo and the tests."""

from curation.x.simulator.server import Simulator
from curation.x.simulator.texts import accounts, lists

__all__ = ["Simulator", "accounts", "lists"]
