"""Log formats: one file each, from a decoded record to canonical rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from sdlc_cli.core.i18n import Message
from sdlc_cli.cost.model import Row

Record = Mapping[str, object]

# A parse takes one decoded record and gives its rows: none for a record that is no call (a
# session's header), several for a batch of spans. It raises `model.Rejected` for one that cannot
# be counted. It may keep state from record to record, and is made anew for each file.
Parse = Callable[[Record], Iterable[Row]]


class Matches(Protocol):
    """Whether a record is of this format. Sees the first records of a file, decoded."""

    def __call__(self, record: Record, /) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One log format. `layout` says what a file of it is made of."""

    name: str  # what --source-format takes, in kebab-case: "openai-chat"
    title: Message
    matches: Matches
    start: Callable[[], Parse]
    layout: Literal["records", "table"] = "records"  # JSON records; rows of a CSV or Parquet file
    stateful: bool = False  # a record's meaning depends on those before it in the file
    sums: bool = False  # a record tells of many calls, which other logs may hold one by one
    bill: Callable[[], Parse] | None = None  # rows of money alone, which only `reconcile` takes
