"""Many rows a statement: INSERT ... SELECT FROM unnest(...), sorted, so that passes cannot deadlock."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import AutoField, Field, JSONField, Model


def insert(rows: Sequence[Model], *, order: str, conflict: str, returning: str = "") -> list[tuple[Any, ...]]:
    """Stores the rows in the order of columns `order`; `conflict` follows ON CONFLICT. Gives `returning`."""
    if not rows:
        return []
    meta = rows[0]._meta
    fields = [field for field in meta.concrete_fields if not isinstance(field, AutoField)]
    names = ", ".join(f'"{field.column}"' for field in fields)
    selected = ", ".join(_selected(field) for field in fields)
    arrays = ", ".join(f"%s::{_carried(field)}[]" for field in fields)
    # Only names of models and columns are put into the statement; values travel as parameters.
    statement = (
        f'INSERT INTO "{meta.db_table}" ({names}) SELECT {selected} FROM unnest({arrays}) AS r ({names}) '  # noqa: S608
        f"ORDER BY {order} ON CONFLICT {conflict}" + (f" RETURNING {returning}" if returning else "")
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [[_value(field, row) for row in rows] for field in fields])
        return cursor.fetchall() if returning else []


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


def as_array(codes: Iterable[str]) -> str:
    """PostgreSQL's form of an array of plain codes."""
    return "{" + ",".join(codes) + "}"


def _nested(field: Field[Any, Any]) -> bool:
    return isinstance(field, JSONField | ArrayField)


def _kind(field: Field[Any, Any]) -> str:
    kind = field.rel_db_type(connection) if field.is_relation else field.db_type(connection)
    return str(kind)


def _carried(field: Field[Any, Any]) -> str:
    """unnest takes arrays apart whole, so arrays and documents travel as text."""
    return "text" if _nested(field) else _kind(field)


def _selected(field: Field[Any, Any]) -> str:
    return f'"{field.column}"::{_kind(field)}' if _nested(field) else f'"{field.column}"'


def _value(field: Field[Any, Any], row: Model) -> Any:
    value = getattr(row, field.attname)
    if value is None:
        return None
    if isinstance(field, JSONField):
        return json.dumps(value, ensure_ascii=False)
    return as_array(value) if isinstance(field, ArrayField) else value
