"""Hostile posts stay in their box: nothing of a row leaves it, on a phone and on a desktop, whatever the text holds."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from curation.models import Act, Candidate, Offer, Verb
from regions.models import Channel, Market, User
from tests.cast import make_author, make_candidate, make_tweet
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, row

pytestmark = keys.pytestmark
context, enter = keys.context, keys.enter
ZALGO = "".join(letter + "\u0301\u0316\u035b\u0489" * 12 for letter in "Zalgo kommt")
HOSTILE = {
    "bidi overrides": "\u202e\u202b\u2067gro.elpmaxe\u202d links rechts \u2066 offen",
    "zalgo": ZALGO,
    "4,000 emoji": "😱👨‍👩‍👧‍👦🇩🇪🏳️‍🌈" * 1000,
    "10,000 characters without a space": "W" * 10_000,
    "markup": "<script>broken.push(1)</script><img src=x onerror=broken.push(1)>" * 5,
    "blank lines": "oben" + "\n" * 300 + "unten",
    "wide characters": "﷽𒐫꧅" * 200,
}
LONG_NAME = "\u202eشبكة" + "\u0301" * 40 + "N" * 150
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
# Each part of a row whose painted box leaves the row: by its own rectangle, cut by every ancestor that clips.
LEAVING = """(row) => {
  const box = row.getBoundingClientRect(), out = [];
  const clips = (one) => getComputedStyle(one).overflowX !== "visible";
  for (const part of row.querySelectorAll("*:not(.sr, .sr *)")) {
    let { left, right, top, bottom } = part.getBoundingClientRect();
    if (right - left < 1 || bottom - top < 1) continue;
    for (let up = part; up && up !== row; up = up.parentElement) if (up !== part && clips(up)) {
      const edge = up.getBoundingClientRect();
      left = Math.max(left, edge.left); right = Math.min(right, edge.right);
      top = Math.max(top, edge.top); bottom = Math.min(bottom, edge.bottom);
    }
    if (getComputedStyle(part).position === "fixed" || part.closest(".decide") && innerWidth < 800) continue;
    if (left < box.left - 1 || right > box.right + 1 || top < box.top - 1 || bottom > box.bottom + 1)
      out.push(`${part.tagName}.${part.className} ${[left, top, right, bottom].map(Math.round)} of ${[box.left, box.top, box.right, box.bottom].map(Math.round)}`);
  }
  return out;
}"""  # noqa: E501
# Lines of text that are painted outside of where their block clips.
INK = """(row) => [...row.querySelectorAll(".words, .inset .words, .gallery__alt, .poll__label, .thread__words")].flatMap((words) => {
  if (!words.getClientRects().length) return [];
  const range = document.createRange(), box = words.getBoundingClientRect(), free = getComputedStyle(words).overflowX === "visible";
  range.selectNodeContents(words);
  const lines = [...range.getClientRects()].filter((line) => line.right > box.right + 1 || line.left < box.left - 1);
  return free ? lines.map((line) => `${words.className} ${line.left} ${line.right}`) : [];
})"""  # noqa: E501


def hostile_wire(text: str, quoted: str) -> dict[str, Any]:
    """The same words wherever a post can carry some."""
    media = [{"type": "photo", "url": PIXEL, "alt": text[:2000]}, {"type": "video", "preview_url": PIXEL, "alt": ""}]
    poll = {"options": [{"label": text[:100], "votes": 1}, {"label": "nein", "votes": 0}], "ends_at": "", "status": ""}
    mentions = [{"start": 0, "end": 1, "username": "w" * 50}]
    refs = [{"type": "quoted", "id": quoted}, {"type": "replied_to", "id": quoted}]
    tags = [{"start": 0, "end": 1, "tag": "W" * 150}]
    urls = [{"start": 0, "end": 1, "url": "https://t.co/x", "expanded_url": f"https://{'w' * 60}.{'w' * 60}.example/"}]
    entities = {"mentions": mentions, "hashtags": tags, "urls": urls}
    return {"entities": entities, "media": media, "refs": refs, "poll": poll}


@pytest.fixture(params=HOSTILE)
def hostile(request: pytest.FixtureRequest, anna: User, bram: User, de_politics: Channel) -> Candidate:
    text = HOSTILE[request.param]
    author = make_author("w" * 50, name=LONG_NAME)
    quoted = make_tweet(text, author=author)
    tweet = make_tweet(text, author=author, wire=hostile_wire(text, str(quoted.current_id)))
    act = Act.objects.create(verb=Verb.OFFER, by=bram)
    candidate = make_candidate(de_politics, tweet=tweet, rank=90, context="W" * 200, label="W" * 40, brought_by=act)
    note = (text.replace("\n", " ") + "W" * 500)[:500]
    Offer.objects.create(candidate=candidate, origin_market=Market.objects.get(code="nl"), by=bram, note=note)
    make_candidate(de_politics, "Danach", rank=10)
    return candidate


def test_nothing_leaves_its_row(enter: Open, anna: User, hostile: Candidate) -> None:
    page = enter(anna)
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        expect(row(page, hostile).locator(".words").first).to_be_visible()
        expect(row(page, hostile).locator(".row__side .media")).to_be_hidden()  # the gallery shows it, larger
        if hostile.tweet.text in (HOSTILE["10,000 characters without a space"], HOSTILE["blank lines"]):
            box = row(page, hostile).locator(".words").first.bounding_box()
            assert box and box["height"] < 300
        assert (width, leaving(page, hostile)) == (width, [])
        for verb in ("block", "pin", "offer"):
            page.locator(f".is-current [data-panel={verb}]").click()
            expect(page.locator(f'.is-current .why[data-panel-of="{verb}"]')).to_be_visible()
            assert (width, verb, leaving(page, hostile)) == (width, verb, [])
            page.locator(".is-current [data-closes-panel]").click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def leaving(page: Page, candidate: Candidate) -> list[str]:
    """Boxes and lines of text outside of the row, and the row outside of its column."""
    article = row(page, candidate)
    found = article.evaluate(LEAVING) + article.evaluate(INK)
    column = page.locator("#main").bounding_box()
    box = article.bounding_box()
    assert column and box
    inside = column["x"] - 1 <= box["x"] and box["x"] + box["width"] <= column["x"] + column["width"] + 1
    return list(found) + ([] if inside else ["the row"])
