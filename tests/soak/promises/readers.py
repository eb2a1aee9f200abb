"""Readers of the edge, who write down each answer and keep every body."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from http.client import HTTPException

from tests.edge.asking import over
from tests.edge.nginx import Edge
from tests.edge.reading import PACKED
from tests.soak.newsroom import FEEDS
from tests.soak.promises.files import Bodies, Lines


class Reader(threading.Thread):
    def __init__(self, edge: Edge, paths: list[str], out: Lines, bodies: Bodies, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.edge, self.paths, self.out, self.bodies, self.stop = edge, paths, out, bodies, stop

    def run(self) -> None:
        line = self.edge.line()
        while not self.stop.is_set():
            for path in self.paths:
                told: dict[str, object] = {"path": path, "asked": time.time()}
                try:
                    answer = over(line, f"{FEEDS}/{path}", PACKED)
                    told |= {"answered": time.time(), "status": answer.status, "etag": answer.headers.get("etag")}
                    told["body"] = self.bodies.keep(gzip.decompress(answer.body))
                except (OSError, HTTPException, EOFError, zlib.error) as error:
                    told |= {"answered": time.time(), "error": repr(error)}
                    line.close()
                self.out.write(told)
                if self.stop.wait(0.06):
                    break
        line.close()
