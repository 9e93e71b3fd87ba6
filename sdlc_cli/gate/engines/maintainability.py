"""Maintainability: functions with too many ways through them, by radon's numbers.

The maintainability index is reported and makes no finding: it falls with a file's length, is
exactly 0 for many long, well-kept files, and 52 of the 54 files that it ranks C in Django 5.1.4
and SQLAlchemy 2.1 hold a function that is a finding anyway.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import formula, installed
from sdlc_cli.gate.config import Maintainability
from sdlc_cli.gate.model import Measurement, Outcome, SkippedFile
from sdlc_cli.gate.source import Project, Unit, unreadable

if TYPE_CHECKING:
    from sdlc_cli.gate.analysis.complexity import Block

# 25 points per 1,000 lines leave a score of 50; one function of rank E or F in a project of that
# length leaves 57. Django 5.1.4 has 7.2 points per 1,000 lines (82), SQLAlchemy 2.1 5.4 (86).
HALF = 25.0
RULE = "complexity"
RANKS = "ABCDEF"
# radon's ranks: C "slightly complex", D "more complex", E "alarming", F "error-prone, unstable"
SEVERITIES = {"D": Severity.MEDIUM, "E": Severity.HIGH, "F": Severity.HIGH}
HELP = msg("Move some of its branches into functions of their own, or into a table.")
WORST = 10  # functions named in the metrics
_NAMED = "worst:"  # prefix of a file's most complex functions among the numbers


@dataclass(frozen=True, slots=True)
class State:
    """What `inspect` needs."""

    max_complexity: int


def prepare(project: Project, options: Maintainability) -> State:
    """Nothing has to be made ready."""
    return State(options.max_complexity)


def inspect(state: State, unit: Unit) -> Outcome | None:
    """The file's functions above the limit, and its numbers."""
    if unit.kind != "python":
        return None
    from sdlc_cli.gate.analysis import complexity, index

    try:
        measured = complexity.measure(unit.tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Outcome(skipped=unreadable(error))
    functions = list(complexity.functions(measured.blocks))
    above = [f for f in functions if f.complexity > state.max_complexity]
    numbers: dict[str, float] = {"lines": unit.line_count, "above": len(above)}
    with suppress(SyntaxError, ValueError, LookupError):  # radon can't split the text: no index
        numbers["index"] = index.maintainability(unit.text, measured)
    numbers["complexity"] = sum(function.complexity for function in functions)
    numbers |= Counter(f"rank {_rank(function.complexity)}" for function in functions)
    worst = sorted(functions, key=lambda f: -f.complexity)[:WORST]
    numbers |= {f"{_NAMED}{f.lineno}:{f.qualname}": f.complexity for f in worst}
    findings = tuple(_finding(unit.path, function, state.max_complexity) for function in above)
    return Outcome(findings=findings, numbers=numbers)


def _rank(number: int) -> str:
    from radon.complexity import cc_rank

    return str(cc_rank(number))


def _finding(path: str, block: "Block", limit: int) -> Finding:
    rank = _rank(block.complexity)
    return Finding(
        rule=RULE,
        severity=SEVERITIES.get(rank, Severity.LOW),
        message=msg(
            "{name} has a cyclomatic complexity of {number} (rank {rank}), above {limit}",
            name=block.qualname,
            number=block.complexity,
            rank=rank,
            limit=limit,
        ),
        help=HELP,
        context=block.qualname,
        amount=block.complexity,
        location=Location(
            path=path,
            line=block.lineno,
            column=block.col_offset + 1,
            end_line=block.node.end_lineno or block.lineno,
        ),
    )


def conclude(
    project: Project, options: Maintainability, outcomes: Sequence[tuple[str, Outcome]]
) -> Measurement:
    """Score the density of complex functions in the files that could be judged."""
    skipped = tuple(SkippedFile(path=p, reason=o.skipped) for p, o in outcomes if o.skipped)
    judged = [(path, outcome) for path, outcome in outcomes if not outcome.skipped]
    if not outcomes:
        return Measurement(outcome="skipped", reason=msg("there is no Python file"))
    if not judged:
        reason = msg("none of the {n} Python files could be judged", n=len(outcomes))
        return Measurement(outcome="error", reason=reason, skipped_files=skipped)
    findings = tuple(finding for _, outcome in judged for finding in outcome.findings)
    lines = int(sum(outcome.numbers["lines"] for _, outcome in judged))
    return Measurement(
        score=formula.density((f.severity for f in findings), lines, HALF),
        findings=findings,
        skipped_files=skipped,
        metrics=_metrics(judged, lines) | {"formula": formula.density_terms(lines, HALF)},
        tool_versions={"radon": installed.version("radon")},
    )


def _metrics(judged: Sequence[tuple[str, Outcome]], lines: int) -> dict[str, object]:
    numbers = [outcome.numbers for _, outcome in judged]
    ranks = {rank: _total(numbers, f"rank {rank}") for rank in RANKS}
    functions = sum(ranks.values())
    above = int(sum(n["above"] for n in numbers))
    indexes = sorted(n["index"] for n in numbers if "index" in n)
    index_ranks = Counter(index_rank(index) for index in indexes)
    return {
        "files": len(judged),
        "lines": lines,
        "functions": functions,
        "functions_above": above,
        "share_above": round(above / functions, 4) if functions else 0.0,
        "mean_complexity": round(sum(n["complexity"] for n in numbers) / max(functions, 1), 2),
        "ranks": ranks,
        "most_complex": _most_complex(judged),
        "index_mean": round(math.fsum(indexes) / len(indexes), 2) if indexes else None,
        "index_median": round(_median(indexes), 2) if indexes else None,
        "index_ranks": {rank: index_ranks[rank] for rank in "ABC"},
        "index_unknown": len(judged) - len(indexes),
    }


def index_rank(index: float) -> str:
    """radon's `mi_rank`. Loading radon takes longer than a run over unchanged files may."""
    return "A" if index > 19 else "B" if index > 9 else "C"


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[~middle]) / 2


def _total(numbers: Sequence[Mapping[str, float]], name: str) -> int:
    return int(sum([n[name] for n in numbers if name in n]))


def _most_complex(judged: Sequence[tuple[str, Outcome]]) -> list[dict[str, object]]:
    named = [
        (number, path, name)
        for path, outcome in judged
        for name, number in outcome.numbers.items()
        if name.startswith(_NAMED)
    ]
    least = sorted([number for number, _, _ in named])[-WORST:][:1]  # of those that are shown
    found = [(-n, path, *_place(name)) for n, path, name in named if n >= least[0]]
    return [
        {"path": path, "line": line, "name": name, "complexity": int(-number)}
        for number, path, line, name in sorted(found)[:WORST]
    ]


def _place(name: str) -> tuple[int, str]:
    line, qualname = name.removeprefix(_NAMED).split(":", 1)
    return int(line), qualname
