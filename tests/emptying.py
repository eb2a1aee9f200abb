"""Between tests that commit: every table is brought back to what the migrations left in it.

Django would truncate all tables and save each of their first rows anew, half a second a test. Here only tables with
rows are emptied, and the first rows come back from copies that stand in a schema of their own."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

COPY_FIRST_ROWS = """
DO $$
DECLARE name text; filled boolean;
BEGIN
    CREATE SCHEMA at_first;
    FOREACH name IN ARRAY %s::text[] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %%I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE at_first.%%I AS SELECT * FROM %%I', name, name);
        END IF;
    END LOOP;
END $$
"""

# Log, seals and snapshots refuse TRUNCATE and DELETE by trigger; the role lets them be emptied all the same.
# A table that grew is truncated, so that no later test reads its dead rows.
AS_AT_FIRST = """
DO $$
DECLARE name text; filled boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE;
    FOREACH name IN ARRAY ARRAY[{names}] LOOP
        IF pg_relation_size(name::regclass) > 512 * 1024 THEN
            EXECUTE format('TRUNCATE %I CASCADE', name);
        END IF;
    END LOOP;
    FOREACH name IN ARRAY ARRAY[{names}] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'at_first'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('INSERT INTO %I SELECT * FROM at_first.%I', name, name);
    END LOOP;
END $$
"""


def keep_first_rows() -> None:
    """Copies what the migrations left; tells Django that nothing is left to be saved anew."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        cursor.execute(COPY_FIRST_ROWS, [tables])
    connection._test_serialized_contents = "[]"  # type: ignore[attr-defined]


def flush_by_copies() -> None:
    """From now on Django's flush brings the first rows back."""
    DatabaseOperations.sql_flush = as_at_first  # type: ignore[method-assign]


def as_at_first(
    self: DatabaseOperations, style: Any, tables: Sequence[str], *, reset_sequences: bool = False, **_other: Any
) -> list[str]:
    """The statements of a flush, in one transaction."""
    if reset_sequences:
        raise NotImplementedError("no test has asked for sequences to begin anew")
    quoted = ", ".join(self.quote_name(table) for table in tables)
    return [AS_AT_FIRST.format(tables=quoted, names=", ".join(f"'{table}'" for table in tables))]
