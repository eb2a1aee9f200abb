"""The page of blocks in a real browser: a dry run beside the list, by keyboard, search as one types."""

import re

from playwright.sync_api import BrowserContext, expect
from pytest_django.live_server_helper import LiveServer

from regions.models import Block, BlockList, Channel, User
from tests.cast import channel_of, make_block, make_candidate
from tests.curation import test_keys as keys
from tests.curation import test_log_browser as log

pytestmark = keys.pytestmark
context = keys.context
go = log.go


def test_a_block_is_tried_and_laid_by_keyboard(
    go: log.Go, live_server: LiveServer, context: BrowserContext, lena: User, de_politics: Channel
) -> None:
    make_candidate(de_politics, "Der Landtag hat den Nachtragshaushalt beschlossen.", state="approved", slot=3)
    make_candidate(channel_of("de", "sport"), "Was im Nachtragshaushalt steht.", state="approved")
    make_block("Böller", market=de_politics.market, effect="hold", created_by=lena)
    listed = BlockList.objects.create(name="Hetze")
    make_block("Wort", block_list=listed, reason="hate")
    page = go(lena, "/lists/de/blocks/")
    page.locator("#block-value").fill("Nachtragshaushalt")
    page.keyboard.press("Enter")
    expect(page.locator("#panel .finding b").nth(1)).to_have_text("2")
    expect(page.locator("#panel mark").first).to_have_text("Nachtragshaushalt")
    assert page.url.endswith("/lists/de/blocks/"), "swapped in beside the list"
    expect(page.locator("#trial")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#block-value").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#trial")).to_be_focused()
    assert not Block.objects.filter(value="Nachtragshaushalt").exists(), "Enter tries, and tries again"
    page.locator("#block-do").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_contain_text("Nachtragshaushalt")
    assert Block.objects.get(value="Nachtragshaushalt").market == de_politics.market
    page.locator("#blocks-q").press_sequentially("böl")
    expect(page.locator(".blocks tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=b%C3%B6l"))
    expect(page.locator("#blocks-q")).to_be_focused()
    page.locator(".blocks tbody th a").press("Enter")
    expect(page.locator("#panel")).to_be_focused()
    expect(page.locator("#block-h")).to_have_text("Böller")
    page.keyboard.press("Escape")
    expect(page.locator("#new-h")).to_be_visible()
    page.locator("#blocks-q").press_sequentially("böl")
    expect(page.locator(".blocks tbody tr")).to_have_count(1)
    page.locator(".blocks .check input").check()
    page.locator("#found .pages button").first.click()
    expect(page.locator("#panel #lift-h")).to_be_visible()
    page.locator("#panel footer .button--primary").click()
    expect(page.locator(".told")).to_be_visible()
    assert not Block.objects.filter(value="Böller", lifted_at=None).exists()
