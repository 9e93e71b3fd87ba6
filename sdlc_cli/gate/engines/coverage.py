"""Reads a coverage report: how much of the project's code its tests run.

Score: covered lines of all coverable ones, in percent; with `branches`, lines and branches
together, as coverage.py's total. Findings show where the gaps are and cost no further points.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import formula, source
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.options import Coverage
from sdlc_cli.gate.source import Project, Unit

# The parsers of reports load where there is a report: by default this gate is part of every run.
if TYPE_CHECKING:
    from sdlc_cli.gate.coverage_report import CoverageReport, FileCoverage

PLACES = ("coverage.xml", "coverage.json", "lcov.info", "coverage/lcov.info", "coverage.lcov")
LARGEST_REPORT = 200_000_000  # bytes
SHOWN = 20  # findings of a kind
RANGES = 10  # in one message
_PYTHON = (".py", ".pyw")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Totals:
    """Lines and branches: covered, and all."""

    lines: tuple[int, int]
    branches: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A report on the project: `files` by path, `elsewhere` how many of its files are not ours.

    `impossible` counts, by path, lines of the report that the file does not have: they are left
    out of `files`.
    """

    path: Path
    report: "CoverageReport"
    files: "Mapping[str, FileCoverage]"
    elsewhere: int
    impossible: Mapping[str, int]


def check(project: Project, name: str, options: Coverage) -> Measurement:
    """Read the report. Raises WorkError for one that is named and cannot be used."""
    found = gather(project, options)
    if found is None:
        return Measurement(outcome="skipped", reason=_no_report(project))
    return _judge(project, options, found)


def gather(project: Project, options: Coverage) -> Covered | None:
    """The report and what it says of the project's files; None without one. Raises WorkError."""
    path = _find(project, options)
    if path is None:
        return None
    from sdlc_cli.gate import coverage_report

    report = _read(path)
    folders = [str(folder.absolute()) for folder in (path.parent, project.base, project.root)]
    placed = coverage_report.place(report, project.files, folders[-1], folders)
    files: dict[str, FileCoverage] = {}
    for written, file in sorted(placed.items()):
        files.setdefault(file, coverage_report.FileCoverage()).add(report.files[written])
    whole = report.format == "coverage.py"
    impossible = {
        path: file.cut(_line_count(project, path), whole=whole) for path, file in files.items()
    }
    return Covered(
        path=path,
        report=report,
        files=files,
        elsewhere=len(report.files) - len(placed),
        impossible={name: count for name, count in impossible.items() if count},
    )


def _line_count(project: Project, path: str) -> int:
    unit = source.read(project, path)
    # A file that cannot be read cannot prove the report wrong.
    return len(unit.data.splitlines()) if isinstance(unit, Unit) else sys.maxsize


def _judge(project: Project, options: Coverage, found: Covered) -> Measurement:
    files = found.files
    shown = _shown(project, found.path)
    totals = _totals(files.values())
    code = _code(project)
    unknown = [path for path in code if path not in files]
    metrics = _metrics(shown, found.report, files, totals) | {
        "files_elsewhere": found.elsewhere,
        "files_not_in_report": len(unknown),
    }
    if trouble := _trouble(options, found, shown, totals, code):
        return Measurement(outcome="error", reason=trouble, metrics=metrics)
    covered, coverable = totals.lines
    if options.branches:
        covered, coverable = covered + totals.branches[0], coverable + totals.branches[1]
    gaps = _gaps(files)
    return Measurement(
        score=formula.share(covered, coverable),
        reason=_mostly_unknown(shown, len(unknown), len(code)),
        findings=(
            *(uncovered(path, files[path]) for path in gaps),
            *_stale(project, found.path, files),
            *_impossible(found.impossible, shown),
            *_not_in_report(unknown, shown),
        ),
        metrics=metrics
        | {
            "missing": {path: len(files[path].missing) for path in gaps},
            "formula": formula.share_terms(covered, coverable, "line"),
        },
    )


def _trouble(
    options: Coverage, found: Covered, shown: str, totals: _Totals, code: Sequence[str]
) -> str:
    """Why the report proves nothing of the project, or ""."""
    if not found.files:
        return msg("{report} covers none of the files judged here", report=shown)
    if code and all(_is_test(PurePosixPath(path)) for path in found.files):
        return msg(
            "{report} covers none of the code: it mentions tests only, and none of the {count}"
            " other Python files",
            report=shown,
            count=len(code),
        )
    if not totals.lines[1]:
        return msg("{report} measured no line of code", report=shown)
    if options.branches and not found.report.has_branches:
        return msg("{report} holds no branches: measure with 'coverage run --branch'", report=shown)
    return ""


def _code(project: Project) -> list[str]:
    """The project's Python files that hold something and are no tests."""
    python = (path for path in project.files if path.endswith(_PYTHON))
    code = (path for path in python if not _is_test(PurePosixPath(path)))
    return [path for path in code if _size(project.root / path)]


def _mostly_unknown(shown: str, unknown: int, code: int) -> str:
    if 2 * unknown <= code:
        return ""
    return msg(
        "{report} does not mention {unknown} of the {code} Python files that are no tests",
        report=shown,
        unknown=unknown,
        code=code,
    )


def _find(project: Project, options: Coverage) -> Path | None:
    """The report that is named, else the newest in the usual places."""
    if options.report:
        return project.base / options.report
    found = [
        folder / place
        for folder in dict.fromkeys((project.base, project.root))
        for place in PLACES
        if (folder / place).is_file()
    ]
    return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)


def _no_report(project: Project) -> str:
    if (project.base / ".coverage").is_file():
        return msg("there is coverage data and no report: run 'coverage xml' first")
    return msg(
        "no coverage report was found (looked for {places}): run 'coverage run -m pytest' and"
        " 'coverage xml' first",
        places=", ".join(PLACES),
    )


def _read(path: Path) -> "CoverageReport":
    from sdlc_cli.gate import coverage_report, evidence

    try:
        return coverage_report.read(evidence.read(path, path.name, LARGEST_REPORT))
    except OSError as error:
        raise WorkError(
            msg("the coverage report {file} cannot be read: {why}", file=path.name,
                why=error.strerror or str(error)),
            hint=msg("run 'coverage xml' first, or correct 'report:' in gates.yaml"),
        ) from error  # fmt: skip
    except ValueError as error:
        raise WorkError(
            msg("the coverage report {file} cannot be used: {why}", file=path.name, why=str(error))
        ) from error


def _shown(project: Project, path: Path) -> str:
    return (
        path.relative_to(project.root).as_posix()
        if path.is_relative_to(project.root)
        else (str(path))
    )


def _totals(files: "Iterable[FileCoverage]") -> _Totals:
    files = list(files)
    counts = [file.branch_count for file in files]
    return _Totals(
        lines=(
            sum(sum(file.lines.values()) for file in files),
            sum(len(file.lines) for file in files),
        ),
        branches=(sum(taken for taken, _ in counts), sum(total for _, total in counts)),
    )


def _metrics(
    shown: str, report: "CoverageReport", files: "Mapping[str, FileCoverage]", totals: _Totals
) -> dict[str, object]:
    return {
        "report": shown,
        "format": report.format,
        "files": len(files),
        "lines_covered": totals.lines[0],
        "lines": totals.lines[1],
        "branches_covered": totals.branches[0],
        "branches": totals.branches[1],
    }


def _gaps(files: "Mapping[str, FileCoverage]") -> list[str]:
    """The files with most lines that no test runs."""
    missing = {path: len(file.missing) for path, file in files.items()}
    gaps = sorted(missing, key=lambda path: (-missing[path], path))
    return [path for path in gaps[:SHOWN] if missing[path]]


def uncovered(path: str, file: "FileCoverage") -> Finding:
    """The finding on a file that has lines which no test runs."""
    return Finding(
        rule="uncovered",
        severity=Severity.LOW,
        message=msg(
            "{missing} of {total} lines are run by no test: {ranges}",
            missing=len(file.missing),
            total=len(file.lines),
            ranges=_ranges(file.missing),
        ),
        location=Location(path=path, line=file.missing[0]),
        context=path,
    )


def _ranges(lines: list[int]) -> str:
    """`[1, 2, 3, 7]` as `1-3, 7`."""
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and ranges[-1][1] == line - 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    words = [f"{a}-{b}" if b > a else str(a) for a, b in ranges[:RANGES]]
    return ", ".join(words + ["…"] * (len(ranges) > RANGES))


def _stale(project: Project, report: Path, files: Iterable[str]) -> Iterable[Finding]:
    written = report.stat().st_mtime_ns
    newer = [path for path in files if _changed(project.root / path) > written]
    if newer:
        yield Finding(
            rule="stale-report",
            severity=Severity.LOW,
            message=msg(
                "the report is older than the files it describes: {count} changed since, {path}"
                " first",
                count=len(newer),
                path=min(newer),
            ),
            location=Location(path=_shown(project, report)),
        )


def _impossible(lines: Mapping[str, int], shown: str) -> Iterable[Finding]:
    for path, count in sorted(lines.items())[:SHOWN]:
        yield Finding(
            rule="stale-report",
            severity=Severity.LOW,
            message=msg(
                "{report} speaks of {count} lines that this file does not have; they do not count",
                report=shown,
                count=count,
            ),
            location=Location(path=path),
            context=path,
        )


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def absent(project: Project, files: "Mapping[str, FileCoverage]") -> list[str]:
    """Code beside measured code that the report does not know: as a rule, nothing imports it."""
    folders = {PurePosixPath(path).parent for path in files}
    endings = {PurePosixPath(path).suffix for path in files}
    unknown = []
    for file in project.files:
        path = PurePosixPath(file)
        near = path.parent in folders or any(
            parent in folders and parent != PurePosixPath() for parent in path.parents
        )
        if near and path.suffix in endings and file not in files and not _is_test(path):
            unknown.append(file)
    return [file for file in unknown if _size(project.root / file)]


def _is_test(path: PurePosixPath) -> bool:
    return (
        path.name.startswith("test_")
        or path.stem.endswith("_test")
        or path.name in ("conftest.py", "tests.py")
        or not {"test", "tests"}.isdisjoint(path.parts)
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _not_in_report(absent: list[str], shown: str) -> Iterable[Finding]:
    for path in absent[:SHOWN]:
        yield Finding(
            rule="not-in-report",
            severity=Severity.LOW,
            message=msg(
                "{report} does not mention this file, so it does not count: measure with"
                " 'coverage run --source'",
                report=shown,
            ),
            location=Location(path=path),
            context=path,
        )
