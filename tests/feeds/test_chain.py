"""The whole chain on real input: recorded posts of X over a socket, through tweepy, to the feed a phone reads."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.models import Candidate
from curation.x.client import Door
from curation.x.simulator import Simulator
from feeds.models import Mode
from feeds.operations import open_consumer
from regions.models import Role, Source
from tests.cast import channel_of, make_user

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_a_recorded_post_stands_in_the_feed_with_its_exact_text(recorded: Path, api: Any, settings: Any) -> None:
    recording = json.loads((recorded / "client_get_users_tweets.json").read_text())[0]
    told = recording["body"]["data"][0]
    anna, channel = make_user("anna", {"de": Role.EDITOR}), channel_of("de", "politics")
    consumer = open_consumer("Test", Mode.FULL, by=None)
    source = Source.objects.create(kind="account", value="Twitter", channel=channel)
    with Simulator(replay=recorded, rate=0) as x:
        leases.add_missing_cursors()
        run = poll(source.pk, now=timezone.now(), ask=Door(x.base_url, x.token))
    assert run is not None and run.candidates == len(recording["body"]["data"])

    candidate = Candidate.objects.get(tweet__current_id=told["id"])
    url = f"/api/v1/candidates/{candidate.pk}/decisions/"
    assert api(anna).post(url, {"verb": "approve", "version": 1}, format="json").status_code == 201

    for address in ("/api/v1/feeds/de/politics/", "/api/v1/feeds/de/"):
        (entry,) = Client().get(f"{address}?key={consumer.key}").json()["entries"]
        assert (entry["id"], entry["text"]) == (told["id"], told["text"])
        assert entry["author"]["username"] == "Twitter"
        (for_strangers,) = Client().get(address).json()["entries"]
        assert "text" not in for_strangers and for_strangers["id"] == told["id"]
    body = gzip.decompress((Path(settings.FEED_ROOT) / "full/de/politics/index.json.gz").read_bytes())
    assert json.loads(body)["entries"][0]["text"] == told["text"]

    act = candidate.decision_set.get().act_id
    assert api(anna).post(f"/api/v1/acts/{act}/undo/").status_code == 201
    after = Client().get("/api/v1/feeds/de/politics/").json()
    assert (after["entries"], [gone["id"] for gone in after["removed"]]) == ([], [told["id"]])
