"""Answers about what was spent, from the sums of the ledger, while it is written.

Everything here works in one thread of its own, over a connection that only reads.
"""

import sqlite3
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from sdlc_cli.cost import budget as budgets
from sdlc_cli.cost.attribute import Attribution, Facts
from sdlc_cli.cost.budget import BudgetState
from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine import clock, sums
from sdlc_cli.cost.engine.sums import OWNERS, Line, Pricer, Wanted
from sdlc_cli.cost.model import CostReport, Row, SourceRead
from sdlc_cli.cost.options import Budget
from sdlc_cli.cost.prices.resolve import Prices
from sdlc_cli.cost.prices.segments import limits
from sdlc_cli.cost.privacy import Veil
from sdlc_cli.cost.store import TABLE, rollup
from sdlc_cli.cost.store.ledger import Owner
from sdlc_cli.cost.store.rollup import TIMELESS, Cuts, Scope
from sdlc_cli.serve.days import Days

_MOST_MODELS = 20_000  # whose prices are remembered: names are the clients' own
_EPOCH = date(1970, 1, 1)
_SUMMED = ", ".join(f'"{name}"' for name in (*rollup.KEYS, *rollup.SUMS))
_ANY_OWNER = "CASE WHEN project = '' AND team = '' THEN '' ELSE '*' END"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def prices_of(config: CostConfig) -> Prices:
    """All prices, with the user's own."""
    return Prices(overrides=config.prices, aliases=config.aliases, most=_MOST_MODELS)


def cuts_of(config: CostConfig, prices: Prices) -> Cuts:
    """Where sums are parted: at all limits of the catalogue's prices, and by the zone's days."""
    minutes, sizes = limits(prices.catalogue)
    local = "ts"
    if config.timezone != "UTC":
        local = clock.local(clock.jumps(config.timezone, 0, clock.END))
    return Cuts(minutes=minutes, sizes=sizes, local=local)


def owner_of(config: CostConfig) -> Owner | None:
    """Whose calls are, by the rules of cost.yaml; None without rules."""
    if not config.attribute:
        return None
    rules = Attribution(config.attribute)
    known: dict[Facts, tuple[str, str]] = {}

    def owner(row: Row) -> tuple[str, str]:
        facts = Facts(row.key, row.path, row.user, row.model, row.tags, row.project)
        found = known.get(facts)
        if found is None:
            if len(known) > 50_000:
                known.clear()
            told = rules.owner(facts)
            found = known[facts] = (told.project, told.team)
        return found

    return owner


def scope_of(budget: Budget, veil: Veil) -> Scope:
    """The calls that are summed by themselves because a budget asks for a user or a tag."""
    user = veil.show("user", budget.user) if budget.user else ""
    return Scope(user=user, tag=next(iter(budget.tag.items()), None))


class Figures:
    """Asks the sums. Use it in one thread."""

    def __init__(self, store: Path, config: CostConfig, prices: Prices, cuts: Cuts) -> None:
        self._store = store
        self._con: sqlite3.Connection | None = None
        self._cuts = cuts
        self.days = Days(self._lines)
        self.use(config, prices)

    def use(self, config: CostConfig, prices: Prices) -> None:
        """From now on by these budgets and prices."""
        self.config = config
        self.prices = prices
        self.pricer = Pricer(prices, self._cuts)
        self.veil = Veil(config.privacy)
        self.days.forget()

    @property
    def con(self) -> sqlite3.Connection:
        """The connection, made in the thread that asks first."""
        if self._con is None:
            uri = f"{self._store.absolute().as_uri()}?mode=ro"
            self._con = sqlite3.connect(uri, uri=True, timeout=5, check_same_thread=False)
        return self._con

    def close(self) -> None:
        """Lets go of the file."""
        if self._con is not None:
            self._con.close()

    def lines(
        self,
        wanted: Wanted,
        first: date | None = None,
        last: date | None = None,
        scope: str = "",
        owners: bool = False,
    ) -> list[Line]:
        """The sums of the days from `first` to `last`, both included, that are wanted.

        Unless `owners` or `wanted` ask for them, project and team say only whether there is any.
        """
        low = TIMELESS if first is None else (first - _EPOCH).days
        high = sys.maxsize if last is None else (last - _EPOCH).days
        if first is None and last is not None:
            low = 0  # what has no time is in no day
        if scope or owners or wanted.owners:
            condition = f"scope = ? AND day BETWEEN {low} AND {high}"
            found: Iterable[Line] = self._lines(condition, scope, owners=owners or wanted.owners)
        else:
            found = (one for one in self.days.lines() if low <= one.keys["day"] <= high)
        return [line for line in found if wanted.fits(line)]

    def _lines(self, condition: str, *values: str, owners: bool = False) -> list[Line]:
        # In one value: each row that SQLite hands over waits anew for Python's lock.
        coarse = self._coarse(condition, owners=owners)
        sql = f"SELECT json_group_array(json_array({_SUMMED})) FROM ({coarse})"
        (found,) = self.con.execute(sql, values).fetchone()
        return [self.pricer.line(record) for record in msgspec.json.decode(found)]

    def _coarse(self, condition: str, *, owners: bool) -> str:
        """SQL of the sums, those of a model in one where one price holds for all of them."""
        names = self.con.execute(
            f"SELECT DISTINCT provider, model, tier FROM {rollup.TABLE} WHERE scope = ''"
        ).fetchall()
        parted = sorted({one[1] for one in names if self.pricer.parted(one)})
        within = f"model IN ({', '.join(map(_literal, parted))})" if parted else "false"
        made = {
            "utc": f"CASE WHEN utc = {rollup.TIMELESS} OR {within} THEN utc ELSE 0 END",
            **{name: f"CASE WHEN {within} THEN {name} ELSE 0 END" for name in ("minutes", "size")},
        }
        if not owners:
            made |= {"project": _ANY_OWNER, "team": "''"}
        keys = ", ".join(f"{made.get(name, name)} AS {name}" for name in rollup.KEYS)
        added = ", ".join(f'sum("{name}") AS "{name}"' for name in rollup.SUMS)
        places = ", ".join(str(place + 1) for place in range(len(rollup.KEYS)))
        return f"SELECT {keys}, {added} FROM {rollup.TABLE} WHERE {condition} GROUP BY {places}"

    def report(
        self, by: Sequence[str], wanted: Wanted, first: date | None, last: date | None
    ) -> CostReport:
        """As `sdlc cost report` gives it; a question without an answer in sums is a UsageError."""
        owners = wanted.owners or not OWNERS.isdisjoint(by)
        lines = self.lines(wanted, first, last, owners=owners)
        answer = sums.answer(lines, by)
        since, until = self._span(lines, answer.days, owners)
        duplicates = self.con.execute(
            "SELECT value FROM sdlc_meta WHERE name = 'duplicates'"
        ).fetchone()
        source = SourceRead(
            path=f"sqlite:///{self._store.name}",
            format="sdlc-store",
            rows=sum(line.sums["records"] for line in lines),
            rejected=0,
            reused=False,
        )
        return CostReport(
            groups=answer.groups,
            totals=answer.totals,
            duplicates=int(duplicates[0]) if duplicates and wanted.projects is None else 0,
            rejected_count=0,
            rejected=(),
            unattributed=answer.unattributed,
            unpriced=answer.unpriced,
            since=since,
            until=until,
            timezone=self.config.timezone,
            price_sources=answer.price_sources,
            sources=(source,),
            by=tuple(by),
        )

    def _span(
        self, lines: Sequence[Line], days: tuple[int, int] | None, owners: bool
    ) -> tuple[datetime | None, datetime | None]:
        """When the first and the last of these calls was: looked up in their first and last day."""
        if days is None:
            return None, None
        named = ("provider", "model", "tier", *(["project"] if owners else []))
        known = {tuple(line.keys[name] for name in named) for line in lines}
        owner = owner_of(self.config) or (lambda row: (row.project, ""))
        ends: list[datetime | None] = []
        for day, order in ((days[0], "ASC"), (days[1], "DESC")):
            low = (day - 1) * rollup.DAY
            found = self.con.execute(
                'SELECT ts, provider, model, tier, project, "user", key, path, tags FROM '
                f"{TABLE} WHERE ts >= ? AND ts < ? AND ({self._cuts.local}) / ? = ? "
                f"ORDER BY ts {order}",
                (low, low + 3 * rollup.DAY, rollup.DAY, day),
            )
            ends.append(None)
            for ts, provider, model, tier, *facts in found:
                project, user, key, path, tags = (fact or "" for fact in facts)
                row = Row(project=project, user=user, key=key, path=path, model=model, tags=tags)
                if (provider, model, tier, *([owner(row)[0]] if owners else [])) in known:
                    ends[-1] = clock.moment(ts)
                    break
            found.close()
        return ends[0], ends[1]

    def budgets(self, now: datetime, chosen: Sequence[Budget] | None = None) -> list[BudgetState]:
        """How each budget stands."""
        return [
            self._state(one, now) for one in (self.config.budgets if chosen is None else chosen)
        ]

    def _state(self, one: Budget, now: datetime) -> BudgetState:
        within = budgets.window(one, now, self.config.timezone)
        wanted = Wanted(project=one.project, team=one.team, model=one.model, provider=one.provider)
        scope = scope_of(one, self.veil).name
        # Later days do not count yet; those of a clock that is fast would.
        always = self.lines(wanted, None, within.today, scope)
        first = None if within.first is None else (within.first - _EPOCH).days
        present = [line for line in always if first is None or line.keys["day"] >= first]
        spent = sums.amounts(present)
        spenders = sums.answer(present, ("model",)).groups
        return budgets.judge(one, within, spent, sums.series(always), spenders=spenders)

    def totals(self) -> Mapping[str, Any]:
        """A few figures of the store itself."""
        (rows,) = self.con.execute(f"SELECT coalesce(max(seq), 0) FROM {TABLE}").fetchone()
        (dead,) = self.con.execute("SELECT count(*) FROM sdlc_dead_letter").fetchone()
        return {"seq": rows, "dead_letters": dead}
