"""The demo's sources: the simulator's accounts and lists, in every market."""

import pytest
from django.core.management import call_command
from django.utils import timezone

from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.models import Candidate
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Change, Channel, Source

MARKETS = ("de", "nl", "gr", "ro", "hr")
pytestmark = pytest.mark.django_db


def test_every_channel_has_its_sources_and_a_second_run_adds_none() -> None:
    call_command("demo_sources")
    made = Source.objects.count()
    for channel in Channel.objects.active():
        kinds = set(Source.objects.filter(channel=channel).values_list("kind", flat=True))
        assert {"list", "account"} <= kinds, channel
    assert Source.objects.filter(kind="search").count() == 10
    assert Source.objects.filter(market=None, channel=None).count() == 1
    call_command("demo_sources")
    assert Source.objects.count() == made
    gone, other = Source.objects.filter(kind="list").order_by("pk")[:2]
    Source.objects.filter(pk=gone.pk).update(removed_at=timezone.now())
    Source.objects.filter(pk=other.pk).update(value="1500000000000000001")
    call_command("demo_sources")
    assert Source.objects.count() == made - 1, "what people took away or changed is not brought back"
    Source.ever.filter(pk=gone.pk).update(removed_at=None)
    logged = Change.objects.filter(noun="source", verb="add", by=None).values_list("noun_id", flat=True)
    assert set(logged) == set(Source.objects.values_list("pk", flat=True))


def test_every_market_has_two_stream_rules_and_the_simulator_has_posts_for_each() -> None:
    call_command("demo_sources")
    rules = list(Source.objects.filter(kind="stream").select_related("channel__market"))
    assert sorted(rule.channel.market.code for rule in rules if rule.channel) == sorted([*MARKETS] * 2)
    assert max(len(rule.value) for rule in rules) <= 512
    with Simulator(rate=0, catalogue=120) as x:
        ask = Door(x.base_url, x.token)
        assert len(ask.add_stream_rules([(rule.value, str(rule.pk)) for rule in rules]).raw) == len(rules)
        assert [rule.value for rule in rules if not ask.search(rule.value).raw] == []


def test_names_are_in_the_markets_language() -> None:
    call_command("demo_sources")
    greek = Source.objects.filter(channel__market__code="gr", channel__category__slug="sport", kind="search").get()
    assert greek.name == "Αναζήτηση: Αθλητικά"
    assert len(greek.value) <= 512


def test_every_one_of_them_can_be_read_and_every_channel_gets_candidates() -> None:
    call_command("demo_sources")
    leases.add_missing_cursors()
    now = timezone.now()
    with Simulator(rate=0) as x:
        ask = Door(x.base_url, x.token)
        runs = [poll(source.pk, now=now, ask=ask) for source in Source.objects.all()]
    assert {(run.outcome, run.error, run.quarantined) for run in runs if run} == {("read", "", 0)}
    assert len(runs) == Source.objects.count()
    for channel in Channel.objects.active():
        assert Candidate.objects.pending().in_channel(channel).exists(), channel
