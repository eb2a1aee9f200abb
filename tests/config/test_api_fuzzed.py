"""Whatever a program sends, the API answers with a status its schema names, and never with a server error.

`make test` asks each operation a few times, `make soak` a hundred."""

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from knox.models import AuthToken
from schemathesis import Case, GenerationMode

from regions.models import Role
from tests.cast import channel_of, make_candidate, make_user

FEW, MANY = 4, 100


@pytest.fixture
def token(live_server: Any) -> str:
    """Of an editor of DE, who finds three candidates there."""
    for _ in range(3):
        make_candidate(channel_of("de", "politics"))
    _row, token = AuthToken.objects.create(make_user("anna", {"de": Role.EDITOR}))
    return str(token)


@pytest.mark.long
@pytest.mark.parametrize("often", [FEW, pytest.param(MANY, marks=pytest.mark.soak)])
def test_no_request_breaks_the_api(often: int, live_server: Any, token: str) -> None:
    schema = schemathesis.openapi.from_url(f"{live_server.url}/api/v1/schema/?format=json")
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 8
    for operation in operations:
        call_with_many(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), token, often)
        with suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
            call_with_many(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), token, often)


def call_with_many(cases: SearchStrategy[Case], token: str, often: int) -> None:
    @given(case=cases)
    @settings(
        max_examples=often, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    def call(case: Case) -> None:
        answer = case.call(headers={"Authorization": f"Token {token}"})
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"], case.as_curl_command()

    call()
