"""Of what a feed shows, and when."""

from tests.defects.kinds import Defect

SELECTION = "tests/feeds/test_selection.py"
BARRED = "tests/feeds/test_barred.py"

DEFECTS = [
    Defect(
        "nothing is published on the commit",
        "1",
        "feeds/operations.py",
        "            transaction.on_commit(PublishAfterCommit(market_id), robust=True)\n",
        "            pass\n",
        ("tests/feeds/test_commits.py::test_an_approval_is_published_with_its_commit",),
    ),
    Defect(
        "a publication reads before it holds the feeds",
        "1",
        "feeds/operations.py",
        "for feed in Feed.objects.filter(market=market_id).locked()}",
        "for feed in Feed.objects.filter(market=market_id)}",
        ("tests/feeds/test_commits.py::test_a_block_committed_while_a_publication_waits_is_in_it",),
    ),
    Defect(
        "the selection does not look at the lists of blocks",
        "1",
        "feeds/edition.py",
        "return tweet.showable_in(self.market.country) and not self.matcher.blocks(tweet, channel_id, self.now)",
        "return tweet.showable_in(self.market.country)",
        (f"{BARRED}::test_a_block_holds_whatever_the_state_says",),
    ),
    Defect(
        "a hold brings back what was blocked since",
        "1",
        "feeds/edition.py",
        'if one.entry["channel"] in self.channels and not one.lost]',
        'if one.entry["channel"] in self.channels]',
        ("tests/feeds/test_holds.py::test_a_held_feed_shows_its_snapshot_without_what_may_not_be_shown",),
    ),
    Defect(
        "phones are not told what was taken off",
        "1",
        "feeds/operations.py",
        '    left = [{"id": entry["id"], "at": moment(now)} for entry in last.entries]\n',
        "    left: list[dict[str, str]] = []\n",
        ("tests/feeds/test_publishing.py::test_what_leaves_is_listed_as_removed_until_it_is_back_or_a_day_has_passed",),
    ),
    Defect(
        "what X withholds in a country is shown there",
        "5",
        "curation/models/tweets.py",
        "return not (self.purged_at or self.author is None or self.barred_in(country))",
        "return not (self.purged_at or self.author is None or self.gone_at)",
        (f"{BARRED}::test_gone_withheld_and_purged_tweets_are_not_shown",),
    ),
    Defect(
        "what nobody could verify stays for two days",
        "5",
        "feeds/verifying.py",
        "VERIFIED_WITHIN = timedelta(hours=24)",
        "VERIFIED_WITHIN = timedelta(hours=48)",
        ("tests/feeds/test_rechecks.py::test_what_nobody_verified_for_a_day_leaves_the_feeds",),
    ),
    Defect(
        "live posts are asked about every hour",
        "5",
        "feeds/verifying.py",
        "CHECKED_EVERY = timedelta(minutes=10)",
        "CHECKED_EVERY = timedelta(minutes=60)",
        (
            "tests/feeds/test_rechecks.py::test_what_is_live_is_due_after_ten_minutes_longest_first",
            "tests/feeds/test_rechecks.py::test_everything_live_is_asked_about_at_least_every_quarter_of_an_hour",
        ),
    ),
    Defect(
        "what has expired stays",
        "8",
        "feeds/selection.py",
        "        return begun and not (self.expire_at and self.expire_at <= now)\n",
        "        return begun\n",
        (f"{SELECTION}::test_outside_its_window_nothing_is_shown_not_even_a_pin",),
    ),
    Defect(
        "what is scheduled goes live at once",
        "8",
        "feeds/selection.py",
        "        begun = not (self.go_live_at and self.go_live_at > now)\n",
        "        begun = True\n",
        (f"{SELECTION}::test_outside_its_window_nothing_is_shown_not_even_a_pin",),
    ),
    Defect(
        "posts stay live for ever",
        "8",
        "feeds/selection.py",
        "    fresh = [row for row in rivals if row.slot_at(now) is not None or row.lasts_until(rules) > now]\n",
        "    fresh = list(rivals)\n",
        (f"{SELECTION}::test_whatever_is_shown_may_be_shown", f"{SELECTION}::test_a_pin_outlasts_the_age_limit"),
    ),
    Defect(
        "an approval is kept back while the publisher's clock is behind the desk's",
        "1",
        "feeds/selection.py",
        "        begun = not (self.go_live_at and self.go_live_at > now)\n",
        "        begun = self.live_at <= now\n",
        (f"{SELECTION}::test_clocks_that_differ_keep_no_approval_back",),
    ),
    Defect(
        "publishing ends the moment its clock is set back",
        "6",
        "feeds/operations.py",
        "        last = Snapshot.objects.newest_of(feeds.values())\n",
        "        last = Snapshot.objects.newest_of(feeds.values())\n"
        "        if any(one.at > now for one in last.values()):\n"
        "            return []\n",
        ("tests/feeds/test_publishing.py::test_a_clock_set_back_by_a_day_stops_no_publication",),
    ),
    Defect(
        "half a letter makes the feed no JSON",
        "11",
        "feeds/rendering.py",
        '    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")\n',
        "    return text\n",
        ("tests/feeds/test_publishing.py::test_half_a_letter_is_replaced_and_the_feed_still_read",),
    ),
]
