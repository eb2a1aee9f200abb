"""The whole house as the handbook sets it up, once for all tests that look at it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.production import handbook
from tests.production.house import HOST, ROOT, House
from tests.production.machine import Machine, NoMachine

CERTIFICATE = f"""
echo "127.0.0.1 {HOST}" >> /etc/hosts
install -d /etc/ssl/tickerdesk
cd /etc/ssl/tickerdesk
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={HOST} -addext subjectAltName=DNS:{HOST} \\
    -keyout key.pem -out fullchain.pem 2> /dev/null
chmod 600 key.pem
"""
NEEDS_NETWORK = "1. "


def repository(folder: Path) -> Path:
    """What is committed here, with two versions for an upgrade."""
    bare = folder / "tickerdesk.git"
    subprocess.run(["git", "clone", "-q", "--bare", ROOT, bare], check=True)
    for version in ("v1", "v2"):
        subprocess.run(["git", "-C", bare, "tag", version, "HEAD"], check=True)
    return bare


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    # not below /tmp, which the machine has of its own
    folder = Path("/var/tmp") / f"tickerdesk-{tmp_path_factory.getbasetemp().parent.name}-{id(tmp_path_factory)}"
    folder.mkdir()
    bare = repository(folder)
    try:
        with Machine(folder) as machine:
            machine.run(CERTIFICATE)
            first = handbook.named(HOST=HOST, REPOSITORY=f"file://{bare}", VERSION="v1")
            for heading, text in list(handbook.lines().items())[1:]:
                if not heading.startswith(handbook.LATER):
                    machine.run(first + text, online=heading.startswith(NEEDS_NETWORK), seconds=1200)
            yield House(machine, bare)
    except NoMachine as why:
        pytest.skip(f"the handbook is not tried: {why}")
    finally:
        subprocess.run(["rm", "-rf", folder], check=False)
