"""Sources of an account that was erased: no page, sheet or log tells whose they were, and nobody reads them again."""

from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from curation import operations
from curation.ingest.polling import leases
from curation.models import Cursor, IngestRun
from curation.sourcing import keeping
from regions.models import Change, Channel, Source, SourceExemption, User
from tests.cast import make_author
from tests.curation.test_desk import text_of

pytestmark = pytest.mark.django_db
X_ID = 333_669_300_831_041
HOME, LIST, CSV, LOG = "/", "/lists/de/sources/", "/lists/de/sources/sheet.csv", "/log/de/?show=lists"
TRACES = (str(X_ID), "wirtschaft_nord", "Das Blatt")


@pytest.fixture
def listed(api: Any, lena: User, de_politics: Channel) -> Source:
    """Listed, renamed, paused with its name in the reason, read again, as leads do."""
    make_author("wirtschaft_nord", x_id=X_ID, name="Das Blatt")
    body = {"market": "de", "kind": "account", "value": "@wirtschaft_nord", "scope": "market", "name": "Blatt"}
    told = api(lena).post("/api/v1/sources/", body, format="json").json()
    for change in (
        {"name": "Das Blatt", "auto_approve": True},
        {"paused": True, "reason": f"Das Blatt (@wirtschaft_nord, {X_ID}) schweigt"},
        {"paused": False},
    ):
        assert api(lena).patch(f"/api/v1/sources/{told['id']}/", change, format="json").status_code == 200
    Source.objects.filter(pk=told["id"]).update(x_id=str(X_ID))
    IngestRun.objects.create(source_id=told["id"], error=f"Could not find user with id [{X_ID}].")
    return Source.objects.get(pk=told["id"])


@pytest.fixture
def erased(listed: Source, lena: User) -> Source:
    operations.erase_author(X_ID, by=lena, now=timezone.now())
    return Source.objects.get(pk=listed.pk)


def test_no_page_tells_whose_it_was(browse: Any, lena: User, erased: Source) -> None:
    client = browse(lena)
    panel = f"{LIST}{erased.pk}/"
    for address in (HOME, LIST, panel, CSV, LOG, f"{LIST}?show=troubled", f"{LIST}?q=erased"):
        answer = client.get(address)
        said = answer.content.decode()
        assert (answer.status_code, address, [one for one in TRACES if one in said]) == (200, address, [])
    assert "Erased account" in text_of(client.get(LIST))
    assert "Erased account: listed" in text_of(client.get(LOG))
    assert "Erased account: paused · The author was erased." in text_of(client.get(LOG))


def test_it_is_no_trouble_and_goes_into_no_sheet(browse: Any, lena: User, erased: Source) -> None:
    client = browse(lena)
    assert "Sources in trouble" not in client.get(HOME).content.decode()
    assert "Erased account" not in text_of(client.get(f"{LIST}?show=troubled")).split("What was changed")[0]
    assert "erased" not in client.get(CSV).content.decode()
    Source.objects.create(kind="account", value="rathaus", market=erased.market, paused_at=timezone.now())
    assert "@rathaus" in text_of(client.get(HOME))


def test_nobody_changes_or_reads_it_again(api: Any, browse: Any, lena: User, chief: User, erased: Source) -> None:
    one = f"/api/v1/sources/{erased.pk}/"
    for body in ({"paused": False}, {"paused": True, "reason": "Blatt"}, {"value": "@rathaus"}, {"name": "Das Blatt"}):
        answer = api(lena).patch(one, body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (409, "account_erased")
    page = browse(lena).get(f"{LIST}{erased.pk}/").content.decode()
    assert ('value="resume"' in page, 'name="trust"' in page, 'value="remove"' in page) == (False, False, True)
    assert browse(lena).post(f"{LIST}{erased.pk}/act/", {"act": "resume"}).status_code == 409
    call_command("ingest", source=erased.pk, resume=True)
    admin = f"/admin/regions/source/{erased.pk}/change/"
    assert browse(chief).post(admin, {"paused_at_0": "", "name": "Das Blatt", "trust": 1}).status_code == 403
    after = Source.objects.get(pk=erased.pk)
    assert (after.paused_at, after.name, after.auto_approve, after.trust) == (erased.paused_at, "", False, 50)


def test_it_is_removed_for_good(browse: Any, lena: User, erased: Source) -> None:
    answer = browse(lena).post(f"{LIST}{erased.pk}/act/", {"act": "remove"}, follow=True)
    assert ("Removed: Erased account." in text_of(answer), "Put back" in text_of(answer)) == (True, False)
    browse(lena).post(f"{LIST}{erased.pk}/restore/")
    assert not Source.objects.exists()


def test_one_that_was_removed_before_is_erased_too(listed: Source, lena: User) -> None:
    keeping.remove(listed, by=lena, now=timezone.now())
    operations.erase_author(X_ID, by=lena, now=timezone.now())
    told = Source.ever.get()
    assert (told.value, told.x_id, told.name, told.paused_at is None) == (f"erased/{told.pk}", "", "", False)


def test_lines_of_a_source_that_reads_another_now_lose_the_account(api: Any, lena: User, listed: Source) -> None:
    one = f"/api/v1/sources/{listed.pk}/"
    assert api(lena).patch(one, {"value": "@rathaus", "name": "Rathaus"}, format="json").status_code == 200
    operations.erase_author(X_ID, by=lena, now=timezone.now())
    told = Source.objects.get()
    assert (told.value, told.name, told.paused_at) == ("rathaus", "Rathaus", None)
    lines = str(list(Change.objects.filter(noun="source").values_list("before", "after")))
    assert "rathaus" in lines
    assert [word for word in ("@wirtschaft_nord'", "'wirtschaft_nord'") if word in lines] == []


def test_why_a_market_leaves_it_out_names_nobody(listed: Source, lena: User) -> None:
    SourceExemption.objects.create(source=listed, market=listed.market, reason="@wirtschaft_nord ist nichts für uns")
    operations.erase_author(X_ID, by=lena, now=timezone.now())
    assert SourceExemption.objects.get().reason == "[erased] ist nichts für uns"


def test_who_reads_it_just_now_loses_the_lease(listed: Source, lena: User) -> None:
    """Else the reading would store the account's number, or X's reason with the name, once it ends."""
    now = timezone.now()
    Cursor.objects.create(source=listed, due_at=now)
    lease = leases.take(listed.pk, now)
    assert lease is not None
    operations.erase_author(X_ID, by=lena, now=now)
    with pytest.raises(leases.LeaseLost):
        leases.held(listed.pk, lease)
