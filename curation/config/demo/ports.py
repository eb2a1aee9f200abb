"""Free ports, and the ones this demo had before."""

import errno
import json
import socket
from pathlib import Path

from curation.config.demo.trouble import Trouble

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen there, and nothing answers where a browser would look for localhost."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise Trouble(f"This machine has no network address {HOST} ({error.strerror}).") from error
    return not answers_on_ipv6(port)


def answers_on_ipv6(port: int) -> bool:
    try:
        with socket.create_connection(("::1", port), timeout=0.5):
            return True
    except OSError:
        return False


def remembered_ports(file: Path, names: tuple[str, ...]) -> dict[str, int]:
    """A free port for each name: the one of the last start where it is still free. Written to `file`."""
    try:
        known: dict[str, int] = json.loads(file.read_text())
    except (OSError, ValueError):
        known = {}
    ports: dict[str, int] = {}
    for name in names:
        port = known.get(name, 0)
        while not port or port in ports.values() or not is_free(port):
            port = free_port()
        ports[name] = port
    file.write_text(json.dumps(ports, indent=1) + "\n")
    return ports
