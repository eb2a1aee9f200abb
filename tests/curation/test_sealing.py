"""The decision log is sealed: whatever is tampered with shows, also from an intruder whom no trigger holds."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
import structlog
from django.db import InternalError, connection, transaction
from django.utils import timezone

from curation import operations, seals
from curation.models import Decision, Seal
from curation.operations import sealing
from curation.seal_file import Line, SealFile, line_of
from feeds.operations import publish
from regions.models import Channel, Market, User
from tests.cast import make_candidate
from tests.curation.tampering import (
    ACT,
    DECISION,
    NOON,
    SEAL,
    TAMPERINGS,
    again,
    cut_off,
    insert,
    intruding,
    kinds,
    make_seals,
    remove_decisions,
    run,
    sealed,
    tamper_and_look,
)

pytestmark = pytest.mark.django_db
DOCUMENT = Path(__file__).parents[2] / "docs/decisions.md"


# --- sealing ----------------------------------------------------------------------------------------------------
def test_the_canonical_form_is_what_the_document_says(anna: User, de_politics: Channel) -> None:
    """Spelled out, since seals of years ago must still be recomputed."""
    candidate = make_candidate(de_politics)
    pending_since = candidate.pending_since.isoformat()
    at = datetime(2026, 11, 3, 12, 0, 1, 250_001, tzinfo=UTC)
    decision = operations.block(candidate, by=anna, version=1, reason="spam", now=at).decision
    (new,) = operations.seal(now=NOON)
    standing = {
        "state": "pending", "slot": None, "pinned_until": None, "go_live_at": None, "expire_at": None, "context": "",
        "label": "", "confirmed_by_id": None, "approved_at": None, "pending_since": pending_since, "held": False,
        "with_similar": False, "blocked_by_lists": False,
    }  # fmt: skip
    told = {
        "id": decision.pk, "act": decision.act_id, "candidate": candidate.pk, "channel": de_politics.pk,
        "market": de_politics.market_id, "verb": "block", "by": anna.pk, "at": 1_793_707_201_250_001,
        "reason": "spam", "version": 2, "current_id": candidate.tweet.current_id,
        "text_hash": candidate.tweet.text_hash, "before": standing, "after": standing | {"state": "blocked"},
        "act_by": anna.pk, "act_verb": "block", "act_at": 1_793_707_201_250_001, "act_undoes": None,
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).digest()
    digests = decision.pk.to_bytes(8, "big") + digest
    own = {
        "market": de_politics.market_id, "number": 1, "first_id": decision.pk, "last_id": decision.pk, "form": 1,
        "at": 1_793_707_200_000_000, "previous": "",
    }  # fmt: skip
    head = json.dumps(own, sort_keys=True, separators=(",", ":")).encode() + b"\n" + digests
    assert (bytes(new.digests), new.head) == (digests, hashlib.sha256(head).hexdigest())


def test_each_market_has_its_own_chain(log: SealFile, de: Market) -> None:
    for market in (de, Market.objects.get(code="nl")):
        links = list(Seal.objects.filter(market=market).order_by("number"))
        assert [link.number for link in links] == list(range(1, len(links) + 1))
        assert [pk for link in links for pk, _digest in seals.unpacked(link.digests)] == sealed(market)
        assert [line_of(market.code, link) for link in links] == list(log.lines(market.code))
    assert not Seal.objects.exclude(market__code__in=["de", "nl"]).exists()


def test_nothing_new_makes_no_seal(log: SealFile) -> None:
    count = Seal.objects.count()
    assert (operations.seal(now=NOON), operations.write_out(log), Seal.objects.count()) == ([], 0, count)


def test_a_large_act_is_sealed_in_parts(
    anna: User, de_politics: Channel, file: SealFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "MOST", 3)
    rows = [make_candidate(de_politics) for _ in range(7)]
    operations.decide_many("approve", {row.pk: 1 for row in rows}, by=anna)
    sealer = operations.Sealer(file.path)
    assert [sealer.turn(now=NOON) for _ in range(4)] == [True, True, False, False]
    assert [line.number for line in file.lines()] == [1, 2, 3]
    audit = operations.verify_log(de_politics.market, file, now=NOON)
    assert (audit.decisions, audit.seals, audit.unsealed, audit.damages) == (7, 3, 0, [])


def test_every_seal_is_told_in_the_log(anna: User, de_politics: Channel) -> None:
    operations.approve(make_candidate(de_politics), by=anna, version=1)
    with structlog.testing.capture_logs() as told:
        (new,) = operations.seal(now=NOON)
    line = {"market": "de", "number": 1, "first": new.first_id, "last": new.last_id, "head": new.head}
    assert told == [{"event": "log_sealed", "log_level": "info"} | line]


# --- the file ---------------------------------------------------------------------------------------------------
def line(number: int, market: str = "de") -> Line:
    return Line(market, number, number * 10, number * 10 + 5, f"{number:064x}")


def test_the_file_goes_on_after_a_torn_line(file: SealFile) -> None:
    file.append([line(1), line(1, "nl")])
    with file.path.open("ab") as opened:
        opened.write(b'{"market": "de", "number": 2, "fir')
    assert SealFile(file.path).last() == {"de": line(1), "nl": line(1, "nl")}
    assert SealFile(file.path).append([line(2)]) == 1
    assert list(file.lines("de")) == [line(1), line(2)]
    assert len(file.path.read_bytes().splitlines()) == 4


def test_the_file_is_read_up_to_a_size(file: SealFile) -> None:
    file.append([line(1)])
    size = file.size()
    file.append([line(2)])
    assert [list(file.lines("de", size=most)) for most in (0, size, size + 3)] == [[], [line(1)], [line(1)]]
    assert list(file.lines("de")) == [line(1), line(2)]


def test_what_the_file_lacks_is_written_later(log: SealFile) -> None:
    """Killed between commit and file; or the file was moved away: then it begins anew, with all, and says so."""
    whole = log.path.read_bytes()
    log.path.write_bytes(b"".join(whole.splitlines(keepends=True)[:3]))
    with structlog.testing.capture_logs() as told:
        assert operations.Sealer(log.path).turn(now=NOON) is False
    assert (sorted(log.path.read_bytes().splitlines()), told) == (sorted(whole.splitlines()), [])
    log.path.unlink()
    with structlog.testing.capture_logs() as told:
        operations.write_out(log)
    assert sorted(log.path.read_bytes().splitlines()) == sorted(whole.splitlines())
    assert [one["event"] for one in told] == ["seal_file_begun"]


def test_a_disk_that_does_not_write_stops_no_seal(anna: User, de_politics: Channel, tmp_path: Path) -> None:
    (tmp_path / "full").write_text("")
    sealer = operations.Sealer(tmp_path / "full" / "seals.jsonl")
    operations.approve(make_candidate(de_politics), by=anna, version=1)
    with structlog.testing.capture_logs() as told:
        sealer.turn(now=NOON)
    assert [one["event"] for one in told] == ["log_sealed", "seals_not_written"]
    sealer.file = SealFile(tmp_path / "seals.jsonl")
    sealer.turn(now=NOON)
    assert [one.number for one in sealer.file.lines()] == [1]


def test_the_publisher_notices_that_table_and_file_part(log: SealFile, de: Market, anna_again: User) -> None:
    with intruding():
        cut_off(Random(1), de)
        operations.approve(make_candidate(Channel.objects.filter(market__code="nl")[0]), by=anna_again, version=1)
        with structlog.testing.capture_logs() as told:
            operations.Sealer(log.path).turn(now=NOON)
    assert [(one["event"], one["market"]) for one in told if one["log_level"] == "error"] == [("seals_disagree", "de")]


@pytest.fixture
def anna_again(log: SealFile) -> User:
    return User.objects.get(username="bram")


# --- tampering --------------------------------------------------------------------------------------------------
def test_an_untouched_log_is_right(log: SealFile, de: Market) -> None:
    audit = operations.verify_log(de, log, now=NOON)
    count = Seal.objects.filter(market=de).count()
    assert (audit.decisions, audit.seals, audit.found) == (len(sealed(de)), count, 0)
    assert (audit.gone, audit.unsealed, audit.unvouched) == (0, 0, 0)
    assert count > 4 and audit.decisions > 30


def test_every_column_is_sealed(log: SealFile, de: Market) -> None:
    pk = sealed(de)[5]
    act = Decision.objects.get(pk=pk).act_id
    rows = [("decision", pk, *told) for told in DECISION.items()] + [("act", act, *told) for told in ACT.items()]
    number = next(link.number for link in Seal.objects.filter(market=de).order_by("number") if link.last_id >= pk)
    for table, at, column, change in rows:
        with intruding():
            assert run(f"UPDATE curation_{table} SET {column} = {change} WHERE id = %s", at) == 1
            damages = operations.verify_log(de, log, now=NOON).damages
        kind = "removed" if column in ("id", "market_id") else "changed"
        assert (kind, number, pk) in [(one.kind, one.seal, one.decision) for one in damages], column


def test_no_column_is_left_out() -> None:
    """A new column of decisions or acts needs a new form, or a word here why not."""
    columns = {field.column for field in Decision._meta.concrete_fields}
    assert columns == set(DECISION)
    assert {field.column for field in Decision._meta.get_field("act").related_model._meta.concrete_fields} == {
        *ACT, "id"
    }  # fmt: skip
    assert len(seals.COLUMNS) == len(DECISION) + len(ACT)


def test_every_column_of_a_seal_is_sealed(log: SealFile, de: Market) -> None:
    assert {field.column for field in Seal._meta.concrete_fields} == {*SEAL, "id", "market_id", "number"}
    for column, change in SEAL.items():
        with intruding():
            run(f"UPDATE curation_seal SET {column} = {change} WHERE market_id = %s AND number = 3", de.pk)
            damages = operations.verify_log(de, log, now=NOON).damages
        assert ("seal_changed", 3) in [(damage.kind, damage.seal) for damage in damages], column


def test_removed_ones_are_named(log: SealFile, de: Market) -> None:
    ids = sealed(de)[3:6]
    with intruding():
        remove_decisions(ids)
        damages = operations.verify_log(de, log, now=NOON).damages
    assert [damage.decision for damage in damages if damage.kind == "removed"] == ids


def test_an_inserted_one_is_named(log: SealFile, de: Market) -> None:
    before = set(Decision.objects.filter(market=de).values_list("pk", flat=True))
    with intruding():
        insert(Random(3), de)
        (new,) = set(sealed(de)) - before
        damages = operations.verify_log(de, log, now=NOON).damages
    assert [damage.decision for damage in damages if damage.kind == "inserted"] == [new]


def test_a_seal_made_anew_alone_parts_from_the_next_one(log: SealFile, de: Market) -> None:
    second, third = Seal.objects.filter(market=de, number__in=(2, 3)).order_by("number")
    spans = [(link.last_id, link.at) for link in Seal.objects.filter(market=de, number__lte=3).order_by("number")]
    later = list(Seal.objects.filter(market=de, number__gt=3).order_by("number"))
    with intruding():
        run("UPDATE curation_decision SET by_id = NULL WHERE id = %s", third.first_id)
        run("DELETE FROM curation_seal WHERE market_id = %s", de.pk)
        make_seals(de, spans)
        assert Seal.objects.get(market=de, number=2).head == second.head
        assert kinds(de, None) == set()
        Seal.objects.bulk_create(later)
        told = operations.verify_log(de, None, now=NOON).damages
    assert [(damage.kind, damage.seal) for damage in told] == [("seal_changed", 4)]


def test_a_recomputed_chain_shows_by_the_file_alone(log: SealFile, de: Market) -> None:
    spans = list(Seal.objects.filter(market=de).order_by("number").values_list("last_id", "at"))
    pk = Seal.objects.get(market=de, number=4).first_id
    with intruding():
        run("UPDATE curation_decision SET by_id = NULL WHERE id = %s", pk)
        run("DELETE FROM curation_seal WHERE market_id = %s", de.pk)
        make_seals(de, spans)
        told = operations.verify_log(de, log, now=NOON).damages
        assert kinds(de, None) == set()
    assert [(damage.kind, damage.seal) for damage in told] == [("recomputed", 4)]


def test_a_log_cut_off_at_its_end_shows_by_the_file_alone(log: SealFile, de: Market) -> None:
    last = Seal.objects.filter(market=de).latest("number")
    with intruding():
        remove_decisions([pk for pk in sealed(de) if pk >= last.first_id])
        run("DELETE FROM curation_seal WHERE id = %s", last.pk)
        told = operations.verify_log(de, log, now=NOON).damages
        assert kinds(de, None) == set()
    assert [(damage.kind, damage.seal) for damage in told] == [("cut_off", last.number)]


def test_a_gap_between_seals_shows(log: SealFile, de: Market) -> None:
    with intruding():
        run("DELETE FROM curation_seal WHERE market_id = %s AND number IN (2, 3)", de.pk)
        (damage,) = operations.verify_log(de, log, now=NOON).damages
    assert (damage.kind, damage.seal, damage.words) == ("seals_missing", 2, "seals 2 to 3 are missing")


def test_a_decision_removed_before_it_was_sealed_leaves_a_gap_of_versions(
    anna: User, de_politics: Channel, file: SealFile
) -> None:
    row = make_candidate(de_politics)
    for verb, version in (("approve", 1), ("reopen", 2), ("approve", 3)):
        operations.decide(verb, row, by=anna, version=version)
    for version in (2, 3, 4):
        with intruding():
            run("DELETE FROM curation_decision WHERE candidate_id = %s AND version = %s", row.pk, version)
            assert kinds(de_politics.market, file) == {"versions"}
    with intruding():
        run("DELETE FROM curation_decision")
        (damage,) = operations.verify_log(de_politics.market, file, now=NOON).damages
    assert damage.words == f"candidate {row.pk} stands at version 4; it has no decisions"
    assert kinds(de_politics.market, file) == set()


def test_values_that_only_an_intruder_writes_stop_no_verification(log: SealFile, de: Market) -> None:
    ids = sealed(de)
    with intruding():
        run("UPDATE curation_decision SET at = 'infinity' WHERE id = %s", ids[0])
        run("""UPDATE curation_decision SET after = ('{"slot": 1' || repeat('0', 5000) || '}')::jsonb WHERE id = %s""",
            ids[1])  # fmt: skip
        run("UPDATE curation_seal SET at = '-infinity', form = 9 WHERE market_id = %s AND number = 2", de.pk)
        run("UPDATE curation_seal SET digests = 'torn' WHERE market_id = %s AND number = 3", de.pk)
        assert {"changed", "seal_changed", "inserted"} <= kinds(de, log)


def test_random_tamperings_are_found(log: SealFile, de: Market) -> None:
    for kind in TAMPERINGS:
        for seed in range(12):
            found, expected = tamper_and_look(kind, Random(f"{kind} {seed}"), de, log)
            assert found & expected, (kind, seed, found, expected)
    assert kinds(de, log) == set()


# --- age --------------------------------------------------------------------------------------------------------
def test_what_went_with_age_is_no_damage(log: SealFile, de: Market) -> None:
    """The triggers allow it; the chain still holds; what is younger may not be missing."""
    early = Seal.objects.filter(market=de).order_by("number")[2]
    later = NOON + timedelta(days=735)
    ids = [pk for pk in sealed(de) if pk <= early.last_id]
    with intruding():
        run("DELETE FROM curation_decision WHERE id = ANY(%s)", ids)
        audit = operations.verify_log(de, log, now=later)
        assert (audit.gone, audit.found, audit.seals) == (len(ids), 0, Seal.objects.filter(market=de).count())
        assert kinds(de, log, now=NOON + timedelta(days=725)) >= {"removed"}
        run("UPDATE curation_decision SET reason = 'legal' WHERE id = %s", sealed(de)[0])
        assert kinds(de, log, now=later) == {"changed"}


def test_the_document_tells_how_to_delete_by_age(anna: User, de_politics: Channel, file: SealFile) -> None:
    """With all triggers in force. What was decided lately of the same candidate stays, and is right."""
    rows, now = [make_candidate(de_politics) for _ in range(3)], timezone.now()
    for verb, days in (("approve", 760), ("reopen", 740), ("block", 10)):
        wish = {"reason": "spam"} if verb == "block" else {}
        operations.decide_many(
            verb, {row.pk: row.version for row in again(rows)}, by=anna, now=now - timedelta(days=days), **wish
        )
        operations.seal(now=now - timedelta(days=days))
    operations.write_out(file)
    run("SET CONSTRAINTS ALL IMMEDIATE")
    assert run(re.findall(r"```sql\n(.*?);\n```", DOCUMENT.read_text(), re.DOTALL)[0]) == 6
    audit = operations.verify_log(de_politics.market, file, now=now)
    assert (audit.decisions, audit.gone, audit.seals, audit.damages) == (3, 6, 3, [])
    with intruding():
        run("UPDATE curation_candidate SET version = 7 WHERE id = %s", rows[0].pk)
        assert kinds(de_politics.market, file, now=now) == {"versions"}


# --- the database refuses ---------------------------------------------------------------------------------------
TABLES = ("curation_act", "curation_decision", "curation_seal", "feeds_snapshot")
REFUSED = {"UPDATE {} SET at = at": "update", "DELETE FROM {}": "delete", "TRUNCATE {} CASCADE": "empty"}


def test_the_database_refuses(anna: User, de_politics: Channel) -> None:
    operations.approve(make_candidate(de_politics), by=anna, version=1)
    operations.seal(now=NOON)
    publish(de_politics.market_id)
    run("SET CONSTRAINTS ALL IMMEDIATE")
    counts = [rows_of(table) for table in TABLES]
    for table in TABLES:
        for sql, word in REFUSED.items():
            with pytest.raises(InternalError, match=f"Cannot {word}"), transaction.atomic():
                run(sql.format(table))
    assert [rows_of(table) for table in TABLES] == counts
    assert min(counts) > 0


def rows_of(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def test_rows_past_two_years_may_go_but_seals_never(de: Market) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO curation_act (verb, at) VALUES ('lapse', now() - interval '25 months')")
    assert run("DELETE FROM curation_act") == 1
    old = datetime(2020, 1, 1, tzinfo=UTC)
    Seal.objects.create(market=de, number=1, first_id=1, last_id=1, form=1, digests=b"", head="", at=old)
    with pytest.raises(InternalError, match="Cannot delete"), transaction.atomic():
        run("DELETE FROM curation_seal")
