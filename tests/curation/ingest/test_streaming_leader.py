"""Who leads the stream, while PostgreSQL comes and goes: what standing by meets is a database's error, to be tried
again, never the end of the process."""

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection

from curation.config.demo.ports import free_port
from curation.ingest.streaming.leader import Leader

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def leader() -> Iterator[Leader]:
    one = Leader(lambda: None)
    yield one
    one.give_up()


def test_where_postgresql_is_away_it_is_a_database_error_and_then_it_leads(
    leader: Leader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "PORT", str(free_port()))
        with pytest.raises(OperationalError):
            leader.take()
    assert leader.take()


def test_one_that_stands_by_and_is_cut_off_says_so(leader: Leader) -> None:
    first = Leader(lambda: None)
    assert first.take()
    try:
        assert not leader.take()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [leader.link.info.backend_pid])
        with pytest.raises(OperationalError):
            leader.take()
    finally:
        first.give_up()
