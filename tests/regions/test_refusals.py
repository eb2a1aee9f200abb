"""Who may not see a page reads so; the log has one line of it, without a traceback."""

import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from regions.middleware import RuleMiddleware
from regions.models import User


def refused(caplog: pytest.LogCaptureFixture) -> list[tuple[str, bool]]:
    return [(one.levelname, bool(one.exc_info)) for one in caplog.records if one.name == "django.request"]


def test_a_forbidden_page_is_one_line_in_the_log(browse: Any, bram: User, caplog: Any) -> None:
    with caplog.at_level(logging.INFO):
        answer = browse(bram).post("/pauses/try-again/")
    assert (answer.status_code, "Not yours to do" in answer.content.decode()) == (403, True)
    assert refused(caplog) == [("WARNING", False)]


def test_so_is_one_that_a_view_forbids(rf: Any) -> None:
    rule, request = RuleMiddleware(lambda _: None), rf.get("/api/")  # type: ignore[arg-type,return-value]
    answer = rule.process_exception(request, PermissionDenied())
    assert answer is not None
    assert answer.status_code == 403
    assert rule.process_exception(request, ValueError()) is None
