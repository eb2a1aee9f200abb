"""Nobody is told of a decision before the disk has it: what waits is the server's to say, never ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from curation import operations
from regions.models import Channel, User
from regions.signals import channel_changed
from tests.cast import make_candidate

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
ASKED = "SELECT source FROM pg_settings WHERE name = 'synchronous_commit'"
OF_THE_SERVER = {"default", "configuration file", "command line"}


def test_a_decision_s_commit_waits_for_the_disk_as_the_server_does(anna: User, de_politics: Channel) -> None:
    told: list[str] = []

    def look(**_: Any) -> None:
        """Within the transaction, just before its commit."""
        with connection.cursor() as cursor:
            cursor.execute(ASKED)
            told.append(cursor.fetchone()[0])

    channel_changed.connect(look)
    try:
        operations.approve(make_candidate(de_politics), by=anna, version=1)
    finally:
        channel_changed.disconnect(look)
    assert told and set(told) <= OF_THE_SERVER
