"""The ticker's module as hosts load it: its versioned address, and the hash that their tag holds it to."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage

NAME = "feeds/ticker.js"


@dataclass(frozen=True)
class Module:
    """`address`: a path whose name changes with the bytes, for ever the same bytes. `integrity`: as SRI writes it."""

    address: str
    integrity: str

    def tag(self, origin: str = "") -> str:
        """The script element for a page elsewhere: SRI asks for CORS, which static files are served with."""
        return (
            f'<script type="module" src="{origin}{self.address}" integrity="{self.integrity}"'
            ' crossorigin="anonymous"></script>'
        )


def module() -> Module:
    return Module(staticfiles_storage.url(NAME), integrity(served(NAME)))


def integrity(body: bytes) -> str:
    """Subresource Integrity, https://www.w3.org/TR/SRI/: the hash's name and the hash in base64."""
    return f"sha384-{base64.b64encode(hashlib.sha384(body).digest()).decode()}"


def served(name: str) -> bytes:
    """A static file as browsers get it: collected under its versioned name, else from the checkout."""
    stored = getattr(staticfiles_storage, "stored_name", str)(name)
    collected = Path(staticfiles_storage.path(stored))
    found = str(collected) if collected.exists() else finders.find(name)
    if not found:
        raise FileNotFoundError(name)
    return Path(found).read_bytes()
