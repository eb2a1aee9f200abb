"""Two databases on one server, so that an empty and a full one are measured in turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


def copy_database(name: str) -> None:
    """Makes a database like the one in use."""
    mine = connection.settings_dict["NAME"]
    with using("postgres"), connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{mine}"')


@contextmanager
def using(name: str) -> Iterator[None]:
    """Django's connection leads to another database."""
    mine = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = mine


def there_is(name: str) -> bool:
    """Whether the server has a database of this name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        return cursor.fetchone() is not None
