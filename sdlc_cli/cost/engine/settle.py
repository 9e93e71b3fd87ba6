"""One call once: of the rows that tell of one call, the one that counts."""

from collections.abc import Container, Sequence
from typing import Protocol

from sdlc_cli.cost.engine.table import COLUMNS, PARTING, TEXTS, default, literal, quoted
from sdlc_cli.cost.merge import TIERS
from sdlc_cli.cost.model import COUNTS, TOKENS

# The rank of a row among those of its call, in one number, most telling bits first: rank (5 bits),
# known (1), tokens (48: no call has more), has a tier of its own (1), how many classes of tokens it
# tells apart (4), knows of hour-long cache entries (1), has a time (1), has a project (1), and then
# the place, where the first row is the best: part (14), file in it (17), line (32). That makes 125
# bits, which fit in 128 and in the 38 digits that some engines have. A span often tells the tokens
# alone, and an answer's body their classes and the tier: what a call costs must not depend on which
# of them was read first.
_TIERED = " OR ".join(f"pm LIKE {literal('%' + PARTING + tier)}" for tier in TIERS)
_PLACE = ("src", "line")  # of which nothing is asked once calls are told apart
# A loser may know what the winner lacks.
_LENT = ("ts", *(name for name in TEXTS if name != "path"), "max_output", "request_hash")


def _tiered(pms: Sequence[str] | None) -> str:
    """SQL that is true for a tier of its own. To look for few names is quicker than for endings."""
    if pms is None:
        return _TIERED
    found = [literal(pm) for pm in pms if pm.rpartition(PARTING)[2] in TIERS]
    return f"pm IN ({', '.join(found)})" if found else "false"


def _score(given: Container[str], pms: Sequence[str] | None) -> str:
    total = " + ".join(f'"{name}"' for name in TOKENS if name in given) or "0"
    classes = " + ".join(f'("{name}" > 0)::INT' for name in COUNTS if name in given) or "0"
    return (  # two halves of 64 bits: nearly all of it is then done with small numbers
        "((((((((greatest(least(rank, 15), -16) + 16)::BIGINT * 2 + known::INT)"
        f" * {2**48} + least(({total})::BIGINT, {2**48 - 1})) * 2 + ({_tiered(pms)})::INT)"
        f" * 16 + {classes}) * 2 + (cache_write_1h > 0)::INT) * 2 + (ts IS NOT NULL)::INT) * 2"
        f" + (project IS NOT NULL)::INT)::HUGEINT * {2**63}"
        f" + ({2**63 - 1} - (least(part, {2**14 - 1})::BIGINT * {2**49}"
        f" + least(src, {2**17 - 1})::BIGINT * {2**32} + least(line, {2**32 - 1})::BIGINT))"
    )


class Answer(Protocol):
    """What DuckDB gives for a statement, as far as it is asked here."""

    def fetchone(self) -> tuple[int, ...] | None: ...


class Connection(Protocol):
    """DuckDB, or a server that is spoken to as if it were."""

    def execute(self, query: str, /) -> Answer: ...


def settle(con: Connection, given: Container[str], pms: Sequence[str] | None = None) -> int:
    """Makes the view `counted` of the view `rows`; the number of rows that do not count.

    `given` names the columns that any row has a value in, `pms` what stands in `pm` where it is
    known.
    """
    con.execute(
        "CREATE TEMP TABLE twice AS SELECT h FROM rows WHERE h IS NOT NULL "
        "GROUP BY h HAVING count(*) > 1"
    )
    (calls,) = con.execute("SELECT count(*) FROM twice").fetchone() or (0,)
    asked = [name for name in COLUMNS if name not in _PLACE]
    columns = ", ".join(map(quoted, asked))
    if not calls:
        con.execute(f"CREATE TEMP VIEW counted AS SELECT {columns} FROM rows")
        return 0
    lent = [name for name in _LENT if name in given]
    held = ", ".join(quoted(name) for name in asked if name in given)
    con.execute(
        f"CREATE TEMP TABLE rivals AS SELECT {held}, {_score(given, pms)} AS score "
        "FROM rows SEMI JOIN twice ON rows.h = twice.h"
    )
    (rivals,) = con.execute("SELECT count(*) FROM rivals").fetchone() or (0,)
    best = "".join(f', min({quoted(name)}) AS "lent_{name}"' for name in lent)
    chosen = ", ".join(
        f'coalesce({quoted(name)}, "lent_{name}") AS {quoted(name)}'
        if name in lent
        else quoted(name)
        for name in asked
        if name in given
    )
    con.execute(
        f"CREATE TEMP TABLE settled AS SELECT {chosen} FROM rivals JOIN "
        f"(SELECT h, max(score) AS score{best} FROM rivals GROUP BY h) AS best USING (h, score)"
    )
    con.execute("DROP TABLE rivals")
    (settled,) = con.execute("SELECT count(*) FROM settled").fetchone() or (0,)
    if settled != calls:  # two equal records in one line: there is nothing to choose
        con.execute(
            f"CREATE TEMP TABLE single AS SELECT {held} FROM (SELECT {held}, "
            "row_number() OVER (PARTITION BY h ORDER BY ts, pm) AS place FROM settled) AS s "
            "WHERE place = 1"
        )
    winners = "settled" if settled == calls else "single"
    said = ", ".join(quoted(n) if n in given else f"{default(n)} AS {quoted(n)}" for n in asked)
    con.execute(
        f"CREATE TEMP VIEW counted AS SELECT {columns} FROM rows "
        f"ANTI JOIN twice ON rows.h = twice.h UNION ALL SELECT {said} FROM {winners}"
    )
    return int(rivals) - int(calls)
