"""Runs pytest again and again, as a script in the copy: what is not ours is imported once, ours anew in each run.

Each line that comes in is a run's words and the file for what it prints, as JSON; pytest's code goes out."""

import importlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

BEFOREHAND = (
    "pytest", "_pytest.assertion.rewrite", "_pytest.junitxml", "psycopg2.extras", "celery.app.base",
    "kombu.transport.redis", "redis.asyncio", "playwright.sync_api", "PIL.Image", "requests", "tweepy", "tablib",
    "structlog", "boto3", "django.contrib.postgres.search", "django.test.client", "django.db.backends.postgresql.base",
    "django.db.models.sql.compiler", "django.forms", "jsonschema", "prometheus_client", "fido2.server", "py3langid",
)  # fmt: skip


def main() -> None:
    sys.path[0] = os.getcwd()
    for name in BEFOREHAND:
        with suppress(Exception):  # then the runs import it themselves
            importlib.import_module(name)
    import pytest
    from django.db.backends.base.creation import BaseDatabaseCreation

    BaseDatabaseCreation.create_test_db = there_already  # type: ignore[method-assign]
    for line in sys.stdin:
        words, printed = json.loads(line)
        if not (child := os.fork()):
            with Path(os.devnull).open("rb") as nothing, Path(printed).open("wb") as out:
                os.dup2(nothing.fileno(), 0)
                os.dup2(out.fileno(), 1)
                os.dup2(out.fileno(), 2)
            os._exit(ended(int(pytest.main(words))))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(code, flush=True)


def there_already(self: Any, *_: Any, **__: Any) -> str:
    """The tests' database was copied from the migrated one: nothing is left to be done to it."""
    from django.conf import settings

    name: str = self._get_test_db_name()
    self.connection.close()
    settings.DATABASES[self.connection.alias]["NAME"] = self.connection.settings_dict["NAME"] = name
    return name


def ended(code: int) -> int:
    """What is left in buffers, written before the end."""
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    main()
