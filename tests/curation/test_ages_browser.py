"""How long ago a post was made goes on being true on a page that stands open."""

from datetime import datetime, timedelta

from django.utils import timezone, translation
from playwright.sync_api import BrowserContext, expect

from curation.models import Candidate
from curation.templatetags.posts import age
from regions.models import User
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, row

pytestmark = keys.pytestmark
context, enter, rows = keys.context, keys.enter, keys.rows
PASSED = (timedelta(seconds=90), timedelta(hours=3, minutes=30), timedelta(days=2, hours=12))
POSTED = "(row, at) => row.querySelector('time[data-age]').setAttribute('datetime', at)"


def said(at: datetime, language: str) -> str:
    with translation.override(language):
        return age(at)


def test_ages_go_on_by_the_servers_clock_in_its_words(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    anna.language = "el"
    anna.save()
    context.clock.install(time=timezone.now() + timedelta(hours=2))
    page = enter(anna)
    side = row(page, rows[0]).locator(".row__side")
    width = (side.bounding_box() or {})["width"]
    for candidate, passed in zip(rows, PASSED, strict=True):
        expect(row(page, candidate).locator("time[data-age]")).to_have_text(said(candidate.posted_at, "el"))
        row(page, candidate).evaluate(POSTED, (timezone.now() - passed).isoformat())
    page.clock.fast_forward(15_000)
    for candidate, passed in zip(rows, PASSED, strict=True):
        told = row(page, candidate).locator("time[data-age]")
        expect(told).to_have_text(said(timezone.now() - passed, "el"))
        assert (row(page, candidate).locator(".row__side").bounding_box() or {})["width"] == width
