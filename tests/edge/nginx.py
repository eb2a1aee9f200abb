"""nginx with deploy/nginx.conf on a free port: only the files of deploy/here are others."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from curation.config.demo.ports import HOST, free_port
from curation.config.demo.program import Program, running

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds in which apt installs
MACHINE = """\
{user}
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
load_module modules/ngx_http_image_filter_module.so;
"""
PLACES = """\
map "" $feed_root {{ default {feeds}; }}
map "" $static_root {{ default {static}; }}
upstream web {{ server {web}; }}
upstream events {{ server {events}; }}
access_log {folder}/access.log asked;
limit_req_zone $binary_remote_addr zone=console:1m rate={rate};
limit_req_zone $binary_remote_addr zone=editorial:1m rate={rate};
map "" $picture_origin {{ default {pictures}; }}
proxy_ssl_trusted_certificate {authority};
proxy_cache_path {folder}/pictures keys_zone=pictures:1m max_size=100m inactive=30m use_temp_path=off;
client_body_temp_path {folder}/body;
proxy_temp_path {folder}/proxied;
fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi;
scgi_temp_path {folder}/scgi;
"""


class NoNginx(Exception):
    """Why there is none."""


def installed() -> None:
    """Has .ci/edge install nginx where it can; one test worker at a time."""
    with (Path(tempfile.gettempdir()) / "tickerdesk-edge.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            told = subprocess.run([ROOT / ".ci/edge"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired as late:
            raise NoNginx(f"apt did not install it within {PATIENCE} s") from late
    if told.returncode:
        raise NoNginx(told.stderr.strip().splitlines()[-1])


@dataclass(frozen=True)
class Edge:
    """nginx as it runs: its port, and its folder with logs."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def line(self) -> HTTPConnection:
        return HTTPConnection(HOST, self.port, timeout=20)


@contextmanager
def nginx(
    folder: Path,
    feeds: Path,
    *,
    web: str = f"{HOST}:9",
    events: str = f"{HOST}:9",
    pictures: str = f"http://{HOST}:9",
    rate: str = "1000r/s",
    static: Path | None = None,
    authority: Path | str = "/etc/ssl/certs/ca-certificates.crt",
    more: str = "",
) -> Iterator[Edge]:
    """The edge over a folder of feeds. Addresses of what it passes on to are `host:port`; nobody answers at port 9.
    `more`: lines for nginx beside the edge."""
    installed()
    shutil.copytree(ROOT / "deploy", folder, dirs_exist_ok=True)
    edge, here = Edge(folder, free_port()), folder / "here"
    user = "user root;" if os.geteuid() == 0 else ""
    (here / "machine.conf").write_text(MACHINE.format(user=user, folder=folder))
    (here / "listen.conf").write_text(f"listen {HOST}:{edge.port};\n")
    (here / "places.conf").write_text(
        PLACES.format(
            folder=folder, feeds=feeds, web=web, events=events, pictures=pictures, rate=rate,
            static=static or folder / "static", authority=authority,
        )
        + more
    )  # fmt: skip
    command = ("nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"))
    program = Program("nginx", command, log=folder / "output.log", ready=lambda: answers(edge))
    with running(program, 20):
        yield edge


def answers(edge: Edge) -> bool:
    try:
        line = edge.line()
        line.request("GET", "/metrics")
        return line.getresponse().status == 404
    except OSError:
        return False
