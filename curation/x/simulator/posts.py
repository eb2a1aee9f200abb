"""A post as the simulator keeps it, and the numbers that name posts (snowflakes)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

EPOCH = 1_288_834_974_657  # X's first millisecond
LONGEST = 280


def snowflake(milliseconds: int) -> int:
    """The smallest post id of that millisecond (Unix time)."""
    return max(milliseconds - EPOCH, 0) << 22


def milliseconds(post_id: int) -> int:
    return (post_id >> 22) + EPOCH


def iso(ms: float) -> str:
    """Unix milliseconds as X writes times: whole seconds, yet with three digits behind them."""
    return datetime.fromtimestamp(ms // 1000, UTC).isoformat()[:19] + ".000Z"


@dataclass(slots=True)
class Media:
    """A picture or a video; the scene says what is drawn."""

    key: str
    scene: str
    alt: str = ""
    type: str = "photo"
    width: int = 1200
    height: int = 675


@dataclass(slots=True)
class Post:
    """One version of one post. `text` is as its author typed it: links whole, nothing escaped.

    `first` is the id of the first version; `kind` is "", "retweeted", "quoted" or "replied_to"
    and `ref` the id of the post meant by it.
    """

    id: int
    author: int
    text: str
    lang: str
    category: str = ""
    first: int = 0
    kind: str = ""
    ref: int = 0
    media: list[Media] = field(default_factory=list)
    poll: list[str] = field(default_factory=list)
    sensitive: bool = False
    spam: bool = False
    deleted: bool = False
    withheld: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.first = self.first or self.id

    @property
    def created(self) -> int:
        """Unix milliseconds."""
        return milliseconds(self.id)

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Post:
        media = [Media(**entry) for entry in document.pop("media")]
        return cls(media=media, **document)
