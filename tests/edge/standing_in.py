"""Small servers that stand where nginx passes requests on to: X's picture host, the web, the events."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from curation.config.demo.ports import HOST

Reply = Callable[["Asked"], None]


class Asked(BaseHTTPRequestHandler):
    """A request; `answer` sends one reply."""

    protocol_version = "HTTP/1.1"

    def answer(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, told in headers.items():
            self.send_header(name.replace("_", "-"), told)
        if "Transfer_Encoding" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class StandIn(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, reply: Reply) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        """Request lines and headers, by their names in lower case."""

        def do(asked: Asked) -> None:
            self.seen.append((asked.requestline, {name.lower(): told for name, told in asked.headers.items()}))
            asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
            reply(asked)

        handler = type(
            "Handler", (Asked,), {f"do_{method}": do for method in ("GET", "POST", "HEAD", "OPTIONS", "PUT")}
        )
        super().__init__((HOST, 0), handler)

    @property
    def place(self) -> str:
        return f"{HOST}:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # nginx hangs up on who is too slow


@contextmanager
def standing_in(reply: Reply, tls: ssl.SSLContext | None = None) -> Iterator[StandIn]:
    server = StandIn(reply)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """TLS with a certificate of its own for a host, and the file that trusts it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    chain, secret = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    return context, chain
