"""Look-ups by id as far as the budget reaches: what is free and the first of the rest; the caller sees what is left."""

from datetime import UTC, datetime

import pytest

from curation.ledger import budget
from curation.ledger.metered import Metered
from curation.models import BudgetDay, Charge
from curation.x.client import Door
from curation.x.outcomes import BudgetSpent
from curation.x.simulator import Simulator
from regions.models import Market

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def meter(x: Simulator) -> Metered:
    Market.objects.filter(code="de").update(posts_a_day=6, posts_a_month=1000, recheck_reserve=0)
    return Metered(Door(x.base_url, x.token, clock=NOON.timestamp), Market.objects.get(code="de"))


def used() -> int:
    return BudgetDay.objects.get(market__code="de").used


def paid_by_another(ids: list[int], kind: str = "post") -> None:
    nl = Market.objects.get(code="nl")
    Charge.objects.bulk_create(Charge(day=NOON.date(), kind=kind, x_id=number, market=nl) for number in ids)


def test_of_posts_the_free_ones_and_the_first_are_asked_for(x: Simulator, meter: Metered) -> None:
    x.account("stadtblatt", name="Stadtblatt", category="politics", language="de")
    ids = [int(x.post("stadtblatt", f"Nummer {n}.")) for n in range(10)]
    paid_by_another(ids[8:])
    page = meter.tweets(ids)
    assert {int(one["id"]) for one in page.raw} == {*ids[:6], *ids[8:]}
    assert (page.left_out, meter.charged, used()) == (ids[6:8], 6, 6)
    with pytest.raises(BudgetSpent):
        meter.tweets(page.left_out)
    page = meter.tweets(ids[5:])
    assert ({int(one["id"]) for one in page.raw}, page.left_out) == ({ids[5], *ids[8:]}, ids[6:8])
    assert used() == 6


def test_of_accounts_as_many_as_their_price_allows(x: Simulator, meter: Metered) -> None:
    names = [f"konto{n}" for n in range(6)]
    ids = [int(x.account(name, name=name, category="politics", language="de").id) for name in names]
    paid_by_another(ids[:1], "user")
    budget.reserve(meter.market, 1, now=NOON)  # five are left: two accounts
    page = meter.users(ids=ids)
    assert [int(one["id"]) for one in page.raw] == ids[:3]
    assert (page.left_out, meter.charged, used()) == (ids[3:], 4, 5)
