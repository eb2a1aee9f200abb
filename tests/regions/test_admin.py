"""The admin is the chiefs', and goes through operations: logged, and published anew."""

from typing import Any

import pytest
from django.contrib.admin.sites import site
from django.test import Client
from django.urls import reverse

from curation import operations as curation
from regions.models import Change, Channel, Market, Membership, Role, User
from tests.cast import make_candidate

pytestmark = pytest.mark.django_db


def form_of(client: Client, url: str) -> dict[str, Any]:
    """What the page's form holds."""
    form = client.get(url).context["adminform"].form
    return {name: value for name in form.fields if (value := form[name].value()) is not None}


def test_only_chiefs_come_in(browse: Any, chief: User, lena: User, anna: User) -> None:
    assert browse(chief).get("/admin/").status_code == 200
    assert browse(lena).get("/admin/").status_code == 403
    assert browse(anna).get("/admin/regions/channel/").status_code == 403
    assert browse().get("/admin/").status_code == 302


def test_a_changed_setting_is_logged_and_touches_the_channel(browse: Any, chief: User, de_politics: Channel) -> None:
    url = reverse("admin:regions_channel_change", args=[de_politics.pk])
    sent = form_of(browse(chief), url) | {"feed_length": 7, "active": "on"}
    answer = browse(chief).post(url, sent)
    assert answer.status_code == 302, answer.context["errors"]
    changed = Channel.objects.get(pk=de_politics.pk)
    assert (changed.feed_length, changed.revision) == (7, 1)
    line = Change.objects.get()
    assert (line.by, line.before["feed_length"], line.after["feed_length"]) == (chief, "10", "7")


@pytest.mark.parametrize(("reserve", "status"), [("5000", 302), ("5001", 200)])
def test_rechecks_are_left_no_more_than_a_day_has(
    browse: Any, chief: User, de_politics: Channel, reserve: str, status: int
) -> None:
    de = de_politics.market
    url = reverse("admin:regions_market_change", args=[de.pk])
    sent = form_of(browse(chief), url) | {"posts_a_day": "5000", "recheck_reserve": reserve, "active": "on"}
    answer = browse(chief).post(url, sent)
    told = [] if status == 302 else answer.context["adminform"].errors["recheck_reserve"]
    sentence = ["Of 5,000 posts a day no more than these can be kept for rechecks."]
    assert (answer.status_code, told) == (status, sentence if status == 200 else [])
    assert Market.objects.get(pk=de.pk).posts_a_day == (5000 if status == 302 else de.posts_a_day)


def test_a_role_is_given_by_the_operation_that_logs_it(browse: Any, chief: User, guest: User, de_politics: Any) -> None:
    url = reverse("admin:regions_user_change", args=[guest.pk])
    rows = {"membership_set-TOTAL_FORMS": 1, "membership_set-INITIAL_FORMS": 0}
    rows |= {"membership_set-0-market": de_politics.market_id, "membership_set-0-role": "editor"}
    rows |= {"membership_set-0-user": guest.pk}
    sent = form_of(browse(chief), url) | {"date_joined_0": "2026-11-22", "date_joined_1": "08:00:00"} | rows
    answer = browse(chief).post(url, {name: value for name, value in sent.items() if name != "last_login"})
    assert answer.status_code == 302, answer.context["errors"]
    assert Membership.objects.get(user=guest).role == Role.EDITOR
    assert Change.objects.get().verb == "give_role"


def test_decisions_and_blocks_cannot_be_changed_there(chief: User, rf: Any) -> None:
    request = rf.get("/")
    request.user = chief
    for model, registered in site._registry.items():
        if model._meta.model_name in {"decision", "act", "candidate", "tweet", "block", "snapshot"}:
            assert not registered.has_change_permission(request), model
            assert not registered.has_add_permission(request), model
            assert not registered.has_delete_permission(request), model


def test_its_own_log_in_is_no_way_around(browse: Any) -> None:
    answer = browse().get("/admin/login/")
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/")


def test_who_decided_is_not_removed_and_the_page_says_what_instead(
    browse: Any, chief: User, anna: User, de_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    curation.approve(candidate, by=anna, version=candidate.version)
    page = browse(chief).get(reverse("admin:regions_user_delete", args=[anna.pk])).content.decode()
    assert "manage.py forget_person anna</code>" in page
    assert "I’m sure" not in page
