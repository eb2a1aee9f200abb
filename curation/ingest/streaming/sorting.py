"""Lines of the stream, sorted: what is stored for which source, and which market pays for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from curation.ingest.streaming.allotments import Allotments, Came
from curation.ingest.streaming.keeper import Batch
from curation.ingest.streaming.rules import Rulebook
from curation.x.lines import Farewell, read_line
from curation.x.wire import Unreadable
from regions.models import Market

log = structlog.get_logger(__name__)
MAY_BE_A_POST = b'"data"'


@dataclass
class Sorted:
    """`came`: what X charges. The market of a post's first rule pays, also when that rule has just gone; what is
    nobody's is borne by the market that has most left."""

    rulebook: Rulebook
    allotments: Allotments
    batch: Batch = field(default_factory=Batch)
    came: defaultdict[Market, Came] = field(default_factory=lambda: defaultdict(Came))

    def add(self, lines: Iterable[bytes]) -> Sorted:
        for line in lines:
            self._add(line)
        return self

    def _add(self, line: bytes) -> None:
        try:
            delivery = read_line(line)
        except Farewell as farewell:
            log.info("stream_farewell", words=farewell.words)
            return
        except Unreadable as wrong:
            self.batch.set_aside(wrong.reason, line)
            if MAY_BE_A_POST in line:
                self._owe(None, None)
            return
        matched = self.rulebook.matched(delivery)
        self._owe(matched[0].market if matched else None, delivery.post_id)
        if matched:
            self.batch.add(delivery, [one for one in matched if one.source.pk in self.rulebook.live])
        else:
            self.batch.set_aside("it matches no rule of ours", line)

    def _owe(self, market: Market | None, post_id: int | None) -> None:
        bearer = market or self.allotments.bearer() or Market.objects.active().first()
        if bearer is None:
            return
        if post_id is None:
            self.came[bearer].nameless += 1
        else:
            self.came[bearer].ids.add(post_id)
