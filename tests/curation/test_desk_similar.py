"""Similar posts: opened in the row, each with its own decision; the rest of the market's rules hold."""

import re
from typing import Any

import pytest
from django.http import HttpResponse

from curation import operations
from curation.models import Candidate, State
from regions.models import Channel, User
from tests.cast import make_author, make_candidate, make_tweet
from tests.curation.test_desk import DESK, HTMX, rows_of, text_of

Group = tuple[Candidate, list[Candidate]]


def alikes_of(response: HttpResponse) -> list[int]:
    """The similar ones of a page or fragment, from top to bottom."""
    return [int(pk) for pk in re.findall(r'<li id="alike-(\d+)"', response.content.decode())]


def door(candidate: Candidate, last: str = "similar/") -> str:
    return f"{DESK}candidates/{candidate.pk}/{last}"


@pytest.fixture
def group(de_politics: Channel) -> Group:
    """One that leads, and three that wait behind it, best first; the founder is one of those."""
    founder = make_candidate(de_politics, "Stau auf der Brücke, Fassung eins", rank=20, hidden=True)
    leading = make_candidate(de_politics, "Stau auf der Brücke, Fassung zwei", rank=60, group=founder)
    third = make_candidate(de_politics, "Stau auf der Brücke, Fassung drei", rank=40, group=founder, hidden=True)
    fourth = make_candidate(de_politics, "Stau auf der Brücke, Fassung vier", rank=30, group=founder, hidden=True)
    return leading, [third, fourth, founder]


def test_the_fragment_lists_those_behind_best_first(browse: Any, anna: User, group: Group) -> None:
    leading, behind = group
    response = browse(anna).get(door(leading), headers=HTMX)
    assert alikes_of(response) == [row.pk for row in behind]
    assert "Fassung drei" in text_of(response)
    assert response.content.decode().count('value="approve"') == 3
    assert "<html" not in response.content.decode()


def test_decided_ones_of_other_groups_and_channels_are_not_listed(
    browse: Any, anna: User, group: Group, de_politics: Channel
) -> None:
    leading, behind = group
    Candidate.objects.filter(pk=behind[0].pk).update(state=State.BLOCKED)
    other = make_candidate(de_politics, rank=10)
    make_candidate(de_politics, group=other, hidden=True)
    assert alikes_of(browse(anna).get(door(leading), headers=HTMX)) == [row.pk for row in behind[1:]]


def test_asked_of_one_behind_neither_it_nor_the_leader_is_listed(browse: Any, anna: User, group: Group) -> None:
    _leading, behind = group
    assert alikes_of(browse(anna).get(door(behind[0]), headers=HTMX)) == [row.pk for row in behind[1:]]


def test_without_scripts_it_is_a_page_with_the_one_that_leads(browse: Any, anna: User, group: Group) -> None:
    leading, behind = group
    response = browse(anna).get(door(leading))
    assert (rows_of(response), alikes_of(response)) == ([leading.pk], [row.pk for row in behind])


def test_a_similar_one_is_decided_in_its_place(browse: Any, anna: User, group: Group) -> None:
    third = group[1][0]
    sent = {"verb": "block", "version": 1}
    response = browse(anna).post(door(third, ""), sent, headers=HTMX | {"HX-Target": f"alike-{third.pk}"})
    assert (alikes_of(response), rows_of(response)) == ([third.pk], [])
    assert 'hx-swap-oob="true"' not in response.content.decode().split("</li>")[0]
    third.refresh_from_db()
    assert third.state == State.BLOCKED


def test_a_refused_one_says_why_in_its_place(browse: Any, anna: User, group: Group) -> None:
    third = group[1][0]
    sent = {"verb": "block", "version": 7}
    response = browse(anna).post(door(third, ""), sent, headers=HTMX | {"HX-Target": f"alike-{third.pk}"})
    assert (response.status_code, alikes_of(response)) == (409, [third.pk])
    assert 'role="alert"' in response.content.decode()


def test_news_of_a_similar_one_finds_it_in_the_list(browse: Any, anna: User, ben: User, group: Group) -> None:
    third = group[1][0]
    browse(ben).post(door(third, ""), {"verb": "block", "version": 1})
    response = browse(anna).get(DESK + "changes/", {"decision": 0, "candidate": 10**9}, headers=HTMX)
    assert third.pk in alikes_of(response)


def test_undone_it_stands_in_the_list_again(browse: Any, anna: User, group: Group) -> None:
    third = group[1][0]
    act = operations.block(third, by=anna, version=1).act
    response = browse(anna).post(f"/desk/de/acts/{act.pk}/undo/", headers=HTMX | {"HX-Target": "strip"})
    assert (alikes_of(response), rows_of(response)) == ([third.pk], [])


def test_when_the_one_that_leads_is_blocked_the_next_takes_its_place(
    browse: Any, anna: User, ben: User, group: Group
) -> None:
    leading, behind = group
    sent = {"verb": "block", "version": 1}
    response = browse(anna).post(door(leading, ""), sent, headers=HTMX | {"HX-Target": f"row-{leading.pk}"})
    assert rows_of(response) == [leading.pk, behind[0].pk]
    assert f'<li id="row-{behind[0].pk}" hx-swap-oob="true" data-returned data-next>' in response.content.decode()
    news = browse(ben).get(DESK + "changes/", {"decision": 0, "candidate": 10**9}, headers=HTMX)
    assert behind[0].pk in rows_of(news)


def test_an_approved_one_keeps_the_others_behind_it(browse: Any, anna: User, group: Group) -> None:
    leading, _behind = group
    sent = {"verb": "approve", "version": 1}
    response = browse(anna).post(door(leading, ""), sent, headers=HTMX | {"HX-Target": f"row-{leading.pk}"})
    assert rows_of(response) == [leading.pk]


def test_a_viewer_reads_and_decides_nothing(browse: Any, vera: User, group: Group) -> None:
    response = browse(vera).get(door(group[0]), headers=HTMX)
    assert len(alikes_of(response)) == 3
    assert 'name="verb"' not in response.content.decode()


def test_another_market_or_channel_does_not_exist(browse: Any, anna: User, bram: User, group: Group) -> None:
    assert browse(bram).get(door(group[0])).status_code == 404
    assert browse(anna).get(door(group[0]).replace("politics", "sport")).status_code == 404
    assert browse(anna).get(DESK + "candidates/999999/similar/").status_code == 404


def test_nothing_similar_is_said(browse: Any, anna: User, de_politics: Channel) -> None:
    alone = make_candidate(de_politics)
    assert text_of(browse(anna).get(door(alone), headers=HTMX)).strip() == "None waits here any more."


def test_more_than_fit_are_told_of(browse: Any, anna: User, group: Group, de_politics: Channel) -> None:
    leading, _behind = group
    for _ in range(30):
        make_candidate(de_politics, group=leading.group, hidden=True)
    response = browse(anna).get(door(leading), headers=HTMX)
    assert len(alikes_of(response)) == 30
    assert "The 30 best are shown." in text_of(response)


def test_foreign_words_stay_words_here_too(browse: Any, anna: User, group: Group, de_politics: Channel) -> None:
    tweet = make_tweet("<b>hi</b>", author=make_author("evil", name="<img src=x>"))
    make_candidate(de_politics, tweet=tweet, group=group[0].group, hidden=True)
    html = browse(anna).get(door(group[0]), headers=HTMX).content.decode()
    assert ("<img src=x" in html, "<b>hi" in html) == (False, False)
    assert "&lt;b&gt;hi&lt;/b&gt;" in html
