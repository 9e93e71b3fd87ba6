"""Compares the present state's benchmarks with those of the commit it was made from.

Each state is checked out into a folder of its own, and both are measured by turns: see
`gate.paired` for what decides.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from sdlc_cli.core import proc
from sdlc_cli.core.errors import SdlcError, WorkError
from sdlc_cli.core.files import repository_root
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import growth, instructions, merge_base, paired, pycommand, sides, worktrees
from sdlc_cli.gate.growth import Growth
from sdlc_cli.gate.options import Benchmark, Performance
from sdlc_cli.gate.paired import By, Comparison, Interval, Terms, Verdict
from sdlc_cli.gate.sampling import Side, sampler
from sdlc_cli.gate.sides import State

Advance = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One benchmark: how its ratio, head to base, stands to its limit.

    `method` is `pairs` (see `gate.paired`) or `instructions`, whose interval is a point.
    `detectable` is the smallest ratio that could have been seen, None when none could. `reason`
    says why it is inconclusive. `grown` names functions where it is slower.
    """

    name: str
    verdict: Verdict
    limit: float
    by: By = "cpu"
    method: Literal["pairs", "instructions"] = "pairs"
    interval: Interval | None = None
    detectable: float | None = None
    pairs: int = 0
    reason: str = ""
    ratios: Mapping[By, Interval] = field(default_factory=dict)
    grown: tuple[Growth, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """All benchmarks of one comparison.

    `base` and `head` are commits, `unchanged` when they hold the same files; then nothing was
    run. `troubles` say which benchmarks could not be run at all.
    """

    base: str
    head: str
    unchanged: bool = False
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()


def compare(
    project: Path, options: Performance, *, advance: Advance = lambda name, done, planned: None
) -> Compared:
    """Measure the benchmarks of `options` on the working tree and on its merge base.

    `project` is the folder of gates.yaml. The working tree counts with the uncommitted changes
    of tracked files. `advance` hears which pair of how many a benchmark is at. Raises WorkError
    and UsageError where there is no repository, no such revision, or a setup fails.
    """
    root = repository_root(project)
    with proc.ends_children_on_sigterm():
        base = merge_base.find(root, options.compare)
        head = worktrees.present(root)
        if worktrees.same(root, base, head):
            return Compared(base=base, head=head, unchanged=True)
        with worktrees.opened(root) as trees:
            states = {
                name: checked_out(trees, root, project, commit, name)
                for name, commit in (("head", head), ("base", base))
            }
            ready, notes = sides.ready(states, options, project)
            found = _Found(root, list(notes))
            found.notes += not_part(root)
            for benchmark in options.benchmarks:
                _one(benchmark, options, ready["base"], ready["head"], found, advance)
    return Compared(
        base=base,
        head=head,
        changes=tuple(found.changes),
        notes=tuple(found.notes),
        troubles=tuple(found.troubles),
    )


def checked_out(
    trees: worktrees.Worktrees, root: Path, project: Path, commit: str, name: str
) -> State:
    """The commit in a folder called `name`. Raises WorkError."""
    folder = trees.add(commit, name)
    cwd = folder / project.resolve().relative_to(root)
    cwd.mkdir(parents=True, exist_ok=True)  # the base may not have it yet
    return State(root=folder, cwd=cwd, files=worktrees.tracked(root, commit))


@dataclass(slots=True)
class _Found:
    project: Path
    notes: list[str]
    changes: list[Change] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


def _one(
    benchmark: Benchmark,
    options: Performance,
    base: Side,
    head: Side,
    found: _Found,
    advance: Advance,
) -> None:
    limit = 1 + (options.tolerance if benchmark.tolerance is None else benchmark.tolerance)
    found.notes += isolated(benchmark, head)
    try:
        sampler(benchmark, head)(-1)
        refuse_strays(benchmark, head, found.project)
    except SdlcError as error:
        found.troubles.append(error.message)
        return
    try:
        sampler(benchmark, base)(-1)
    except SdlcError as error:
        reason = msg("it cannot be run on the base, so it is new: {why}", why=error.message)
        found.changes.append(
            Change(name=benchmark.name, verdict="inconclusive", limit=limit, reason=reason)
        )
        return
    exact = options.exact and _can_be_counted(benchmark, found)
    try:
        change = (
            _counted(benchmark, limit, base, head)
            if exact
            else _paired(benchmark, options, limit, base, head, advance)
        )
    except SdlcError as error:
        found.troubles.append(error.message)
        return
    if change.verdict == "slower":
        change = _with_growth(change, benchmark, base, head, found)
    found.changes.append(change)


def not_part(root: Path) -> list[str]:
    """A warning when files lie in the working tree that no checkout of it holds."""
    count = worktrees.unknown_files(root)
    if not count:
        return []
    return [msg("files that were never added to git are not part of it: {count}", count=count)]


def refuse_strays(benchmark: Benchmark, side: Side, project: Path) -> None:
    """Raises WorkError when the benchmark would run the same code on both sides."""
    try:
        found = growth.strays(benchmark, side, project)
    except WorkError:  # it runs, but not under a profiler
        return
    if found:
        raise WorkError(
            msg(
                "benchmark {name} runs the code of {folder}, not that of the states to compare: an"
                " editable installation leads there",
                name=benchmark.name,
                folder=str(project),
            ),
            hint=msg("name a 'setup' in gates.yaml, so that each state has its own environment"),
        )


def isolated(benchmark: Benchmark, side: Side) -> list[str]:
    """A warning when the command's Python does not look where the state's own code is."""
    if not benchmark.command or not side.paths:
        return []
    program = pycommand.parse(benchmark.command, side.environment, side.cwd)
    if program is None or not program.isolated:
        return []
    return [
        msg(
            "{name} runs Python isolated (-I or -E): what it imports may be the same installed"
            " code in both states",
            name=benchmark.name,
        )
    ]


def _can_be_counted(benchmark: Benchmark, found: _Found) -> bool:
    if benchmark.test or benchmark.by != "cpu":
        found.notes.append(
            msg("{name}: only the CPU time of commands and callables can be counted in"
                " instructions, so it was timed", name=benchmark.name)
        )  # fmt: skip
        return False
    if not instructions.available():
        note = msg("valgrind is not installed here, so times were compared, not instructions")
        if note not in found.notes:
            found.notes.append(note)
        return False
    return True


def _counted(benchmark: Benchmark, limit: float, base: Side, head: Side) -> Change:
    ratio = instructions.count(benchmark, head) / instructions.count(benchmark, base)
    return Change(
        name=benchmark.name,
        method="instructions",
        verdict="slower" if ratio > limit else "not slower",
        limit=limit,
        interval=Interval(ratio=ratio, low=ratio, high=ratio),
        detectable=limit,
        pairs=1,
    )


def _paired(
    benchmark: Benchmark,
    options: Performance,
    limit: float,
    base: Side,
    head: Side,
    advance: Advance,
) -> Change:
    terms = Terms(
        limit=limit,
        by=benchmark.by,
        seconds=options.budget_time,
        max_pairs=options.max_pairs,
    )
    got = paired.compare(
        sampler(benchmark, base),
        sampler(benchmark, head),
        terms,
        advance=lambda done, planned: advance(benchmark.name, done, planned),
    )
    return Change(
        name=benchmark.name,
        verdict=got.verdict,
        limit=limit,
        by=benchmark.by,
        interval=got.interval if got.pairs else None,
        detectable=got.detectable,
        pairs=got.pairs,
        reason=why_open(got) if got.verdict == "inconclusive" else "",
        ratios=got.ratios,
    )


def why_open(got: Comparison) -> str:
    """Why a comparison did not decide, and what would help."""
    if not got.pairs:
        return msg(
            "{seconds:g} s are enough for {planned} pairs of runs, and {least} are needed",
            seconds=got.terms.seconds,
            planned=got.planned,
            least=paired.LEAST_PAIRS,
        )
    if got.detectable is None:
        return msg("{pairs} pairs are too few to say anything", pairs=got.pairs)
    seen = percent(got.detectable)
    if got.ended == "time":
        return msg(
            "after {pairs} pairs the time was up; {seen} or more would have been seen",
            pairs=got.pairs,
            seen=seen,
        )
    return msg("{pairs} pairs were not enough; {seen} or more would have been seen",
               pairs=got.pairs, seen=seen)  # fmt: skip


def percent(ratio: float | None) -> str:
    """A ratio as people say it: 1.083 is `+8.3 %`."""
    if ratio is None or not math.isfinite(ratio):
        return "-"
    return f"{(ratio - 1) * 100:+.1f} %"


def _with_growth(
    change: Change, benchmark: Benchmark, base: Side, head: Side, found: _Found
) -> Change:
    try:
        return replace(change, grown=growth.grown(benchmark, base, head))
    except SdlcError as error:
        found.notes.append(error.message)
        return change
