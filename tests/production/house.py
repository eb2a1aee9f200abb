"""What the tests ask of the house that runs on a machine of its own."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.production.machine import Machine

ROOT = Path(__file__).resolve().parents[2]
HOST = "ticker.example"
URL = f"https://{HOST}"
AUTHORITY = "/etc/ssl/tickerdesk/fullchain.pem"
CREDENTIALS = "/var/lib/tickerdesk/credentials.json"
SERVICES = ("web@8000", "web@8002", "events", "publisher", "worker", "ingest", "beat", "stream")


@dataclass
class House:
    machine: Machine
    repository: Path
    token: str = ""

    def run(self, script: str, **more: Any) -> str:
        return self.machine.run(script, **more)

    def ask(self, path: str, body: Any = None, *, seconds: float = 20, key: str = "") -> tuple[int, Any]:
        """Status and answer through nginx, as Anna of DE; status 0 where nobody answers in time."""
        self.token = self.token or self.person("anna")["token"]
        sent = (
            f"-H 'Content-Type: application/json' -H 'Idempotency-Key: {key}' -d '{json.dumps(body)}'" if body else ""
        )
        told = self.run(
            f"curl -sS --cacert {AUTHORITY} --max-time {seconds} -w '\\n%{{http_code}}' "
            f"-H 'Authorization: Token {self.token}' {sent} '{URL}{path}' || true"
        )
        text, _, status = told.rpartition("\n")
        try:
            return int(status or 0), json.loads(text)
        except ValueError:
            return int(status or 0), text

    def person(self, name: str) -> dict[str, Any]:
        people = json.loads(self.run(f"cat {CREDENTIALS}"))["users"]
        return next(one for one in people if one["username"] == name)

    def pending(self) -> dict[str, Any]:
        """A candidate of DE that waits."""
        found = settled(lambda: self.ask("/api/v1/candidates/?market=de&state=pending")[1]["results"], 180)
        return found[0]

    def approve(self, one: dict[str, Any], *, seconds: float = 20) -> int:
        body = {"verb": "approve", "version": one["version"]}
        return self.ask(
            f"/api/v1/candidates/{one['id']}/decisions/", body, key=f"{one['id']}-{time.time()}", seconds=seconds
        )[0]

    def metrics(self, port: int = 8000) -> dict[str, float]:
        """Samples as Prometheus writes them, by name and labels."""
        text = self.run(f"curl -sS --max-time 20 http://127.0.0.1:{port}/metrics")
        return {name: float(value) for name, value in re.findall(r"^([a-z]\S*) (\S+)$", text, re.MULTILINE)}

    def sql(self, question: str) -> str:
        return self.run(f'runuser -u postgres -- psql -qAtX tickerdesk -c "{question}"').strip()

    def active(self) -> set[str]:
        """Which of the services run."""
        return {
            one for one in SERVICES if self.run(f"systemctl is-active tickerdesk-{one} || true").strip() == "active"
        }

    def read_since(self, moment: str) -> bool:
        """Whether X was read by a run that began after a moment of the database's clock."""
        return (
            self.sql(f"select count(*) from curation_ingestrun where outcome='read' and started_at > '{moment}'") != "0"
        )


def settled(ask: Callable[[], Any], seconds: float) -> Any:
    """The first answer that is something; the last one when the time is over."""
    until = time.monotonic() + seconds
    while not (found := ask()) and time.monotonic() < until:
        time.sleep(0.5)
    return found
