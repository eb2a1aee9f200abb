"""One's last acts: what was done, what of it can be taken back, and the dialog over the desk."""

from typing import Any

import pytest
from playwright.sync_api import expect

from curation import operations
from curation.models import Candidate, State
from curation.views.recent import MOST, done_by
from regions.models import Channel, User
from tests.cast import channel_of, make_candidate
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, row, state_of

context, enter, rows = keys.context, keys.enter, keys.rows


@pytest.mark.django_db
def test_each_act_tells_whether_it_can_go_back(anna: User, ben: User, de_politics: Channel) -> None:
    made = [make_candidate(de_politics) for _ in range(4)]
    blocked = operations.block(made[0], by=anna, version=1).act
    overtaken = operations.approve(made[1], by=anna, version=1).act
    operations.decide("reopen", made[1], by=ben, version=2)
    bulk = operations.decide_many("block", {one.pk: 1 for one in made[2:]}, by=anna).act
    taken = operations.approve(make_candidate(de_politics), by=anna, version=1).act
    assert taken is not None
    operations.undo(taken, by=anna)
    told = [(done.act, done.count, done.undoable, done.undone) for done in done_by(anna, de_politics.market)]
    expected = [(taken, 1, False, True), (bulk, 2, True, False), (overtaken, 1, False, False)]
    assert told == [*expected, (blocked, 1, True, False)]
    assert [done.act.by for done in done_by(ben, de_politics.market)] == [ben]


@pytest.mark.django_db
def test_of_another_market_nothing_stands_there(anna: User, chief: User, de_politics: Channel) -> None:
    for channel in (de_politics, channel_of("nl", "politics")):
        operations.block(make_candidate(channel), by=chief, version=1)
    assert [done.one.channel for done in done_by(chief, de_politics.market)] == [de_politics]
    for _ in range(MOST):
        operations.block(make_candidate(de_politics), by=chief, version=1)
    assert len(done_by(chief, de_politics.market)) == MOST


@pytest.mark.django_db
def test_it_is_a_page_without_scripts(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    act = operations.block(candidate, by=anna, version=1).act
    page = browse(anna).get("/desk/de/recent/")
    assert page.status_code == 200
    assert f"/desk/de/acts/{act.pk}/undo/" in page.content.decode()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_any_of_them_is_taken_back_by_keys(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    for key, said in (("b", "hat gesperrt"), ("a", "hat freigegeben")):
        at = rows[0] if key == "b" else rows[1]
        page.keyboard.press(key)
        expect(row(page, at)).to_contain_text(said)
        expect(page.locator(".is-sent")).to_have_count(0)
    page.keyboard.press("h")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("li")).to_have_count(2)
    dialog.get_by_role("button", name="Rückgängig: gesperrt").press("Enter")
    expect(dialog.locator("li").last).to_contain_text("zurückgenommen")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(row(page, rows[0]).locator(".verdict")).to_have_count(0)
    assert [state_of(candidate) for candidate in rows[:2]] == [State.PENDING, State.APPROVED]
