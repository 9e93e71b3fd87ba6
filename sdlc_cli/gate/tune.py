"""Tries variants of a project against its unchanged state: `sdlc gate tune`.

Each variant lies in a worktree of its own and is compared by `gate.paired`, with the unchanged
state in the place of what may be slower. All intervals of one run hold together with 99 %: the
chances of error are dealt out to the comparisons (Bonferroni), so that trying many variants does
not make one look good by chance.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdlc_cli.core import proc
from sdlc_cli.core.errors import ConfigError, NothingToDo, SdlcError
from sdlc_cli.core.files import repository_root
from sdlc_cli.core.i18n import Message, _, msg
from sdlc_cli.core.table import Cell, Column, Table
from sdlc_cli.gate import paired, settings, sides, worktrees
from sdlc_cli.gate.compare import Advance, checked_out, isolated, not_part, refuse_strays, why_open
from sdlc_cli.gate.options import Benchmark, Performance
from sdlc_cli.gate.paired import Comparison, Interval, Terms
from sdlc_cli.gate.sampling import Side, sampler
from sdlc_cli.gate.sides import State
from sdlc_cli.gate.variants import Tune, Variant

SCHEMA_VERSION = 1
UNCHANGED = "unchanged"
Result = Literal["faster", "no gain", "slower", "inconclusive", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One variant by one benchmark. `interval` is of the ratio variant to unchanged."""

    benchmark: str
    result: Result
    interval: Interval | None = None
    pairs: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A variant. It is kept when a benchmark got faster, and none slower or broken.

    `interval` is of the mean ratio (geometric) over its benchmarks, where all ran.
    """

    name: str
    trials: tuple[Trial, ...]

    @property
    def kept(self) -> bool:
        """True when it is worth having."""
        results = {trial.result for trial in self.trials}
        return "faster" in results and not results & {"slower", "failed"}

    @property
    def interval(self) -> Interval | None:
        """The mean over its benchmarks."""
        return mean(trial.interval for trial in self.trials)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """All variants, in the order of gates.yaml."""

    commit: str
    variants: tuple[Tried, ...]
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[Tried, ...]:
        """The variants worth having."""
        return tuple(variant for variant in self.variants if variant.kept)

    @property
    def best(self) -> Tried | None:
        """The kept variant that takes least."""
        best = min(self.kept, key=_ratio, default=None)
        return best if best and best.interval else None

    @property
    def mean(self) -> Interval | None:
        """The mean ratio (geometric) of the kept variants."""
        return mean(variant.interval for variant in self.kept)

    @property
    def exit_code(self) -> int:
        """0 once a comparison decided, whatever came of it; 3 when none did."""
        results = {trial.result for variant in self.variants for trial in variant.trials}
        return 0 if results - {"inconclusive", "failed"} else 3


def _ratio(variant: Tried) -> float:
    return variant.interval.ratio if variant.interval else math.inf


def mean(intervals: Iterable[Interval | None]) -> Interval | None:
    """The geometric mean, its ends the means of the ends; None when one is missing.

    Where all intervals hold at once, this one does too.
    """
    known = list(intervals)
    if not known or any(one is None for one in known):
        return None
    sure = [one for one in known if one is not None]
    return Interval(
        ratio=statistics.geometric_mean(one.ratio for one in sure),
        low=_geometric([one.low for one in sure]),
        high=_geometric([one.high for one in sure]),
    )


def _geometric(values: Sequence[float]) -> float:
    if 0 in values or math.inf in values:
        return 0.0 if 0 in values else math.inf
    return statistics.geometric_mean(values)


def tune(
    project: Path,
    options: Performance,
    wanted: Tune,
    *,
    advance: Advance = lambda name, done, planned: None,
) -> Tuned:
    """Try all variants. `project` is the folder of gates.yaml, `options` its performance gate.

    `advance` hears of `variant: benchmark` which pair of how many it is at. Raises NothingToDo
    without benchmarks, ConfigError for a benchmark that is not there or a setting that cannot
    be made, WorkError when the unchanged state itself cannot be measured.
    """
    benchmarks = chosen(options, wanted)
    root = repository_root(project)
    chance = 0.005 / (len(benchmarks) * len(wanted.variants))
    with proc.ends_children_on_sigterm(), worktrees.opened(root) as trees:
        commit = worktrees.present(root)
        states = {UNCHANGED: checked_out(trees, root, project, commit, UNCHANGED)}
        for i, variant in enumerate(wanted.variants):
            state = checked_out(trees, root, project, commit, f"variant{i + 1:02}")
            _make(trees, project, state, variant)
            states[state.root.name] = state
        ready, notes = sides.ready(states, options, project)
        unchanged = ready.pop(UNCHANGED)
        warnings = [note for one in benchmarks for note in isolated(one, unchanged)]
        warnings += not_part(root)
        for benchmark in benchmarks:
            sampler(benchmark, unchanged)(-1)
            refuse_strays(benchmark, unchanged, root)
        tried = [
            Tried(
                name=variant.name,
                trials=tuple(
                    _try(benchmark, options, unchanged, _with(side, variant), chance, advance,
                         f"{variant.name}: {benchmark.name}")
                    for benchmark in benchmarks
                ),
            )
            for variant, side in zip(wanted.variants, ready.values(), strict=True)
        ]  # fmt: skip
    return Tuned(commit=commit, variants=tuple(tried), notes=(*notes, *warnings))


def chosen(options: Performance, wanted: Tune) -> tuple[Benchmark, ...]:
    """The benchmarks that `tune:` names, else all. Raises NothingToDo and ConfigError."""
    if not options.benchmarks:
        raise NothingToDo(
            msg("the performance gate has no benchmark to try variants by"),
            hint=msg("set up gates.performance.benchmarks in gates.yaml"),
        )
    known = {benchmark.name: benchmark for benchmark in options.benchmarks}
    for name in wanted.benchmarks:
        if name not in known:
            raise ConfigError(
                msg("tune: no benchmark is called '{name}'", name=name),
                hint=msg("known are: {names}", names=", ".join(known)),
            )
    return tuple(known[name] for name in wanted.benchmarks or known)


def _make(trees: worktrees.Worktrees, project: Path, state: State, variant: Variant) -> None:
    if variant.patch:
        trees.apply(state.root, project / variant.patch)
    for setting in variant.settings:
        settings.change(state.cwd, state.root, setting)


def _with(side: Side, variant: Variant) -> Side:
    return Side(
        root=side.root,
        cwd=side.cwd,
        environment=side.environment,
        paths=side.paths,
        variables=variant.environment,
    )


def _try(
    benchmark: Benchmark,
    options: Performance,
    unchanged: Side,
    variant: Side,
    chance: float,
    advance: Advance,
    label: str,
) -> Trial:
    tolerance = options.tolerance if benchmark.tolerance is None else benchmark.tolerance
    terms = Terms(
        limit=1 + tolerance,
        by=benchmark.by,
        seconds=options.budget_time,
        max_pairs=options.max_pairs,
        false_alarm=chance,
        miss=chance,
    )
    try:
        sampler(benchmark, variant)(-1)
        got = paired.compare(
            sampler(benchmark, variant),
            sampler(benchmark, unchanged),
            terms,
            advance=lambda done, planned: advance(label, done, planned),
        )
    except SdlcError as error:
        return Trial(benchmark=benchmark.name, result="failed", reason=error.message)
    return judged(benchmark.name, got)


def judged(benchmark: str, got: Comparison) -> Trial:
    """What a comparison of the unchanged state with a variant says of the variant."""
    results: Mapping[str, Result] = {
        "slower": "faster",
        "not slower": "slower" if got.interval.high < 1 / got.terms.limit else "no gain",
        "inconclusive": "inconclusive",
    }
    return Trial(
        benchmark=benchmark,
        result=results[got.verdict],
        interval=got.interval.inverted() if got.pairs else None,
        pairs=got.pairs,
        reason=why_open(got) if got.verdict == "inconclusive" else "",
    )


def as_table(tuned: Tuned) -> Table:
    """One row for each variant and benchmark, for `core.render`."""
    columns = (
        Column(key="variant", title=_("Variant")),
        Column(key="benchmark", title=_("Benchmark")),
        Column(key="result", title=_("Result")),
        Column(key="improvement", title=_("Gain, %"), kind="number", decimals=1),
        Column(key="low", title=_("Least, %"), kind="number", decimals=1),
        Column(key="high", title=_("Most, %"), kind="number", decimals=1),
        Column(key="pairs", title=_("Pairs"), kind="number"),
        Column(key="kept", title=_("Kept")),
    )
    names: Mapping[Result, str] = {
        "faster": _("faster"),
        "no gain": _("no gain"),
        "slower": _("slower"),
        "inconclusive": _("inconclusive"),
        "failed": _("failed"),
    }
    rows: list[tuple[Cell, ...]] = []
    for variant in tuned.variants:
        for trial in variant.trials:
            gain = improvement(trial.interval)
            percents = [None if value is None else 100 * value for value in gain.values()]
            kept = _("yes") if variant.kept else _("no")
            result = names[trial.result]
            rows.append((variant.name, trial.benchmark, result, *percents, trial.pairs, kept))
    return Table(columns=columns, rows=tuple(rows))


def told(tuned: Tuned) -> tuple[Message, ...]:
    """For people: mean and best of what is kept, and why a trial gave no result."""
    lines: list[Message] = []
    best = tuned.best
    if tuned.mean:
        lines.append(msg("mean of what is kept: {gain}", gain=_gain(tuned.mean)))
    if best and best.interval:
        lines.append(msg("best: {name}, {gain}", name=best.name, gain=_gain(best.interval)))
    lines += [
        msg("{variant}, {benchmark}: {why}", variant=variant.name, benchmark=trial.benchmark,
            why=trial.reason)
        for variant in tuned.variants
        for trial in variant.trials
        if trial.reason
    ]  # fmt: skip
    return tuple(lines)


def _gain(interval: Interval) -> Message:
    gain, low, high = (
        "?" if share is None else f"{100 * share:.1f}" for share in improvement(interval).values()
    )
    return msg("{gain} % less (between {low} % and {high} %)", gain=gain, low=low, high=high)


def as_json(tuned: Tuned) -> dict[str, object]:
    """The result for machines: improvements are shares, 0.1 is 10 % less; null is unknown."""
    best = tuned.best
    return {
        "schema_version": SCHEMA_VERSION,
        "commit": tuned.commit,
        "tried": len(tuned.variants),
        "kept": len(tuned.kept),
        "mean": improvement(tuned.mean),
        "best": {
            "name": best.name if best else None,
            **improvement(best.interval if best else None),
        },
        "variants": [
            {
                "name": variant.name,
                "kept": variant.kept,
                **improvement(variant.interval),
                "trials": [
                    {
                        "benchmark": trial.benchmark,
                        "result": trial.result,
                        **improvement(trial.interval),
                        "pairs": trial.pairs,
                        "reason": trial.reason,
                    }
                    for trial in variant.trials
                ],
            }
            for variant in tuned.variants
        ],
        "notes": list(tuned.notes),
    }


def improvement(interval: Interval | None) -> dict[str, float | None]:
    """By what share less is taken, and between what ends that lies."""
    if interval is None:
        return {"improvement": None, "low": None, "high": None}
    return {
        "improvement": 1 - interval.ratio,
        "low": 1 - interval.high if math.isfinite(interval.high) else None,
        "high": 1 - interval.low if interval.low else None,
    }
