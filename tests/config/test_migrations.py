"""New migrations let the version before go on, and lock nobody out: the handbook's rules for them.

What comes before the first release is not looked at: no table had rows to lock."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django_migration_linter.sql_analyser import PostgresqlAnalyser, analyse_sql_statements

pytestmark = pytest.mark.django_db
FIRST_RELEASE = {"regions": 7, "curation": 22, "feeds": 6}  # the last migration of each


def since_the_first_release() -> Iterator[tuple[str, str]]:
    for app, name in MigrationLoader(None).disk_migrations:
        if app in FIRST_RELEASE and int(name[:4]) > FIRST_RELEASE[app]:
            yield app, name


def complaints(statements: list[str]) -> set[str]:
    """What is wrong with SQL, by the linter's codes."""
    errors, _ignored, warnings = analyse_sql_statements(PostgresqlAnalyser, statements, [])
    return {found.code for found in (*errors, *warnings)}


def statements_of(app: str, name: str) -> list[str]:
    told = StringIO()
    call_command("sqlmigrate", app, name, stdout=told)
    return [line for line in told.getvalue().splitlines() if line and not line.startswith("--")]


@cache
def today() -> ProjectState:
    loader = MigrationLoader(None)
    state: ProjectState = loader.project_state(loader.graph.leaf_nodes("regions"))
    return state


def statements_for(operation: Any) -> list[str]:
    """What an operation on the sources would run, within a transaction."""
    before, after = today().clone(), today().clone()
    operation.state_forwards("regions", after)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        operation.database_forwards("regions", editor, before, after)
    return ["BEGIN;", *(str(one) for one in editor.collected_sql), "COMMIT;"]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)  # what is made concurrently is made in none
def test_new_migrations_are_backwards_compatible() -> None:
    found = {(app, name): complaints(statements_of(app, name)) for app, name in since_the_first_release()}
    assert {which: wrong for which, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    ("operation", "wrong"),
    [
        (migrations.AddField("source", "mood", models.TextField(default="good")), {"NOT_NULL"}),
        (migrations.RemoveField("source", "name"), {"DROP_COLUMN"}),
        (migrations.RenameField("source", "name", "title"), {"RENAME_COLUMN"}),
        (migrations.DeleteModel("Invitation"), {"DROP_TABLE"}),
        (migrations.AddIndex("source", models.Index(fields=["name"], name="sources_by_name")), {"CREATE_INDEX"}),
        (migrations.AddField("source", "mood", models.TextField(null=True)), set()),
        (migrations.AddField("source", "mood", models.TextField(db_default="good")), set()),
    ],
)  # fmt: skip
def test_the_rules_bite(operation: Any, wrong: set[str]) -> None:
    assert complaints(statements_for(operation)) == wrong
