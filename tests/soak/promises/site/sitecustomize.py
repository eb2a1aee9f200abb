"""Python reads this before anything else, in processes that the promises' soak starts."""

import importlib.util
import os
import sys
from pathlib import Path

if "CRASH_ORDERS" in os.environ:
    spec = importlib.util.spec_from_file_location("crash_points", Path(__file__).parents[1] / "crash_points.py")
    assert spec is not None and spec.loader is not None
    crash_points = importlib.util.module_from_spec(spec)
    sys.modules["crash_points"] = crash_points
    spec.loader.exec_module(crash_points)
    crash_points.install(
        Path(os.environ["CRASH_ORDERS"]),
        os.environ.get("CRASH_NAME", "nobody"),
        os.environ.get("REDIS_URL", ""),
        os.environ.get("X_API_BASE_URL", ""),
    )
