"""Of the log, of backups, and of what is not kept."""

from tests.defects.kinds import Defect

SEALING = "tests/curation/test_sealing.py"
BACKUP = "tests/feeds/test_backup.py"
REOPENING = "tests/feeds/test_reopening.py"

DEFECTS = [
    Defect(
        "the seal leaves out the verb",
        "9",
        "curation/seals.py",
        '    "verb": "d.verb",\n',
        '    "verb": "\'\'::text",\n',
        (f"{SEALING}::test_every_column_is_sealed", f"{SEALING}::test_no_column_is_left_out"),
    ),
    Defect(
        "verify_log does not see that the end was cut off",
        "9",
        "curation/operations/verifying.py",
        "        if further:\n",
        "        if further and self.parted:\n",
        (f"{SEALING}::test_a_log_cut_off_at_its_end_shows_by_the_file_alone",),
    ),
    Defect(
        "verify_log takes what was removed for gone with age",
        "9",
        "curation/operations/verifying.py",
        "        if row is None and isinstance(seal.at, int) and seal.at < self.kept_since:\n",
        "        if row is None and isinstance(seal.at, int):\n",
        (f"{SEALING}::test_removed_ones_are_named",),
    ),
    Defect(
        "publishing goes on while it is closed",
        "12",
        "feeds/operations.py",
        "        if closure.stands():\n            return []\n",
        "",
        (f"{REOPENING}::test_closed_nobody_writes_and_a_revoked_key_still_ends",),
    ),
    Defect(
        "numbers begin again where the backup's ended",
        "12",
        "feeds/reopening.py",
        "    number = max(feed.number, there.number) if there.number is not None else unseen(feed.number, now)\n",
        "    number = feed.number if there.number is not None else unseen(feed.number, now)\n",
        (f"{REOPENING}::test_what_was_blocked_since_stays_off_and_numbers_go_on",),
    ),
    Defect(
        "restored twice, a backup gives the same numbers twice",
        "12",
        "feeds/reopening.py",
        "    return max(number + JUMP, int((now - YEAR_ONE).total_seconds()))\n",
        "    return number + JUMP\n",
        (f"{REOPENING}::test_a_backup_restored_twice_gives_no_number_twice",),
    ),
    Defect(
        "a restored backup publishes at once",
        "12",
        "feeds/backups/aftermath.py",
        "        close_anew(now)\n        ended",
        "        ended",
        (f"{BACKUP}::test_a_database_that_postgresql_brought_back_itself_is_made_safe",),
    ),
    Defect(
        "who was erased comes back with a backup",
        "12",
        "feeds/backups/aftermath.py",
        "    replayed = curation.replay_erasures(file, now=now)\n",
        "    replayed = curation.Replay()\n",
        (f"{BACKUP}::test_who_was_erased_and_what_was_blocked_since_does_not_come_back",),
    ),
    Defect(
        "an approval of a clock that runs ahead outlives a restored backup",
        "12",
        "feeds/backups/aftermath.py",
        "    at = max(now, latest + timedelta(milliseconds=1)) if latest else now\n",
        "    at = now\n",
        (f"{BACKUP}::test_what_was_approved_while_closed_waits_too",),
    ),
    Defect(
        "the text of a live post is purged",
        "data",
        "curation/operations/purging.py",
        "    spared = _decided_lately(there, now).union(spare())\n",
        "    spared = _decided_lately(there, now)\n",
        ("tests/curation/test_purging.py::test_what_a_feed_still_shows_stays",),
    ),
]
