"""The publisher seals the log, and is killed while it does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.db import connection

from curation import operations
from curation.models import Seal
from curation.seal_file import SealFile, line_of
from regions.models import Channel, Role
from tests.cast import channel_of, make_candidate, make_user
from tests.feeds.conftest import committed
from tests.feeds.test_publisher import soon


def publisher(folder: Path) -> subprocess.Popen[str]:
    told = connection.settings_dict
    user = f"{told['USER']}:{told['PASSWORD']}"
    address = f"postgres://{user}@{told['HOST'].replace('/', '%2F')}:{told['PORT']}/{told['NAME']}"
    kept = {"FEED_ROOT": str(folder / "feeds"), "LOG_SEALS": str(folder / "seals.jsonl"), "DATABASE_URL": address}
    command = [sys.executable, "manage.py", "publisher"]
    with (folder / "log").open("a") as log:
        return subprocess.Popen(command, env=os.environ | kept, stdout=log, stderr=log, text=True)


def seals(channel: Channel) -> list[Seal]:
    return list(Seal.objects.filter(market=channel.market).order_by("number"))


@committed
def test_it_seals_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    channel, file = channel_of("de", "politics"), SealFile(tmp_path / "seals.jsonl")
    anna = make_user("anna", {"de": Role.EDITOR})
    program = publisher(tmp_path)
    try:
        for count in (1, 2):
            operations.approve(make_candidate(channel), by=anna, version=1)
            soon(lambda count=count: len(list(file.lines())) == count, 40)
            program.kill()
            program.wait()
            program = publisher(tmp_path)
        assert list(file.lines()) == [line_of("de", seal) for seal in seals(channel)]
        assert operations.verify_log(channel.market, file, now=seals(channel)[-1].at).found == 0
        told = (tmp_path / "log").read_text()
        assert all(seal.head in told for seal in seals(channel))
    finally:
        program.kill()
        program.wait()
