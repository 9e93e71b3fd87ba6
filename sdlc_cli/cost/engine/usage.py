"""All calls in the logs, deduplicated, and the questions that can be asked of them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_names
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import IO

from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.cost.attribute import Attribution, Facts
from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.engine import clock, query
from sdlc_cli.cost.engine.bounds import Prices, fits
from sdlc_cli.cost.engine.calls import Calls
from sdlc_cli.cost.engine.pricing import Priced, priced
from sdlc_cli.cost.engine.query import AMOUNTS, Plan
from sdlc_cli.cost.engine.table import literal, names
from sdlc_cli.cost.merge import merit
from sdlc_cli.cost.model import (
    COUNTS,
    INPUTS,
    OUTPUTS,
    Amounts,
    CostReport,
    Group,
    Price,
    Rejection,
    Row,
    Series,
    SourceRead,
    Unpriced,
    Where,
)

SHOWN_REJECTIONS = 1000
EVERYTHING = Where()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record of a call: what was counted, where it stands, and its text."""

    row: Row
    path: str
    line: int
    raw: str  # JSON
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call, for what replays them in their order."""

    ts: int | None  # microseconds since 1970, UTC
    request_hash: str
    pico: int
    tokens_in: int
    tokens_out: int
    prefix_hash: str = ""
    prefix_tokens: int = 0
    model: str = ""  # canonical
    provider: str = ""
    tokens_uncached: int = 0  # of `tokens_in`, those neither read from nor written to a cache


class Usage:
    """The calls and their prices. Close it, or use it in a `with`: it holds files."""

    def __init__(
        self,
        store: Calls,
        config: CostConfig,
        prices: Prices,
        *,
        swap: Callable[[Price, str, str, str], Price] | None = None,
    ) -> None:
        self._store = store
        self._config = config
        self._prices = prices
        self._swap = swap
        self._owner = Attribution(config.attribute)
        self._serial = 0

    def __enter__(self) -> "Usage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the files. Nothing can be asked after it."""
        self._store.close()

    @property
    def sources(self) -> tuple[SourceRead, ...]:
        """What was read."""
        return self._store.read

    def rejections(self) -> Iterator[Rejection]:
        """All records that were not counted, in the order of the sources."""
        return self._store.rejections()

    def report(
        self, by: Sequence[str] = ("day",), where: Where = EVERYTHING, timezone: str = "UTC"
    ) -> CostReport:
        """The calls by the groups asked for. Raises UsageError for a group that there is not."""
        plan = self._plan(by, where, timezone)
        self._price(plan)
        totals, unattributed, first, last = self._totals(plan)
        return CostReport(
            groups=self._groups(plan),
            totals=totals,
            duplicates=self._store.duplicates,
            rejected_count=sum(source.rejected for source in self.sources),
            rejected=self._store.first_rejections(SHOWN_REJECTIONS),
            unattributed=unattributed,
            unpriced=self._unpriced(plan),
            since=clock.moment(first) if first is not None else None,
            until=clock.moment(last) if last is not None else None,
            timezone=timezone,
            price_sources=self._price_sources(plan),
            sources=self.sources,
            by=tuple(by),
        )

    def slices(
        self, by: Sequence[str], where: Where = EVERYTHING, timezone: str = "UTC"
    ) -> tuple[Group, ...]:
        """Only the groups of `report`; `by` may be any of `query.DIMENSIONS` and `tag:NAME`."""
        plan = self._plan(by, where, timezone)
        self._price(plan)
        return self._groups(plan)

    def series(self, where: Where = EVERYTHING, timezone: str = "UTC") -> Series:
        """What each day from the first to the last call cost, in pico-dollars."""
        costs = {
            date.fromisoformat(group.keys["day"]): group.amounts.pico
            for group in self.slices(("day",), where, timezone)
            if group.keys["day"]
        }
        if not costs:
            return ()
        first, last = min(costs), max(costs)
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return tuple((day, costs.get(day, 0)) for day in days)

    def requests(self, where: Where = EVERYTHING) -> list[Request]:
        """The calls of which the log has a hash of the request, in the order of their time."""
        plan = self._plan((), where, "UTC")
        columns = {
            "ts": "ts",
            "request_hash": "coalesce(request_hash, '')",
            "pico": query.pico(plan),
            "tokens_in": " + ".join(f'"{name}"' for name in INPUTS),
            "tokens_out": " + ".join(f'"{name}"' for name in OUTPUTS),
            "prefix_hash": "coalesce(prefix_hash, '')",
            "prefix_tokens": "prefix_tokens",
            "model": "model_id",
            "tokens_uncached": '"input"',
        }
        found = self._store.ask(
            f"SELECT * FROM ({query.filtered_rows(plan, columns)}) AS calls "
            "WHERE request_hash <> '' OR prefix_hash <> '' ORDER BY ts NULLS FIRST, request_hash"
        )
        prices = plan.priced.prices
        return [
            Request(
                ts=ts,
                request_hash=request,
                pico=int(pico),
                tokens_in=int(tokens_in),
                tokens_out=int(tokens_out),
                prefix_hash=prefix,
                prefix_tokens=int(length),
                model=prices[model].model,
                provider=prices[model].provider,
                tokens_uncached=int(uncached),
            )
            for ts, request, pico, tokens_in, tokens_out, prefix, length, model, uncached in found
        ]

    def find(self, call_id: str) -> list[Found]:
        """Every record of a call, duplicates too; the one that counts comes first."""
        found = [
            Found(row=row, path=path, line=row.line, raw=raw, price=self._price_of(row))
            for row, path, raw in self._store.find(call_id)
        ]
        found.sort(key=lambda each: merit(each.row), reverse=True)
        if found and found[0].row.ts is None:  # then another record of the call may know
            found[0].row.ts = min(
                (t for each in found if (t := each.row.ts) is not None), default=None
            )
        return found

    def with_prices(self, replace: Mapping[str, str], tier: str | None = None) -> "Usage":
        """The same calls, priced as if other models had answered, or in another tier.

        `replace` maps globs over canonical names to models. Closing either usage closes both.
        """

        def swap(price: Price, provider: str, model: str, told: str) -> Price:
            new = next((n for glob, n in replace.items() if fits(price, model, glob)), None)
            if new is None and tier is None:
                return price
            wanted = told if tier is None else tier
            other = self._prices.price("", new, wanted) if new else None
            if other is None or not other.rates:
                other = self._prices.price(provider, new or model, wanted)
            # Groups keep their names, so that they can be compared with what they were.
            return replace_names(other, provider=price.provider, model=price.model)

        return Usage(self._store, self._config, self._prices, swap=swap)

    def pricing(self) -> tuple[tuple[tuple[str, str, str], Price], ...]:
        """Each distinct (provider, model, tier) as logged, with its price."""
        return tuple(
            (names(pm), price)
            for pm, price in zip(self._priced.pms, self._priced.prices, strict=True)
        )

    @cached_property
    def _priced(self) -> Priced:
        def price(provider: str, model: str, tier: str) -> Price:
            found = self._prices.price(provider, model, tier)
            return self._swap(found, provider, model, tier) if self._swap else found

        return priced(self._store.pms, price)

    def _price_of(self, row: Row) -> Price:
        return self._prices.price(row.provider, row.model, row.tier)

    def _plan(self, by: Sequence[str], where: Where, timezone: str) -> Plan:
        query.check_by(by)
        first, last = self._store.span
        timed = any(name in query.TIMES for name in by)
        facts = self._facts()
        if facts and "project" not in facts:
            facts = (*facts, "project")
        return Plan(
            by=tuple(by),
            where=where,
            steps=clock.jumps(timezone if timed else "UTC", first, last),
            priced=self._priced,
            facts=facts,
            counts=self._store.counts,
        )

    def _facts(self) -> tuple[str, ...]:
        """The columns that any rule asks about."""
        rules = self._config.attribute
        asked = ("key", "path", "user", "model", "project")
        used = [name for name in asked if any(getattr(rule.match, name) for rule in rules)]
        if any(rule.match.tag for rule in rules):
            used.append("tags")
        return tuple(used) if used or not rules else ("project",)

    def _price(self, plan: Plan) -> None:
        """Makes the table `amounts`."""
        con = self._store.con
        self._store.group(query.grouped(plan))
        if plan.owned:
            self._own(plan)
        con.execute(
            "CREATE OR REPLACE TEMP TABLE amounts AS SELECT * FROM "
            f"({query.priced_groups(plan)}){query.owner_filter(plan.where)}"
        )

    def _own(self, plan: Plan) -> None:
        """Makes the table `owners` of all facts that occur."""
        con = self._store.con
        columns = query.fact_columns(plan)
        prices = plan.priced.prices
        rows: list[str] = []
        chosen = ", ".join(columns)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE owners AS SELECT DISTINCT {chosen}, "
            "'' AS project, '' AS team FROM grouped LIMIT 0"
        )
        for values in con.execute(f"SELECT DISTINCT {chosen} FROM grouped").fetchall():
            known = dict(zip(plan.facts, values, strict=True))
            if "model" in known:
                known["model"] = prices[known["model"]].model
            owner = self._owner.owner(Facts(**known))
            cells = [str(v) if isinstance(v, int) else literal(v) for v in values]
            rows.append(f"({', '.join([*cells, literal(owner.project), literal(owner.team)])})")
        for start in range(0, len(rows), 1000):
            con.execute(f"INSERT INTO owners VALUES {', '.join(rows[start : start + 1000])}")

    def _totals(self, plan: Plan) -> tuple[Amounts, Amounts, int | None, int | None]:
        """Of all calls, of those that nobody owns, and when the first and the last was."""
        rows = self._store.con.execute(
            f"SELECT project = '' AND team = '', {query.amounts(plan)} FROM amounts GROUP BY 1"
        ).fetchall()
        named_by = (*AMOUNTS, *plan.counts)
        parts = [(free, dict(zip(named_by, values, strict=True))) for free, *values in rows]
        named = [part for _, part in parts]
        return (
            _amounts(*named),
            _amounts(*(part for free, part in parts if free)),
            min((part["first"] for part in named if part["first"] is not None), default=None),
            max((part["last"] for part in named if part["last"] is not None), default=None),
        )

    def _groups(self, plan: Plan) -> tuple[Group, ...]:
        columns = query.group_columns(plan)
        chosen = "".join(f"{column}, " for column in columns)
        distinct = ", ".join(dict.fromkeys(columns))
        tail = f" GROUP BY {distinct} ORDER BY {distinct}" if columns else ""
        named_by = (*AMOUNTS, *plan.counts)
        found: dict[tuple[str, ...], list[Mapping[str, object]]] = {}
        for row in self._store.con.execute(
            f"SELECT {chosen}{query.amounts(plan)} FROM amounts{tail}"
        ).fetchall():
            keys = tuple(
                _label(name, value, plan.priced)
                for name, value in zip(plan.by, row[: len(columns)], strict=True)
            )
            amounts = dict(zip(named_by, row[len(columns) :], strict=True))
            found.setdefault(keys, []).append(amounts)
        return tuple(
            Group(keys=dict(zip(plan.by, keys, strict=True)), amounts=_amounts(*parts))
            for keys, parts in sorted(found.items())
        )

    def _unpriced(self, plan: Plan) -> tuple[Unpriced, ...]:
        tokens_in, tokens_out = (
            " + ".join(f'sum("{name}")' for name in names if name in plan.counts) or "0"
            for names in (INPUTS, OUTPUTS)
        )
        rows = self._store.con.execute(
            f"SELECT model_id, sum(calls)::HUGEINT, ({tokens_in})::HUGEINT, "
            f"({tokens_out})::HUGEINT, sum(at_most)::HUGEINT, count(*) = count(at_most) "
            "FROM amounts WHERE kind = 0 AND seg < 0 GROUP BY model_id"
        ).fetchall()
        found: dict[tuple[str, str], list[tuple[Price, int, int, int, int | None]]] = {}
        for place, calls, inputs, outputs, most, bounded in rows:
            price = plan.priced.prices[place]
            provider, model, _ = names(plan.priced.pms[place])
            key = (price.provider or provider, price.model or model)
            bound = int(most) if bounded else None
            found.setdefault(key, []).append((price, calls, inputs, outputs, bound))
        listed = [
            Unpriced(
                provider=provider,
                model=model,
                calls=sum(part[1] for part in parts),
                input_tokens=sum(part[2] for part in parts),
                output_tokens=sum(part[3] for part in parts),
                at_most_pico=_sum([part[4] for part in parts]),
                reason=parts[0][0].reason or _NO_PRICE,
            )
            for (provider, model), parts in found.items()
        ]
        return tuple(sorted(listed, key=lambda each: (-each.calls, each.provider, each.model)))

    def _price_sources(self, plan: Plan) -> Mapping[str, int]:
        counted: Counter[str] = Counter()
        for place, number, calls in self._store.con.execute(
            "SELECT model_id, seg, sum(calls)::HUGEINT FROM amounts "
            "WHERE kind = 0 AND seg >= 0 GROUP BY model_id, seg"
        ).fetchall():
            price = plan.priced.prices[place]
            counted[price.rates[number].source or price.source] += calls
        return dict(counted.most_common())


_NO_PRICE: Message = msg("no price is known for it")


def _label(name: str, value: object, found: Priced) -> str:
    if name in query.TIMES:
        return clock.label(name, value if isinstance(value, int) else None)
    if name in ("model", "provider", "tier"):
        assert isinstance(value, int)
        price = found.prices[value]
        provider, model, tier = names(found.pms[value])
        told = {"model": price.model or model, "provider": price.provider or provider}
        return told.get(name, tier)
    if name == "bucket":
        return f"<={value}" if isinstance(value, int) and value >= 0 else f">{query.BUCKETS[-1]}"
    return str(value)


def _amounts(*parts: Mapping[str, object]) -> Amounts:
    def total(name: str) -> int:
        return sum(int(part.get(name, 0)) for part in parts)  # type: ignore[call-overload]

    return Amounts(
        calls=total("calls"),
        tokens={name: total(name) for name in COUNTS},
        pico=total("pico"),
        at_most_pico=total("at_most") if all(part["bounded"] for part in parts) else None,
        cached_calls=total("cached"),
        failed_calls=total("failed"),
        unknown_calls=total("unknown"),
        unpriced_calls=total("unpriced"),
        timeless_calls=total("timeless"),
    )


def _sum(amounts: Sequence[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def open_usage(
    paths: Sequence[str],
    *,
    config: CostConfig,
    prices: Prices,
    tmp: Path,
    source_format: str = "",
    cache: Path | None = None,
    stdin: IO[bytes] | None = None,
) -> Usage:
    """Reads the logs that `paths` stand for. Ask the result; then close it.

    `paths` may be addresses of stores instead. `cache` keeps what was read for the next time, None
    keeps nothing; `tmp` is an empty folder for the time that the usage is open. Raises UsageError
    for a path that does not exist or is no log, NothingToDo where there is none.
    """
    if any("://" in path for path in paths):
        from sdlc_cli.cost.engine import remote

        if any(map(remote.is_address, paths)):
            return Usage(remote.opened(paths, tmp), config, prices)
    from sdlc_cli.cost.engine.ingest import ingest

    store = ingest(
        paths, config=config, source_format=source_format, cache=cache, tmp=tmp, stdin=stdin
    )
    return Usage(store, config, prices)
