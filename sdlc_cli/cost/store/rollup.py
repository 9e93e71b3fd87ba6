"""Sums of the calls in a ledger by day, model and owner, from which any price can be worked out.

A call's price depends on its day, on the hour where prices change with it, and on the size of its
input where large inputs are dearer. The sums are kept apart at every such limit that any price
has, so the same sums serve all prices, also those of tomorrow's cost.yaml.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sdlc_cli.cost.model import COUNTS, INPUTS

TABLE = "sdlc_rollup"
DAY = 86_400_000_000  # microseconds
TIMELESS = -1  # the day of calls without a time
PAID, CACHED, UNKNOWN, FAILED = range(4)  # what a call's cost comes from: `kind`
KEYS = (
    *("scope", "day", "utc", "provider", "model", "tier", "project", "team", "kind"),
    *("minutes", "size"),
)
SUMS = ("calls", *COUNTS, "max_output", "limited", "records")
_TEXTS = ("scope", "provider", "model", "tier", "project", "team")
_TOKENS_IN = " + ".join(f'"{name}"' for name in INPUTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """Where sums are parted: minutes of the UTC day and sizes of an input at which a price changes.

    Both are sorted. `local` is SQL of the time in the zone whose days are counted.
    """

    minutes: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    local: str = "ts"

    @property
    def text(self) -> str:
        """The same cuts have the same text."""
        return f"minutes {self.minutes}, sizes {self.sizes}, days {self.local}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Calls that are summed once more by themselves: those of a user, or with a tag's value."""

    user: str = ""
    tag: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """What stands in the column `scope`; "" for all calls."""
        tag = f"tag:{self.tag[0]}={self.tag[1]}" if self.tag else ""
        return "\n".join(part for part in (f"user:{self.user}" if self.user else "", tag) if part)

    def where(self) -> tuple[str, list[str]]:
        """The condition on a row, and its parameters."""
        wanted: list[str] = []
        values: list[str] = []
        if self.user:
            wanted.append('"user" = ?')
            values.append(self.user)
        if self.tag:
            name = self.tag[0].replace("\\", "\\\\").replace('"', '\\"')
            wanted.append("json_extract(tags, ?) = ?")
            values += [f'$."{name}"', self.tag[1]]
        return " AND ".join(wanted) or "true", values


def ddl() -> str:
    """Makes the table."""
    columns = [f"{name} {'TEXT' if name in _TEXTS else 'INTEGER'} NOT NULL" for name in KEYS]
    columns += [f'"{name}" INTEGER NOT NULL DEFAULT 0' for name in SUMS]
    return (
        f"CREATE TABLE {TABLE} ({', '.join(columns)}, PRIMARY KEY ({', '.join(KEYS)}))"
        " WITHOUT ROWID"
    )


def summed(source: str, cuts: Cuts, sign: int, condition: str, counts: Sequence[str]) -> str:
    """SQL of the sums of `source`, as rows of the table; below nothing with `sign` -1.

    `source` has the columns of the ledger, `owner_project` and `owner_team`; no row of it has any
    count but `counts`. The first parameter is the name of the scope, then come those of `source`
    and of the condition.
    """
    sums = dict.fromkeys(SUMS, "0")
    sums |= {name: f'{sign} * sum("{name}")' for name in ("calls", *counts)}
    sums["max_output"] = f"{sign} * coalesce(sum(max_output), 0)"
    sums["limited"] = f"{sign} * count(max_output)"
    sums["records"] = f"{sign} * count(*)"
    return (
        f"SELECT ?, coalesce(({cuts.local}) / {DAY}, {TIMELESS}), coalesce(ts / {DAY}, {TIMELESS}),"
        f" provider, model, tier, owner_project, owner_team, {_kind(counts)}, "
        f"{_minutes(cuts.minutes)}, {_size(cuts.sizes)}, "
        f"{', '.join(sums.values())} FROM {source} WHERE {condition} "
        f"GROUP BY {', '.join(str(place + 1) for place in range(1, len(KEYS)))}"
    )


def added(source: str) -> str:
    """SQL that adds sums, as `summed` gives them, to the table."""
    columns = ", ".join(f'"{name}"' for name in (*KEYS, *SUMS))
    grown = ", ".join(f'"{name}" = "{name}" + excluded."{name}"' for name in SUMS)
    return (
        f"INSERT INTO {TABLE} ({columns}) SELECT {columns} FROM {source} WHERE true "
        f"ON CONFLICT DO UPDATE SET {grown}"
    )


def _kind(counts: Sequence[str]) -> str:
    used = " + ".join(f'"{name}"' for name in counts) or "0"
    return (
        f"CASE WHEN status = 2 THEN {CACHED} WHEN NOT known THEN {UNKNOWN} "
        f"WHEN status = 1 AND {used} = 0 THEN {FAILED} ELSE {PAID} END"
    )


def _minutes(cuts: Sequence[int]) -> str:
    minute = "coalesce(ts / 60000000 % 1440, 0)"
    return " + ".join(f"({minute} >= {cut})" for cut in cuts) or "0"


def _size(cuts: Sequence[int]) -> str:
    # Of several calls in one record nobody knows which were large.
    steps = " + ".join(f"({_TOKENS_IN} > {cut})" for cut in cuts)
    return f"CASE WHEN calls = 1 THEN {steps} ELSE 0 END" if steps else "0"
