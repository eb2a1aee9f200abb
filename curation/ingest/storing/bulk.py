"""Many rows a statement: COPY for new ones, INSERT ... SELECT FROM unnest(...) where some may be there already.

Callers give rows sorted, so that passes cannot deadlock. No value is cut: what a column cannot hold is a DataError."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, connection, transaction
from django.db.models import CharField, DateTimeField, Field, JSONField, Model, TextField

Row = Sequence[Any]


def as_array(values: Iterable[object]) -> str:
    """PostgreSQL's form of an array of plain codes or numbers."""
    return "{" + ",".join(map(str, values)) + "}"


class Lines:
    """Lines to be read by COPY: PostgreSQL stores the first while the next are being made."""

    AT_A_TIME = 25

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines

    def read(self, _size: int) -> bytes:
        return "".join(islice(self.lines, self.AT_A_TIME)).encode()


class Table:
    """A model's columns by field name, in the order in which rows give their values.

    JSON and arrays are given as PostgreSQL's text (`as_json`, `as_array`); everything else as Python's."""

    def __init__(self, model: type[Model], *names: str) -> None:
        columns = {field.name: field for field in model._meta.concrete_fields}
        self.fields: list[Field[Any, Any]] = [columns[name] for name in names]
        self.name = model._meta.db_table
        self.columns = ", ".join(f'"{field.column}"' for field in self.fields)
        self.writers = [writer(field) for field in self.fields]

    def ids(self, count: int, first: str = "") -> list[int]:
        """New ids, rising; the statement `first` is run before they are taken."""
        # In a query of its own the sequence is looked up once, else for every id.
        sequence = f"(SELECT pg_get_serial_sequence('{self.name}', 'id')::regclass)"
        taken = f"SELECT nextval({sequence}) FROM generate_series(1, {count:d})"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(f"{first}; {taken}" if first else taken)
            return [row[0] for row in cursor.fetchall()]

    def copy(self, rows: Iterable[Row]) -> None:
        """New rows; IntegrityError when one is there already."""
        self.copy_from(Lines(map(self.line, rows)))

    def line(self, row: Row) -> str:
        """One line of COPY's text form."""
        told = ["\\N" if value is None else write(value) for write, value in zip(self.writers, row, strict=True)]
        return "\t".join(told) + "\n"

    def copy_from(self, lines: io.BytesIO | Lines) -> None:
        with connection.cursor() as cursor, connection.wrap_database_errors:
            cursor.copy_expert(f"COPY {self.name} ({self.columns}) FROM STDIN", lines, 1 << 20)

    def insert(self, rows: Sequence[Row], *, conflict: str, returning: str = "") -> list[tuple[Any, ...]]:
        """Rows of which some may be there: `conflict` follows ON CONFLICT. Gives `returning`."""
        if not rows:
            return []
        arrays = ", ".join(f"%s::{carried(field)}[]" for field in self.fields)
        selected = ", ".join(f'"{field.column}"::{kind(field)}' if nested(field) else f'"{field.column}"'
                             for field in self.fields)  # fmt: skip
        # Only names of models and columns are put into the statement; values travel as parameters.
        statement = (
            f"INSERT INTO {self.name} ({self.columns}) "  # noqa: S608
            f"SELECT {selected} FROM unnest({arrays}) AS r ({self.columns}) ON CONFLICT {conflict}"
            + (f" RETURNING {returning}" if returning else "")
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])
            return cursor.fetchall() if returning else []

    def add(self, rows: Callable[[], Iterable[Row]], ids: Collection[int]) -> set[int]:
        """Those of the `ids`, the first column, whose rows were new: at best by COPY, else what is there is left out.

        `rows` makes them, while PostgreSQL stores."""
        try:
            with transaction.atomic():
                self.copy(rows())
        except IntegrityError:
            return {row[0] for row in self.insert(list(rows()), conflict="DO NOTHING", returning="id")}
        return set(ids)


def update(table: str, columns: dict[str, str], rows: Sequence[Iterable[Any]], *, sets: str, where: str) -> list[int]:
    """Updates rows `t` from `r`, which has the columns with their types; returns the ids of those changed."""
    if not rows:
        return []
    arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
    statement = (
        f'UPDATE "{table}" AS t SET {sets} FROM unnest({arrays}) AS r ({", ".join(columns)}) '  # noqa: S608
        f"WHERE t.id = r.id AND ({where}) RETURNING t.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])
        return [row[0] for row in cursor.fetchall()]


def nested(field: Field[Any, Any]) -> bool:
    return isinstance(field, JSONField | ArrayField)


def kind(field: Field[Any, Any]) -> str:
    return str(field.rel_db_type(connection) if field.is_relation else field.db_type(connection))


def carried(field: Field[Any, Any]) -> str:
    """unnest takes arrays apart whole, so arrays and documents travel as text; and a cast to varchar would cut."""
    return "text" if nested(field) or isinstance(field, CharField | TextField) else kind(field)


def escaped(text: str) -> str:
    """As COPY reads it."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text if text.isprintable() else text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def escaped_json(text: str) -> str:
    """The same of JSON, in which tabs and line ends are escaped already."""
    return text.replace("\\", "\\\\") if "\\" in text else text


@lru_cache(maxsize=1024)
def as_time(moment: datetime) -> str:
    """Kept, since the rows of a batch share most of their times, and a candidate its tweet's."""
    return str(moment)


def writer(field: Field[Any, Any]) -> Callable[[Any], str]:
    """How COPY is told a column's values."""
    if isinstance(field, JSONField):
        return escaped_json
    if isinstance(field, DateTimeField):
        return as_time
    return escaped if isinstance(field, CharField | TextField) else str
