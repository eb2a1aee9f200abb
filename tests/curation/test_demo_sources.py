"""The demo's sources: the simulator's accounts and lists, in every market."""

import pytest
from django.core.management import call_command

from regions.models import Channel, Source

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


def test_names_are_in_the_markets_language() -> None:
    call_command("demo_sources")
    greek = Source.objects.filter(channel__market__code="gr", channel__category__slug="sport", kind="search").get()
    assert greek.name == "Αναζήτηση: Αθλητικά"
    assert len(greek.value) <= 512
