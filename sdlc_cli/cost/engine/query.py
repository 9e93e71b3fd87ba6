"""The one query: calls grouped, priced and totalled in SQL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.nearest import nearest
from sdlc_cli.cost.engine import clock
from sdlc_cli.cost.engine.clock import Jumps
from sdlc_cli.cost.engine.pricing import TOTAL_INPUT, Priced, models_sql, rates_sql, seg
from sdlc_cli.cost.engine.table import CACHED, FAILED, literal, quoted
from sdlc_cli.cost.model import Price, Where

TIMES = ("day", "week", "month", "hour")
DIMENSIONS = (
    *TIMES,
    *("model", "provider", "tier", "project", "team", "user", "key", "path"),
    *("bucket", "status"),
)
TAG = "tag:"
# Input sizes of `bucket`: the largest of each, in tokens.
BUCKETS = (1_000, 4_000, 16_000, 64_000, 200_000, 1_000_000)

Sql = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked, ready to become SQL."""

    by: tuple[str, ...]
    where: Where
    steps: Jumps
    priced: Priced
    facts: tuple[str, ...]  # columns that attribution rules look at; empty without rules
    counts: tuple[str, ...]  # those of `COUNTS` that any call has: SQL is planned faster without

    @property
    def owned(self) -> bool:
        """Whether projects come from rules."""
        return bool(self.facts)


def check_by(by: Iterable[str]) -> None:
    """Raises UsageError for a group that there is not."""
    for name in by:
        if name in DIMENSIONS or (name.startswith(TAG) and name != TAG and "\0" not in name):
            continue
        near = nearest(name, DIMENSIONS)
        hint = msg("did you mean '{nearest}'?", nearest=near) if near else ""
        raise UsageError(msg("cannot group by '{name}'", name=name), hint=hint)


def grouped(plan: Plan) -> Sql:
    """Counts by everything that prices, owners and the groups asked for depend on.

    One row for each model, rate, kind of call, group and facts. No money yet.
    """
    columns = {"model_id": "model_id", "seg": f"({seg(plan.priced)})::INT", "kind": _kind(plan)}
    columns["timeless"] = "ts IS NULL"
    for place, name in enumerate(plan.by):
        if (text := _group(name, plan.steps)) is not None:
            columns[f"by_{place}"] = text
    raw = plan.facts or (("project",) if _asks_project(plan) else ())
    for name in raw:
        if name != "model":
            columns[f"fact_{name}"] = f"coalesce({quoted(name)}, '')"
    if not raw:
        columns["stray"] = "project IS NULL OR project = ''"
    sums = [f"sum({quoted(name)})::HUGEINT AS {quoted(name)}, " for name in plan.counts]
    chosen = ", ".join(f"{text} AS {name}" for name, text in columns.items())
    return (
        f"SELECT {chosen}, sum(calls)::HUGEINT AS calls, {''.join(sums)}"
        "sum(max_output)::HUGEINT AS max_output, count(max_output) AS limited, "
        "count(*) AS records, min(ts) AS first, max(ts) AS last "
        f"FROM counted JOIN {models_sql(plan.priced)} ON counted.pm = models.pm"
        f"{_filter(plan)} GROUP BY {', '.join(str(place + 1) for place in range(len(columns)))}"
    )


def _asks_project(plan: Plan) -> bool:
    return "project" in plan.by or bool(plan.where.project)


# What a call's cost comes from: 0 its tokens, 1 a gateway's cache, so nothing, 2 nobody knows,
# 3 it failed before it used anything.
def _kind(plan: Plan) -> Sql:
    return (
        f"CASE WHEN status = {CACHED} THEN 1 WHEN NOT known THEN 2 "
        f"WHEN status = {FAILED} AND {_sum(map(quoted, plan.counts))} = 0 THEN 3 ELSE 0 END"
    )


def _sum(terms: Iterable[Sql]) -> Sql:
    return " + ".join(terms) or "0"


def _group(name: str, steps: Jumps) -> Sql | None:
    """SQL of a group as it stands in the rows; None where prices or owners tell it."""
    if name in ("day", "week", "month"):
        return f"{clock.local(steps)} // {clock.DAY}"
    if name == "hour":
        return f"{clock.local(steps)} // {clock.HOUR}"
    if name.startswith(TAG):
        return tag_value(name[len(TAG) :])
    if name == "bucket":
        cases = " ".join(f"WHEN {TOTAL_INPUT} <= {most} THEN {most}" for most in BUCKETS)
        return f"CASE {cases} ELSE -1 END"
    if name == "status":
        return "CASE status WHEN 0 THEN 'ok' WHEN 1 THEN 'error' ELSE 'cached' END"
    return f"coalesce({quoted(name)}, '')" if name in ("user", "key", "path") else None


def tag_value(name: str) -> Sql:
    """SQL of a tag's value, '' without one."""
    path = '$."' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"coalesce(tags ->> {literal(path)}, '')"


def _filter(plan: Plan) -> Sql:
    """The conditions that rows can answer; project and team are asked once owners are known."""
    where = plan.where
    wanted: list[str] = []
    if where.since:
        wanted.append(f"ts >= {clock.micros(where.since)}")
    if where.until:
        wanted.append(f"ts < {clock.micros(where.until)}")
    if where.user:
        wanted.append(f"{quoted('user')} = {literal(where.user)}")
    if where.tag:
        name, value = where.tag
        wanted.append(f"{tag_value(name)} = {literal(value)}")
    if where.model or where.provider:
        ids = plan.priced.chosen(lambda price: _fits(price, where))
        wanted.append(f"model_id IN ({', '.join(map(str, ids)) or '-1'})")
    return f" WHERE {' AND '.join(wanted)}" if wanted else ""


def _fits(price: Price, where: Where) -> bool:
    if where.provider and price.provider != where.provider:
        return False
    return not where.model or fnmatchcase(price.model, where.model)


def filtered_rows(plan: Plan, columns: Mapping[str, Sql]) -> Sql:
    """Single calls instead of groups, each with `pico` of its own."""
    return (
        f"WITH c AS (SELECT *, ({seg(plan.priced)})::INT AS seg, {_kind(plan)} AS kind "
        f"FROM counted JOIN {models_sql(plan.priced)} ON counted.pm = models.pm{_filter(plan)}) "
        f"SELECT {', '.join(f'{text} AS {name}' for name, text in columns.items())} "
        f"FROM c JOIN {rates_sql(plan.priced, plan.counts)} AS r USING (model_id, seg)"
    )


def pico(plan: Plan) -> Sql:
    """What calls cost, in pico-dollars."""
    paid = _sum(["calls * r_request", *(f'"{name}" * r_{name}' for name in plan.counts)])
    return f"CASE WHEN kind = 0 THEN {paid} ELSE 0 END"


def _at_most(plan: Plan) -> Sql:
    """What calls without a certain price cost at most; NULL where there is no bound."""
    dearest = _sum(
        [
            "calls * c_request",
            *(f'CASE WHEN "{n}" = 0 THEN 0 ELSE "{n}" * c_{n} END' for n in plan.counts),
        ]
    )
    return (
        "CASE WHEN kind IN (1, 3) THEN 0 WHEN kind = 0 AND seg >= 0 THEN pico"
        f" WHEN kind = 0 THEN {dearest}"
        " ELSE calls * unknown + (coalesce(max_output, 0) + CASE WHEN records = limited THEN 0"
        " ELSE (calls - limited) * most_out END) * unknown_out END"
    )


def priced_groups(plan: Plan) -> Sql:
    """The table `grouped` as amounts: `pico`, `at_most`, and who pays."""
    owner = _owner(plan)
    return (
        f"SELECT g.*, {owner}, ({pico(plan)})::HUGEINT AS pico, "
        f"({_at_most(plan)})::HUGEINT AS at_most "
        f"FROM grouped AS g JOIN {rates_sql(plan.priced, plan.counts)} AS r USING (model_id, seg)"
        f"{_owners_join(plan)}"
    )


def _owner(plan: Plan) -> Sql:
    if plan.owned:
        return "owners.project AS project, owners.team AS team"
    if _asks_project(plan):
        return "g.fact_project AS project, '' AS team"
    return "CASE WHEN g.stray THEN '' ELSE '-' END AS project, '' AS team"


def _owners_join(plan: Plan) -> Sql:
    if not plan.owned:
        return ""
    return " JOIN owners USING (" + ", ".join(fact_columns(plan)) + ")"


def fact_columns(plan: Plan) -> list[str]:
    """The columns of `grouped` that tell whose a call is."""
    return [f"fact_{name}" if name != "model" else "model_id" for name in plan.facts]


def owner_filter(where: Where) -> Sql:
    """The conditions on project and team."""
    wanted = [
        f"{name} = {literal(value)}"
        for name, value in (("project", where.project), ("team", where.team))
        if value
    ]
    return f" WHERE {' AND '.join(wanted)}" if wanted else ""


AMOUNTS = (
    *("calls", "pico", "at_most", "bounded", "cached", "failed", "unknown", "unpriced"),
    *("records", "first", "last", "timeless"),
)


def amounts(plan: Plan) -> Sql:
    """The sums of `AMOUNTS` and of all counts over rows of `amounts`, in that order.

    Answers from a gateway's own cache are calls, but nobody processed their tokens again.
    """
    paid = [f"coalesce(sum({quoted(n)}) FILTER (kind = 0), 0)::HUGEINT" for n in plan.counts]
    return ", ".join(
        (
            "coalesce(sum(calls), 0)::HUGEINT",
            "coalesce(sum(pico), 0)::HUGEINT",
            "coalesce(sum(at_most), 0)::HUGEINT",
            "count(*) = count(at_most)",
            "coalesce(sum(calls) FILTER (kind = 1), 0)::HUGEINT",
            "coalesce(sum(calls) FILTER (kind = 3), 0)::HUGEINT",
            "coalesce(sum(calls) FILTER (kind = 2), 0)::HUGEINT",
            "coalesce(sum(calls) FILTER (kind = 0 AND seg < 0), 0)::HUGEINT",
            "coalesce(sum(records), 0)::HUGEINT",
            "min(first)",
            "max(last)",
            "coalesce(sum(calls) FILTER (timeless), 0)::HUGEINT",
            *paid,
        )
    )


def group_columns(plan: Plan) -> Sequence[Sql]:
    """What to group `amounts` by, for each name in `plan.by`."""
    fixed = {"project": "project", "team": "team"}
    columns: list[Sql] = []
    for place, name in enumerate(plan.by):
        if name in ("model", "provider", "tier"):
            columns.append("model_id")
        else:
            columns.append(fixed.get(name, f"by_{place}"))
    return columns
