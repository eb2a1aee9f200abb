"""A step of the demo: tables, people and sources, in one process because Django takes a second to load.

`python -m curation.config.demo.prepare FILE [command ...]` runs migrate, demo_people and those commands."""

import sys

import django
from django.core.management import call_command


def main(credentials: str, *more: str) -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("demo_people", credentials=credentials, verbosity=0)
    for command in more:
        call_command(command, verbosity=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
