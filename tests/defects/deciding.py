"""Of people, rights and decisions."""

from tests.defects.kinds import Defect

DEFECTS = [
    Defect(
        "the version is not compared in the UPDATE",
        "3",
        "curation/operations/record.py",
        "Candidate.objects.filter(pk=candidate.pk, version=seen).update(",
        "Candidate.objects.filter(pk=candidate.pk).update(",
        ("tests/curation/test_deciding.py::test_what_changed_without_the_lock_is_noticed",),
    ),
    Defect(
        "whoever comes second decides on top of the first",
        "3",
        "curation/operations/deciding.py",
        "    if candidate.version != version:\n",
        "    if candidate.version < version:\n",
        (
            "tests/curation/test_deciding.py::test_a_stale_version_is_refused_and_told_by_whom",
            "tests/curation/test_races.py::test_one_of_several_wins",
        ),
    ),
    Defect(
        "an idempotency key is written down and never looked up",
        "2",
        "curation/operations/keys.py",
        "        if cursor.fetchone():\n            return None\n",
        "        return None\n",
        (
            "tests/curation/test_idempotency.py::test_each_verb_twice_is_done_once",
            "tests/curation/test_deciding.py::test_the_same_key_decides_once",
        ),
    ),
    Defect(
        "commits are told before they are on the disk",
        "2",
        "curation/config/settings.py",
        '"-c lock_timeout=5s -c statement_timeout=30s',
        '"-c synchronous_commit=off -c lock_timeout=5s -c statement_timeout=30s',
        ("tests/curation/test_commits.py",),
    ),
    Defect(
        "a decision does not wait for its own commit to reach the disk",
        "2",
        "curation/operations/record.py",
        "        with transaction.atomic():\n            yield\n",
        "        with transaction.atomic():\n"
        '            connection.cursor().execute("SET LOCAL synchronous_commit = off")\n'
        "            yield\n",
        ("tests/curation/test_commits.py",),
    ),
    Defect(
        "Celery takes a task off the queue before it is done",
        "2",
        "curation/config/settings.py",
        "CELERY_TASK_ACKS_LATE = True",
        "CELERY_TASK_ACKS_LATE = False",
        ("tests/config/test_broker.py::test_a_job_leaves_the_queue_when_it_is_done",),
    ),
    Defect(
        "a role in one market counts in every other",
        "4",
        "regions/rights.py",
        "        held = user.role_in(market.pk)\n",
        '        held = user.role_in(market.pk) or next(iter(getattr(user, "_roles", {}).values()), None)\n',
        ("tests/curation/test_api.py::test_other_markets_do_not_exist",),
    ),
    Defect(
        "one candidate is fetched without asking for the right in its market",
        "4",
        "curation/access.py",
        "    require(user, right, candidate.channel.market)\n",
        "",
        ("tests/curation/test_api.py::test_other_markets_do_not_exist",),
    ),
    Defect(
        "the API's list of people has no filter by market",
        "4",
        "regions/people_api.py",
        "Membership.objects.in_market(market).with_people()",
        "Membership.objects.with_people()",
        ("tests/regions/test_people.py::test_the_api_lists_a_markets_own_people_alone",),
    ),
    Defect(
        "the log of an editor shows what colleagues decided",
        "4",
        "curation/history/onward.py",
        "rows.filter(Q(by=user) | Q(by=None))",
        "rows",
        ("tests/curation/test_log_onward.py", "tests/curation/test_log_my.py"),
    ),
    Defect(
        "editors may block for a whole market",
        "4",
        "regions/rights.py",
        '"block.edit_market": at_least(Role.LEAD)',
        '"block.edit_market": at_least(Role.EDITOR)',
        ("tests/curation/test_blocking.py::test_the_scope_asks_for_the_right",),
    ),
    Defect(
        "the event stream tells every market's news to everybody",
        "4",
        "curation/events/serving.py",
        "        for queue in self.readers[market]:\n",
        "        for queue in {one for queues in self.readers.values() for one in queues}:\n",
        ("tests/curation/test_events.py::test_news_of_a_market_go_to_its_readers_alone",),
    ),
    Defect(
        "any editor takes back what another did",
        "4",
        "curation/operations/undoing.py",
        '    if act.by_id != by.pk and not may(by, "act.undo_of_others", decision.market):\n',
        '    if act.by_id != by.pk and not may(by, "candidate.decide", decision.market):\n',
        ("tests/curation/test_undoing.py::test_others_cannot_but_a_lead_can",),
    ),
    Defect(
        "the same person gives both approvals",
        "8",
        "curation/operations/placing.py",
        "    if candidate.confirmed_by_id and record.by and candidate.confirmed_by_id == record.by.pk:\n"
        "        raise SecondPairNeeded\n",
        "",
        ("tests/curation/test_deciding.py::test_second_pair_of_eyes",),
    ),
    Defect(
        "a viewer's approval among several counts",
        "8",
        "curation/operations/deciding.py",
        '    if not may(by, "candidate.decide", candidate.channel.market):\n        raise Forbidden\n',
        "",
        ("tests/curation/test_transitions.py::test_each_cell_for_everybody_in_their_own_market_and_in_another",),
    ),
    Defect(
        "a pin takes the slot that another post holds, unasked",
        "3",
        "curation/operations/placing.py",
        "    if slot in taken and not wish.swap:\n",
        "    if slot in taken and wish.swap is None:\n",
        ("tests/curation/test_deciding.py::test_a_taken_slot_is_refused_unless_swapped",),
    ),
    Defect(
        "a post that a block forbids is approved all the same",
        "1",
        "curation/operations/deciding.py",
        "        blocking.refuse_blocked(candidate, wish.now)\n",
        "",
        (
            "tests/curation/test_deciding.py::test_a_block_stands_in_the_way_and_one_that_holds_does_not",
            "tests/curation/test_api.py::test_a_block_stands_in_the_way",
        ),
    ),
    Defect(
        "a Greek word that ends in sigma is not found by its capitals",
        "1",
        "curation/folding.py",
        '"ς": "σ", "ı": "i", "þ": "th", "ħ": "h"}\n'
        'DROPPED = {"Mn", "Me", "Cf"}  # marks that stand on letters; invisible format characters\n\n\n'
        "def fold_character(character: str) -> str:\n"
        '    """One character as it is compared; empty for marks and invisible characters."""\n'
        '    plain = unicodedata.normalize("NFKD", character.casefold()).casefold()\n',
        '"ı": "i", "þ": "th", "ħ": "h"}\n'
        'DROPPED = {"Mn", "Me", "Cf"}  # marks that stand on letters; invisible format characters\n\n\n'
        "def fold_character(character: str) -> str:\n"
        '    """One character as it is compared; empty for marks and invisible characters."""\n'
        '    plain = unicodedata.normalize("NFKD", character.lower()).lower()\n',
        ("tests/curation/test_folding.py", "tests/curation/test_matching.py::test_terms"),
    ),
    Defect(
        "a text of X stands in the page as markup",
        "11",
        "curation/wording.py",
        '[*parts, format_html("{}", text[done:])])',
        "[*parts, SafeString(text[done:])])",
        ("tests/curation/test_wording.py::test_markup_is_shown_not_run",),
    ),
    Defect(
        "one template says that a name is safe",
        "11",
        "templates/curation/_card.html",
        "<bdi>{{ card.via }}</bdi>",
        "<bdi>{{ card.via|safe }}</bdi>",
        ("tests/test_templates_are_safe.py::test_template_holds_nothing_banned",),
    ),
    Defect(
        "a cell of a sheet that begins with blanks is a formula",
        "security",
        "regions/sheets.py",
        'text.lstrip(" \\u00a0\\u200b\\u200e\\u200f\\ufeff\\u2066\\u2067\\u2068\\n")[:1]',
        "text[:1]",
        ("tests/regions/test_sheets.py::test_no_cell_is_a_formula",),
    ),
]
