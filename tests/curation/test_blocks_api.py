"""Blocks for programs: listed, tried, laid, changed, lifted, with the rights of the page."""

from __future__ import annotations

from typing import Any

import pytest

from curation.models import Candidate
from regions.models import Block, BlockList, Channel, User
from tests.cast import channel_of, make_block, make_candidate

pytestmark = pytest.mark.django_db
URL = "/api/v1/blocks/"
BODY = {"market": "de", "value": "Brücke", "scope": "market", "reason": "legal"}


def test_a_block_is_tried_laid_changed_and_lifted(api: Any, lena: User, de_politics: Channel) -> None:
    live = make_candidate(de_politics, "Die Brücke steht", state="approved", slot=2)
    client = api(lena)
    tried = client.post(f"{URL}try/", BODY, format="json")
    assert tried.status_code == 200
    told = tried.json()
    assert (told["hit"], told["withdrawn"], told["states"], told["complete"]) == (1, 1, {"approved": 1}, True)
    assert [(one["candidate"], one["slot"]) for one in told["live"]] == [(live.pk, 2)]
    assert not Block.objects.exists()
    laid = client.post(URL, BODY, format="json")
    assert (laid.status_code, laid.json()["kind"], laid.json()["by"]) == (201, "term", lena.shown_name)
    assert laid.json()["withdrawn"] == told["withdrawn"] == 1
    again = client.post(URL, BODY, format="json")
    assert (again.status_code, again.json()["withdrawn"]) == (200, 0), "it stands already"
    assert Candidate.objects.get().state == "blocked"
    changed = client.patch(f"{URL}{laid.json()['id']}/", {"reason": "hate", "ends": "2030-01-01T12:00"}, format="json")
    assert (changed.status_code, changed.json()["reason"]) == (200, "hate")
    assert Block.objects.get(lifted_at=None).ends_at.isoformat() == "2030-01-01T11:00:00+00:00"
    assert client.delete(f"{URL}{changed.json()['id']}/").status_code == 204
    assert client.delete(f"{URL}{changed.json()['id']}/").status_code == 404
    assert not Block.objects.filter(lifted_at=None).exists()


def test_the_list_by_kind_words_and_pages(api: Any, vera: User, de_politics: Channel) -> None:
    spam = BlockList.objects.create(name="spam", market=de_politics.market)
    for n in range(60):
        make_block(f"wort{n}", market=de_politics.market, block_list=spam if n % 2 else None)
    make_block("wochenquiz", "hashtag")
    make_block("anders", market=channel_of("nl", "politics").market)
    client, seen, cursor = api(vera), [], ""
    for _n in range(3):
        page = client.get(URL, {"market": "de", "cursor": cursor}).json()
        seen += [one["value"] for one in page["results"]]
        if not (cursor := page["next"]):
            break
    assert (len(seen), len(set(seen)), seen[-1]) == (61, 61, "wochenquiz")
    kinds = client.get(URL, {"market": "de", "kind": "hashtag"}).json()
    assert [one["value"] for one in kinds["results"]] == ["wochenquiz"]
    found = client.get(URL, {"market": "de", "q": "wort17"}).json()["results"]
    assert [(one["value"], one["block_list"]) for one in found] == [("wort17", "spam")]


def test_rights_are_those_of_the_page(
    api: Any, vera: User, anna: User, bram: User, eleni: User, guest: User, de_politics: Channel
) -> None:
    wide, near, all_ = (
        make_block("a1", market=de_politics.market),
        make_block("b1", channel=de_politics),
        make_block("c1"),
    )
    asked = {"format": "json"}
    assert [api(one).post(URL, BODY, **asked).status_code for one in (vera, anna, bram)] == [403, 403, 404]
    assert [api(one).post(f"{URL}try/", BODY, **asked).status_code for one in (vera, anna, bram)] == [403, 403, 404]
    for block, told in ((wide, [403, 403, 404, 404]), (all_, [403, 403, 403, 404])):
        people = (vera, anna, eleni, guest)
        assert [api(one).patch(f"{URL}{block.pk}/", {"reason": "spam"}, **asked).status_code for one in people] == told
        assert [api(one).delete(f"{URL}{block.pk}/").status_code for one in people] == told
    assert api(anna).patch(f"{URL}{near.pk}/", {"effect": "hold"}, **asked).status_code == 200
    assert api(anna).patch(f"{URL}{wide.pk}/", {"mood": "x"}, **asked).status_code in (403, 422)
    assert Block.objects.filter(lifted_at=None).count() == 3
    assert api(vera).get(URL, {"market": "nl"}).status_code == 404
    bad = api(anna).post(URL, BODY | {"scope": "politics", "value": "x"}, **asked)
    assert (bad.status_code, bad.json()["code"], bad.json()["field"]) == (422, "bad_block", "value")
