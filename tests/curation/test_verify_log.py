"""manage.py verify_log: what it says, and what it ends with."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command

from curation.models import Seal
from curation.seal_file import SealFile
from regions.models import Market
from tests.curation.tampering import intruding, kinds, recompute, remove, remove_seals, run, sealed

pytestmark = pytest.mark.django_db


def test_the_command_says_what_is_right(log: SealFile, de: Market, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_log", "--seals", str(log.path), "--market", "DE")
    seals_of = Seal.objects.filter(market=de).count()
    assert capsys.readouterr().out == f"de: {len(sealed(de))} decisions and {seals_of} seals are right.\n"


def test_the_command_ends_with_1_and_says_what_is_not(
    log: SealFile, de: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    pk = sealed(de)[0]
    with intruding():
        run("UPDATE curation_decision SET reason = 'x' WHERE id = %s", pk)
        with pytest.raises(CommandError, match="1 findings") as refused:
            call_command("verify_log", "--seals", str(log.path))
    assert refused.value.returncode == 1
    told = capsys.readouterr().out
    assert f"changed: decision {pk}, or its act" in told
    assert "nl: " in told and "gr: 0 decisions and 0 seals are right." in told


def test_a_missing_file_is_told(log: SealFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("verify_log", "--seals", str(tmp_path / "elsewhere"))
    assert refused.value.returncode == 1
    assert "a chain recomputed or cut off would not show" in capsys.readouterr().out


def test_an_unknown_market_is_told(db: None) -> None:
    with pytest.raises(CommandError, match="no market xx"):
        call_command("verify_log", "--market", "xx")


def test_the_log_as_json_will_do_for_the_file(log: SealFile, de: Market, tmp_path: Path) -> None:
    """Copied to another machine by whatever ships logs: other lines are passed over."""
    lines = [json.dumps({"event": "log_sealed", "level": "info"} | one._asdict()) for one in log.lines()]
    shipped = SealFile(tmp_path / "server.log")
    shipped.path.write_text("\n".join(['{"event": "publisher_started"}', "Plain words", *lines[:-1], "[1]", lines[-1]]))
    assert kinds(de, shipped) == set()
    with intruding():
        assert kinds(de, shipped) == set()
        remove_seals(Random(1), de)
        assert kinds(de, shipped) == {"seals_missing"}
    with intruding():
        recompute(Random(1), de)
        assert "recomputed" in kinds(de, shipped)
    with intruding():
        remove(Random(1), de)
        assert "removed" in kinds(de, shipped)
