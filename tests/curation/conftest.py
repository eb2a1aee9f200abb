"""What tests of the sealed log share."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.seal_file import SealFile
from regions.models import Market, Role
from tests.cast import make_user
from tests.curation.tampering import make_log


@pytest.fixture
def file(tmp_path: Path) -> SealFile:
    return SealFile(tmp_path / "seals.jsonl")


@pytest.fixture
def log(tmp_path: Path) -> SealFile:
    """Some sixty decisions of DE, and some of NL between them, in several seals each."""
    people = {"de": make_user("anna", {"de": Role.EDITOR}), "nl": make_user("bram", {"nl": Role.EDITOR})}
    return make_log(people, tmp_path / "seals.jsonl", seed=4, acts=26)


@pytest.fixture
def de(db: None) -> Market:
    return Market.objects.get(code="de")
