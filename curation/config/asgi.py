"""The events process, for an ASGI server. Pages go through wsgi.py: psycopg2 keeps a connection per thread there."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.config.settings")
django.setup()

from curation.events.serving import application  # noqa: E402  needs Django set up

__all__ = ["application"]
