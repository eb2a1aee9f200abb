"""What the database holds, as one word for each table: equal words mean that nothing changed."""

from __future__ import annotations

from django.apps import apps
from django.db import connection

ROOMS = ("regions", "curation", "feeds", "knox", "mfa", "account", "socialaccount")
RESTLESS = {"regions_user"}  # a log-in is noted there


def digest() -> dict[str, str]:
    """The rows of every table of ours, and of those that hold who may log in."""
    tables = [model._meta.db_table for room in ROOMS for model in apps.get_app_config(room).get_models()]
    told = {}
    with connection.cursor() as cursor:
        for table in sorted(set(tables) - RESTLESS):
            cursor.execute(f"SELECT md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM \"{table}\" t")
            told[table] = cursor.fetchone()[0]
        cursor.execute("SELECT count(*), sum(is_superuser::int), max(length(username)) FROM regions_user")
        told["regions_user"] = str(cursor.fetchone())
    return told
