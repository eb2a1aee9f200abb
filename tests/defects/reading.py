"""Of ingest, of what X is asked, and of the budget."""

from tests.defects.kinds import Defect

CLOCKS = "tests/curation/ingest/test_wrong_clocks.py"
DISBELIEF = "tests/curation/ingest/test_disbelief.py"
ONCE = "tests/curation/ingest/test_exactly_once.py"

DEFECTS = [
    Defect(
        "the cursor moves before the rows are stored",
        "7",
        "curation/ingest/polling/poll.py",
        "            self._store(reading)\n",
        "            Cursor.objects.filter(pk=self.source.pk).update(newest_id=reading.newest_id)\n"
        "            self._store(reading)\n",
        (f"{ONCE}::test_a_crash_between_fetch_and_commit_leaves_nothing",),
    ),
    Defect(
        "a worker plans its readings by its own clock",
        "7",
        "curation/shared_clock.py",
        'asked.execute("SELECT clock_timestamp()")',
        'asked.execute("SELECT %s::timestamptz", [timezone.now()])',
        (f"{CLOCKS}::test_it_reads_what_is_due_and_plans_by_the_time_that_it_is",),
    ),
    Defect(
        "what a wrong clock planned for tomorrow is waited for",
        "7",
        "curation/tasks.py",
        "    disbelieve(now)\n",
        "",
        (f"{DISBELIEF}::test_a_source_that_is_due_tomorrow_is_read_now",),
    ),
    Defect(
        "who lost the lease stores all the same",
        "7",
        "curation/ingest/polling/leases.py",
        "Cursor.objects.select_for_update().filter(pk=source_id, due_at=lease).first()",
        "Cursor.objects.select_for_update().filter(pk=source_id).first()",
        (f"{ONCE}::test_who_lost_the_lease_stores_nothing",),
    ),
    Defect(
        "a source is leased to everybody who asks",
        "7",
        "curation/ingest/polling/leases.py",
        "    return lease if free.update(due_at=lease, leased=True) else None\n",
        "    free.update(due_at=lease, leased=True)\n    return lease\n",
        (
            f"{ONCE}::test_a_source_is_read_when_due_and_by_one",
            f"{ONCE}::test_an_offer_serves_once_and_comes_again_when_lost",
        ),
    ),
    Defect(
        "what an earlier pass left open is taken for read",
        "7",
        "curation/ingest/polling/reading.py",
        "            told.gap_floor_id, told.gap_until_id = floor, oldest\n",
        "            told.gap_floor_id = told.gap_until_id = None\n",
        ("tests/curation/ingest/test_reading.py",),
    ),
    Defect(
        "an edited post stays on the feed with its new text",
        "5",
        "curation/ingest/storing/store.py",
        "edited=stored.edited, back=stored.back",
        "edited=[], back=stored.back",
        ("tests/curation/ingest/test_poll.py::test_an_edit_replaces_the_text_and_reopens_what_was_approved",),
    ),
    Defect(
        "an erased author has no tombstone",
        "data",
        "curation/operations/erasing.py",
        "        bury(x_id)\n",
        "        pass\n",
        (
            "tests/curation/ingest/test_poll.py::test_an_erased_author_stays_erased",
            "tests/curation/test_erasing.py::test_an_id_never_seen_leaves_a_tombstone",
        ),
    ),
    Defect(
        "what is drawn is not booked before X is asked",
        "10",
        "curation/ledger/budget.py",
        'used=F("used") + posts, rechecks=F("rechecks") + rechecks',
        'used=F("used"), rechecks=F("rechecks") + rechecks',
        ("tests/curation/ledger/test_budget.py::test_what_is_drawn_counts_until_it_is_settled",),
    ),
    Defect(
        "two workers draw the same last posts of a budget",
        "10",
        "curation/ledger/budget.py",
        'list(month.order_by("day").select_for_update().values_list("pk", flat=True))',
        'list(month.order_by("day").values_list("pk", flat=True))',
        (
            "tests/curation/ledger/test_budget_workers.py"
            "::test_several_threads_that_all_draw_at_once_get_no_more_than_there_is",
        ),
    ),
    Defect(
        "the budget's day begins when it does in California",
        "10",
        "curation/ledger/budget.py",
        "    return now.astimezone(UTC).date()\n",
        "    return (now.astimezone(UTC) - timedelta(hours=8)).date()\n",
        (
            "tests/curation/ledger/test_budget.py::test_in_the_last_minute_both_days_are_drawn",
            "tests/curation/ledger/test_budget.py::test_a_call_over_midnight_counts_on_both_days",
        ),
    ),
    Defect(
        "the door to X goes wherever it is sent",
        "security",
        "curation/x/transport.py",
        "        if response.is_redirect:\n"
        '            raise requests.TooManyRedirects("X redirects to another address")\n'
        "        return response\n",
        "        if response.is_redirect:\n"
        '            return super().send(requests.Request("GET", response.headers["location"]).prepare(), **options)\n'
        "        return response\n",
        ("tests/curation/x/test_client.py::test_redirects_are_not_followed",),
    ),
    Defect(
        "X's storage is followed to any host",
        "security",
        "curation/x/compliance.py",
        '"allow_redirects": False',
        '"allow_redirects": True',
        ("tests/curation/ingest/test_compliance.py::test_no_redirect_is_followed_and_no_address_told",),
    ),
    Defect(
        "an answer of X that never ends is waited for",
        "7",
        "curation/x/transport.py",
        "                if time.monotonic() > end:\n"
        '                    raise requests.ReadTimeout("the answer is too slow")\n',
        "",
        ("tests/curation/x/test_client.py::test_an_answer_that_trickles_is_given_up_in_bounded_time",),
    ),
    Defect(
        "a page of the queue asks for each author by itself",
        "speed",
        "curation/models/candidates.py",
        'return self.select_related("tweet__author", "source").defer("tweet__raw")',
        'return self.select_related("tweet", "source").defer("tweet__raw")',
        ("tests/curation/test_queue_pages.py::test_a_page_is_one_statement",),
    ),
]
