"""The simulator's own addresses under /simulator/: what can be ordered and seen over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curation.x.simulator.server import Simulator

ORDERS = ("post", "edit", "delete", "withhold", "protect", "suspend", "retweet")
Told = tuple[int, Any]


def controlled(x: Simulator, method: str, name: str, order: dict[str, Any]) -> Told:
    """The status and the JSON. Raises what a wrong order raises: KeyError, TypeError, ValueError."""
    if method == "GET":
        return _shown(x, name)
    if name == "faults" and method == "DELETE":
        x.mend()
        return _shown(x, name)
    return _ordered(x, name, order) if method == "POST" else unknown()


def _shown(x: Simulator, name: str) -> Told:
    world, streams = x.world, x.streams
    shown = {
        "health": lambda: {"status": "ok", "posts": len(world.posts), "accounts": len(world.accounts)},
        "meter": lambda: x.meter.told(),
        "meter/charges": lambda: x.meter.told(charges=True),
        "chaos": lambda: {"seed": x.chaos.seed, "rate": x.chaos.rate, "counts": dict(x.chaos.counts)},
        "stream": lambda: {"connections": x.streaming, "written": streams.written, "modes": sorted(streams.modes)},
        "faults": lambda: {"waiting": [vars(fault) for fault in x.faults.orders]},
        "truth": lambda: x.truth(),
    }
    return (200, shown[name]()) if name in shown else unknown()


def _ordered(x: Simulator, name: str, order: dict[str, Any]) -> Told:
    if name == "faults":
        x.fail(**order)
        return 201, {"waiting": len(x.faults.orders)}
    if name == "stream":
        return 200, {"connections": x.break_stream(**order)}
    if name == "mass":
        return 200, {"made": x.mass(**order)}
    if name in ORDERS:
        return 200, {"id": getattr(x, name)(**order)}
    return unknown()


def unknown() -> Told:
    return 404, {"detail": "unknown address"}
