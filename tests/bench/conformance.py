"""Holds our findings and numbers against the stock tools on any tree.

    python tests/bench/conformance.py PATH...

For each PATH it runs `bandit -r -f json` of the same interpreter and compares every finding (all
JSON fields but `code`) and the `# nosec` counts, then compares each file's complexity blocks and
maintainability index with what radon's functions give. Exit code 1 when anything differs.
"""

import json
import subprocess
import sys
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bandit.core.docs_utils import get_url
from radon.complexity import add_inner_blocks, cc_visit
from radon.metrics import mi_visit

from sdlc_cli.gate.analysis import complexity, index
from sdlc_cli.gate.config import Security
from sdlc_cli.gate.engines import security
from sdlc_cli.gate.source import Project, Unit

MI_TOLERANCE = 1e-9
Record = dict[str, object]


@dataclass
class Comparison:
    """What was compared and what differs, for one tree."""

    files: int = 0
    findings: int = 0
    blocks: int = 0
    indexes: int = 0
    beyond: list[str] = field(default_factory=list)  # judged by us, given up by the tool
    differences: list[str] = field(default_factory=list)


def compare(root: Path) -> Comparison:
    """bandit and radon against ours, on every Python file under `root`."""
    result = Comparison()
    compare_bandit(root, result)
    compare_radon(root, result)
    return result


def compare_bandit(root: Path, result: Comparison) -> None:
    """bandit's own file set, run from `root`, with nothing but its defaults."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bandit", "-r", "-q", "-f", "json", "."],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    stock = json.loads(done.stdout)
    theirs: dict[str, list[Record]] = {name: [] for name in stock["metrics"] if name != "_totals"}
    for record in stock["results"]:
        record.pop("code")
        theirs[record["filename"]].append(record)
    failed = {error["filename"] for error in stock["errors"]}
    project = Project(root=root, base=root, files=())
    state = security.prepare(project, Security())
    assert state.screen is not None, security.unsupported()
    for name in sorted(theirs):
        result.files += 1
        seen, why = security.issues(state, _unit(root, name.removeprefix("./")))
        if name in failed:
            if not why:
                result.beyond.append(f"{name}: bandit gave up")
            continue
        if seen is None:
            result.differences.append(f"{name}: not judged: {why}")
            continue
        ours = [issue.as_dict(with_code=False) for issue in seen.issues]
        for one in ours:
            one["more_info"] = get_url(one["test_id"])
        result.findings += len(ours)
        _compare_lists(name, ours, theirs[name], result)
        counts = stock["metrics"][name]
        if (seen.nosec, seen.skipped_tests) != (counts["nosec"], counts["skipped_tests"]):
            result.differences.append(f"{name}: nosec counts differ")


def _compare_lists(name: str, ours: list[Record], theirs: list[Record], result: Comparison) -> None:
    """In bandit's order too. Some of its messages show an address in memory, never the same."""
    for record in (*ours, *theirs):
        record["issue_text"] = security.without_addresses(str(record["issue_text"]))
    if ours == theirs:
        return
    left = Counter(json.dumps(record, sort_keys=True) for record in ours)
    right = Counter(json.dumps(record, sort_keys=True) for record in theirs)
    for text in (left - right).elements():
        result.differences.append(f"{name}: only ours: {text}")
    for text in (right - left).elements():
        result.differences.append(f"{name}: only bandit's: {text}")
    if left == right:
        result.differences.append(f"{name}: another order")


def compare_radon(root: Path, result: Comparison) -> None:
    """Blocks with closures and inner classes, and the index, file by file."""
    for path in sorted(root.rglob("*.py")):
        unit = _unit(root, str(path.relative_to(root)))
        try:
            text = unit.text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
            theirs = [record(block) for block in cc_visit(text)]
            inner = sorted(map(flat, add_inner_blocks(cc_visit(text))))
            stock_index = mi_visit(text, multi=True)
        except (SyntaxError, ValueError, RecursionError) as error:
            try:
                complexity.measure(unit.tree)
                result.beyond.append(f"{unit.path}: radon: {error}")
            except (SyntaxError, ValueError, RecursionError):
                pass
            continue
        measured = complexity.measure(unit.tree)
        result.blocks += len(theirs)
        result.indexes += 1
        if [record(block) for block in measured.blocks] != theirs:
            result.differences.append(f"{unit.path}: blocks differ")
        if sorted(map(flat, complexity.functions(measured.blocks, classes=True))) != inner:
            result.differences.append(f"{unit.path}: inner blocks differ")
        ours = index.maintainability(unit.text, measured)
        if abs(ours - stock_index) > MI_TOLERANCE:
            result.differences.append(f"{unit.path}: index {ours}, radon {stock_index}")


def record(block: object) -> Record:
    """A block of ours or of radon's, with all it holds."""
    names = ["letter", "name", "lineno", "col_offset", "endline", "complexity"]
    a_class = getattr(block, "letter") == "C"  # noqa: B009
    names += ["real_complexity"] if a_class else ["is_method", "classname"]
    values: Record = {name: getattr(block, name) for name in names}
    for name in ("methods", "inner_classes") if a_class else ("closures",):
        values[name] = [record(inner) for inner in getattr(block, name)]
    return values


def flat(block: object) -> tuple[int, int, str, int]:
    """What identifies a block among those of a file."""
    b: complexity.Block = block  # type: ignore[assignment]
    return (b.lineno, b.col_offset, b.letter, b.complexity)


def _unit(root: Path, path: str) -> Unit:
    return Unit(path, (root / path).read_bytes())


def main(paths: list[str]) -> int:
    """Compare each tree and print the counts."""
    if not paths:
        print(__doc__)
        return 2
    warnings.simplefilter("ignore", SyntaxWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    different = 0
    for path in paths:
        result = compare(Path(path))
        print(
            f"{path}: {result.files} files, {result.findings} bandit findings, "
            f"{result.blocks} complexity blocks, {result.indexes} maintainability indexes; "
            f"{len(result.differences)} differences, {len(result.beyond)} judged beyond the tools"
        )
        for line in (*result.differences[:50], *result.beyond[:10]):
            print("  ", line[:300])
        different += len(result.differences)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
