"""One call once: of the rows that tell of one call, the one that counts."""

from collections.abc import Iterable
from typing import Protocol

from sdlc_cli.cost.engine.table import COLUMNS, TEXTS, quoted
from sdlc_cli.cost.model import TOKENS

# The rank of a row among those of its call, in one number, most telling bits first: rank (5 bits),
# known (1), tokens (55: no call has more), has a project (1), and then the place, where the first
# row is the best: part (14), file in it (17), line (32). That makes 125 bits, which fit in 128 and
# in the 38 digits that some engines have.
_TOTAL = " + ".join(f'"{name}"' for name in TOKENS)
_SCORE = (
    "((((greatest(least(rank, 15), -16) + 16)::HUGEINT * 2 + known::INT)"
    f" * {2**55} + least(({_TOTAL})::HUGEINT, {2**55 - 1})) * 2 + (project IS NOT NULL)::INT)"
    f" * {2**63} + ({2**63 - 1}::HUGEINT - (least(part, {2**14 - 1})::HUGEINT * {2**49}"
    f" + least(src, {2**17 - 1})::HUGEINT * {2**32} + least(line, {2**32 - 1})))"
)
_LENT = tuple(name for name in TEXTS if name != "path")  # a loser may know what the winner lacks


class Answer(Protocol):
    """What DuckDB gives for a statement, as far as it is asked here."""

    def fetchone(self) -> tuple[int, ...] | None: ...


class Connection(Protocol):
    """DuckDB, or a server that is spoken to as if it were."""

    def execute(self, query: str, /) -> Answer: ...


def settle(con: Connection, given: Iterable[str]) -> int:
    """Makes the view `counted` of the view `rows`; the number of rows that do not count.

    `given` names the columns that any row has a value in.
    """
    con.execute(
        "CREATE TEMP TABLE twice AS SELECT h FROM rows WHERE h IS NOT NULL "
        "GROUP BY h HAVING count(*) > 1"
    )
    (calls,) = con.execute("SELECT count(*) FROM twice").fetchone() or (0,)
    columns = ", ".join(quoted(name) for name in COLUMNS)
    if not calls:
        con.execute(f"CREATE TEMP VIEW counted AS SELECT {columns} FROM rows")
        return 0
    lent = [name for name in _LENT if name in set(given)]
    con.execute(
        f"CREATE TEMP TABLE rivals AS SELECT {columns}, {_SCORE} AS score "
        "FROM rows SEMI JOIN twice ON rows.h = twice.h"
    )
    (rivals,) = con.execute("SELECT count(*) FROM rivals").fetchone() or (0,)
    best = "".join(f', min({quoted(name)}) AS "lent_{name}"' for name in lent)
    chosen = ", ".join(
        f'coalesce({quoted(name)}, "lent_{name}") AS {quoted(name)}'
        if name in lent
        else quoted(name)
        for name in COLUMNS
    )
    con.execute(
        f"CREATE TEMP TABLE settled AS SELECT {chosen} FROM rivals JOIN "
        f"(SELECT h, max(score) AS score{best} FROM rivals GROUP BY h) AS best USING (h, score)"
    )
    con.execute("DROP TABLE rivals")
    (settled,) = con.execute("SELECT count(*) FROM settled").fetchone() or (0,)
    if settled != calls:  # two equal records in one line: there is nothing to choose
        con.execute(
            f"CREATE TEMP TABLE single AS SELECT {columns} FROM (SELECT {columns}, "
            "row_number() OVER (PARTITION BY h ORDER BY ts, pm) AS place FROM settled) AS s "
            "WHERE place = 1"
        )
        con.execute("DROP TABLE settled")
        con.execute("ALTER TABLE single RENAME TO settled")
    con.execute(
        f"CREATE TEMP VIEW counted AS SELECT {columns} FROM rows "
        f"ANTI JOIN twice ON rows.h = twice.h UNION ALL SELECT {columns} FROM settled"
    )
    return int(rivals) - int(calls)
