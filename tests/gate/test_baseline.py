"""Accepted findings stay quiet, new ones never do, and branches never conflict over them."""

import itertools
import random
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.core.errors import ConfigError, WorkError
from sdlc_cli.core.finding import Finding, Location, Severity, fingerprint
from sdlc_cli.gate import baseline_files, formula
from sdlc_cli.gate import config as gates
from sdlc_cli.gate.accept import Grounds, Written, accept, tighten
from sdlc_cli.gate.baseline import apply, ratchet
from sdlc_cli.gate.baseline_files import Entry
from sdlc_cli.gate.changes import Changes
from sdlc_cli.gate.config import Maintainability, Security
from sdlc_cli.gate.engines import maintainability, security
from sdlc_cli.gate.filepass import identify
from sdlc_cli.gate.model import CheckResult, GateReport, Measurement, SkippedFile
from sdlc_cli.gate.run import Selection, run
from sdlc_cli.gate.score import Measured, judge
from sdlc_cli.gate.source import Project, Unit

Tree = Callable[..., Path]
TODAY = date(2026, 6, 1)


def finding(rule: str = "B307", line: int = 1, path: str = "a.py", amount: float = 0) -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.MEDIUM,
        message="bad",
        location=Location(path=path, line=line),
        fingerprint=fingerprint(rule, "same text"),
        amount=amount,
    )


def of(*findings: Finding) -> Measurement:
    """A gate's measurement that holds these findings."""
    score = formula.density((f.severity for f in findings), 1000, 20)
    return Measurement(
        score=score, findings=findings, metrics={"formula": formula.density_terms(1000, 20)}
    )


def of_score(score: float) -> Measurement:
    """A gate whose findings do not make its score."""
    terms = formula.share_terms(score, 100, "line")
    return Measurement(score=score, metrics={"formula": terms})


def report(measurements: Mapping[str, Measurement], **more: object) -> GateReport:
    config = gates.defaults(Path("/"))
    judged = judge({n: Measured(measurement=m) for n, m in measurements.items()}, config, 1)
    return replace(judged, **more)  # type: ignore[arg-type]


def held(
    measured: Measurement,
    folder: Path,
    *,
    name: str = "security",
    today: date = TODAY,
    changes: Changes | None = None,
    complete: bool = True,
) -> Measurement:
    """The measurement, held against the baseline in `folder`."""
    baseline = baseline_files.load(folder)
    assert baseline is not None
    quiet = apply(
        {name: measured}, baseline, today, root=folder.parent, changes=changes, complete=complete
    )
    return ratchet(name, quiet[name], baseline, narrowed=changes is not None)


def rules(measured: Measurement) -> list[tuple[str, int]]:
    return [(f.rule, f.location.line) for f in measured.findings]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "baseline"


def test_a_second_finding_alike_is_never_hidden_by_an_accepted_one(tree: Tree) -> None:
    # bandit issue 1467: with one accepted, any number of others alike passed
    root = tree({"app.py": "eval(x)\n"}, git=True)
    accepted = root / ".sdlc/baseline"
    config = gates.defaults(root)

    def security_of() -> CheckResult:
        return run(root, config, Selection(only=("security",), baseline=None), root=root).result(
            "security"
        )

    accept(report({"security": _measured(security_of())}), accepted)
    assert held(_measured(security_of()), accepted).failure == ""

    (root / "app.py").write_text("eval(x)\nprint()\neval(x)\n")
    second = held(_measured(security_of()), accepted)

    assert rules(second) == [("B307", 3)]
    assert second.failure == "1 not in the baseline, first B307 at app.py:3"
    verdict = judge({"security": Measured(measurement=second)}, config, 1, scope=("security",))
    assert (verdict.result("security").status, verdict.exit_code) == ("failed", 1)


def _measured(result: CheckResult) -> Measurement:
    return Measurement(score=result.score, findings=result.findings, metrics=result.metrics)


def test_moved_lines_and_renamed_files_stay_accepted(folder: Path) -> None:
    accept(report({"security": of(finding(line=1))}), folder)

    quiet = held(of(finding(line=900, path="elsewhere/b.py")), folder)

    assert quiet.findings == ()
    assert quiet.score == 100
    assert quiet.metrics["baseline"] == {"accepted": 1, "expired": 0}


def test_of_findings_alike_the_one_that_the_change_touched_is_new(folder: Path) -> None:
    accept(report({"security": of(finding(line=5))}), folder)
    touched = Changes(base="0" * 40, files={"a.py": frozenset({3})})

    new = held(of(finding(line=3), finding(line=7)), folder, changes=touched)

    assert rules(new) == [("B307", 3)]


def test_a_function_may_shrink_and_not_grow(folder: Path) -> None:
    accept(report({"security": of(finding("complexity", amount=15))}), folder)

    assert not held(of(finding("complexity", amount=15)), folder).findings
    grown = held(of(finding("complexity", amount=16)), folder)

    assert grown.failure
    assert [f.message for f in grown.findings] == ["bad; the baseline accepts 15"]


@pytest.mark.parametrize(
    ("accepted", "now", "new"),
    [
        pytest.param([15, 30], [30, 15], [], id="in any order"),
        pytest.param([15, 30], [30, 16], [16], id="the smaller grew"),
        pytest.param([15, 30], [20, 25], [20], id="both under the largest"),
        pytest.param([15, 30], [12], [], id="one is gone"),
        pytest.param([15, 30], [10, 11, 12], [10], id="one too many"),
    ],
)
def test_functions_of_one_name_have_a_limit_each(
    folder: Path, accepted: list[int], now: list[int], new: list[int]
) -> None:
    def functions(numbers: Iterable[int]) -> Measurement:
        return of(*(finding("complexity", line=n, amount=n) for n in numbers))

    accept(report({"security": functions(accepted)}), folder)

    left = held(functions(now), folder, complete=False)

    assert [f.amount for f in left.findings] == new


# Entries that are idle or over


def test_an_entry_that_accepts_nothing_any_more_is_reported(folder: Path) -> None:
    accept(report({"security": of(finding(line=1), finding(line=2))}), folder)

    less = held(of(finding(line=1)), folder)

    (note,) = less.findings
    assert (note.rule, note.severity) == ("baseline-unused", Severity.LOW)
    assert note.message == "the baseline accepts 2 of B307, and there are 1"
    assert note.location.path == f"baseline/security/{finding().fingerprint}.yaml"
    assert (less.failure, less.score) == ("", 100)
    assert held(of(finding(line=1)), folder, complete=False).findings == ()


def test_an_entry_about_a_skipped_file_is_not_called_idle(folder: Path) -> None:
    accept(report({"security": of(finding())}), folder)
    skipped = replace(of(), skipped_files=(SkippedFile(path="a.py", reason="too large"),))

    assert held(skipped, folder).findings == ()


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        pytest.param(date(2026, 12, 31), [], id="the last day"),
        pytest.param(date(2027, 1, 1), ["B307", "baseline-expired"], id="the day after"),
    ],
)
def test_an_entry_counts_until_its_last_day(folder: Path, today: date, expected: list[str]) -> None:
    grounds = Grounds(owner="team web", reason="old form", expires=date(2026, 12, 31))
    accept(report({"security": of(finding())}), folder, grounds)

    left = held(of(finding()), folder, today=today)

    assert [f.rule for f in left.findings] == expected
    assert bool(left.failure) == bool(expected)
    if expected:
        assert left.findings[-1].message == (
            "the baseline accepted B307 until 2026-12-31; team web owns it"
        )


# Scores


@pytest.mark.parametrize(
    ("now", "fails"),
    [
        pytest.param(84.21, False, id="the same"),
        pytest.param(90, False, id="better"),
        pytest.param(84.15, False, id="a line less"),
        pytest.param(84, True, id="worse"),
    ],
)
def test_a_gate_whose_score_no_finding_makes_may_not_fall(
    folder: Path, now: float, fails: bool
) -> None:
    accept(report({"coverage": of_score(84.219)}), folder)

    assert bool(held(of_score(now), folder, name="coverage").failure) is fails


def test_a_changes_own_coverage_is_not_held_against_the_whole_projects(folder: Path) -> None:
    accept(report({"coverage": of_score(84)}), folder)

    alone = held(of_score(10), folder, name="coverage", changes=Changes(base="0" * 40))

    assert alone.failure == ""


def test_of_two_scores_that_a_merge_left_the_lower_one_holds(folder: Path) -> None:
    (folder / "coverage").mkdir(parents=True)
    for score in ("86.10", "84.00"):
        (folder / f"coverage/score-{score}.yaml").write_text(f"score: {score}\n")

    assert not held(of_score(84), folder, name="coverage").failure
    assert tighten(report({"coverage": of_score(87.5)}), folder).added == (
        "coverage/score-87.50.yaml",
    )
    assert [p.name for p in (folder / "coverage").iterdir()] == ["score-87.50.yaml"]


def test_a_gate_without_a_baseline_is_left_alone(folder: Path) -> None:
    accept(report({"security": of()}), folder)

    assert held(of(finding()), folder, name="secrets") == of(finding())
    assert held(of(finding()), folder).failure


# Writing


def test_the_files_are_small_sorted_and_the_same_each_time(
    folder: Path, golden: Callable[[str, str], None]
) -> None:
    measured = {
        "security": of(finding(path='odd "name".py'), finding("B602", line=7)),
        "maintainability": of(finding("complexity", amount=15), finding("complexity", amount=21)),
        "coverage": of_score(84.219),
    }
    grounds = Grounds(owner="team web", reason="yes: # old", expires=date(2026, 12, 31))

    first = accept(report(measured), folder, grounds)
    again = accept(report(measured), folder)

    files = sorted(path for path in folder.rglob("*") if path.is_file())
    text = "".join(f"==> {p.relative_to(folder)} <==\n{p.read_text()}" for p in files)
    golden("gate/baseline.txt", text)
    assert len(first.added) == len(files)
    assert again == Written(not_judged=("secrets", "syntax"))


def test_accepting_again_keeps_what_people_wrote(folder: Path) -> None:
    accept(report({"security": of(finding(line=1))}), folder)
    (file,) = (folder / "security").glob(f"{finding().fingerprint}.yaml")
    file.write_text(f"# checked with Ada\n{file.read_text()}reason: fine\n")

    accept(report({"security": of(finding(line=44))}), folder)
    assert "checked with Ada" in file.read_text()

    accept(report({"security": of(finding(line=4), finding(line=5))}), folder)
    assert baseline_files.read_entry(file).reason == "fine"
    assert baseline_files.read_entry(file).count == 2


def test_tightening_lowers_and_removes_and_never_adds(folder: Path) -> None:
    other = replace(finding("B602"), fingerprint="b" * 32)
    accept(report({"security": of(finding(line=1), finding(line=2), other)}), folder)
    new = replace(finding("B101"), fingerprint="c" * 32)

    written = tighten(report({"security": of(finding(line=9), new), "secrets": of(new)}), folder)

    assert written.changed == (f"security/{finding().fingerprint}.yaml",)
    assert written.removed == (f"security/{'b' * 32}.yaml",)
    assert written.added == ()
    assert held(of(finding(), new), folder).findings == (new,)


def test_tightening_lowers_the_limit_of_a_function(folder: Path) -> None:
    accept(report({"security": of(finding("complexity", amount=15))}), folder)

    tighten(report({"security": of(finding("complexity", amount=12))}), folder)

    assert held(of(finding("complexity", amount=13)), folder).failure


def test_gates_that_were_not_judged_and_skipped_files_keep_their_entries(folder: Path) -> None:
    accept(report({"security": of(finding()), "secrets": of(finding("key"))}), folder)
    broken = Measurement(outcome="error", reason="crashed")
    skipped = (SkippedFile(path="a.py", reason="too large"),)

    written = accept(report({"security": broken, "secrets": of()}, skipped_files=skipped), folder)

    assert (written.changed, written.removed) == ((), ())
    assert "security" in written.not_judged


def test_there_must_be_something_to_tighten(folder: Path) -> None:
    with pytest.raises(WorkError, match="no baseline"):
        tighten(report({}), folder)


def test_no_folder_is_no_baseline(folder: Path) -> None:
    assert baseline_files.load(folder) is None


MARK = "a" * 32


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        pytest.param(f"security/{MARK}.yaml", "rule: B1\ncont: 2\n", "2: cont: unknown", id="key"),
        pytest.param(f"security/{MARK}.yaml", "count: 1\n", "rule: missing", id="no rule"),
        pytest.param(f"security/{MARK}.yaml", "rule: B1\ncount: 0\n", "2: count: ", id="count"),
        pytest.param(
            f"security/{MARK}.yaml", "rule: B1\nexpires: 2026-02-30\n", "no such day", id="day"
        ),
        pytest.param(
            f"security/{MARK}.yaml", "rule: B1\nexpires: soon\n", "2: expires: ", id="no date"
        ),
        pytest.param(
            f"security/{MARK}.yaml", "rule: B1\nat_most: [1, 2]\n", "needs 1 numbers", id="limits"
        ),
        pytest.param(
            f"security/{MARK}.yaml", "rule: B1\nid: xabc\n", "belongs to another", id="copied"
        ),
        pytest.param("security/mine.yaml", "rule: B1\n", "after no fingerprint", id="name"),
        pytest.param(f"{MARK}.yaml", "rule: B1\n", "folder of a gate", id="place"),
        pytest.param("coverage/score-84.00.yaml", "score: 101\n", "score: ", id="score"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_file(folder: Path, name: str, text: str, problem: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)

    with pytest.raises(ConfigError) as caught:
        baseline_files.load(folder)

    (told,) = caught.value.problems
    assert problem in told
    assert file.name in told


TEXT = st.text(st.characters(codec=None), max_size=30)


@given(path=TEXT, reason=TEXT, rule=TEXT.filter(bool), count=st.integers(1, 1000))
def test_any_text_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, path: str, reason: str, rule: str, count: int
) -> None:
    entry = Entry(rule=rule, count=count, path=path, reason=reason)
    file = tmp_path_factory.getbasetemp() / "security" / f"{MARK}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(baseline_files.entry_text("security", MARK, entry), encoding="utf-8")

    read = baseline_files.read_entry(file)

    assert baseline_files.entry_text("security", MARK, read) == file.read_text(encoding="utf-8")
    odd = any("\ud800" <= letter <= "\udfff" or not ord(letter) for letter in path + reason + rule)
    assert odd or (read.rule, read.path, read.reason) == (rule, path, reason)


# Branches


def git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words],
        cwd=root, check=False, capture_output=True, text=True,
    )  # fmt: skip


def accept_all(root: Path, found: Iterable[Finding], coverage: float) -> None:
    measured = {"security": of(*found), "coverage": of_score(coverage)}
    grounds = Grounds(owner="team", reason="known since the audit", expires=date(2027, 1, 1))
    accept(report(measured), root / ".sdlc/baseline", grounds)
    git(root, "add", "-A")
    assert git(root, "commit", "-qm", "accept").returncode == 0


def test_branches_that_accept_and_mend_other_things_merge_without_conflict(tree: Tree) -> None:
    """40 merges: each branch accepts three, drops up to three that the other may drop too."""
    root = tree({"a.py": "x\n"}, git=True)
    git(root, "config", "gc.auto", "0")
    chance = random.Random(1467)
    serial = itertools.count()

    def fresh() -> Finding:
        rule = chance.choice(["B101", "B307", "B602"])
        path = chance.choice(["app/views.py", "app/models.py"])
        mark = fingerprint(rule, str(next(serial)))
        return replace(finding(rule, path=path), fingerprint=mark)

    known = [fresh() for _ in range(6)]
    accept_all(root, known, 80)
    for _ in range(40):
        sides: list[list[Finding]] = []
        for side in ("one", "two"):
            git(root, "checkout", "-qB", side, "main")
            kept = chance.sample(known, k=len(known) - chance.randrange(4))
            sides.append([*kept, *(fresh() for _ in range(3))])
            accept_all(root, sides[-1], round(chance.uniform(80, 90), 2))
        merged = git(root, "merge", "--no-edit", "-q", "one")
        assert merged.returncode == 0, merged.stdout

        baseline = baseline_files.load(root / ".sdlc/baseline")
        marks = [{f.fingerprint for f in side} for side in sides]
        gone = {f.fingerprint for f in known} - (marks[0] & marks[1])
        assert baseline is not None
        assert set(baseline.gates["security"].entries) == (marks[0] | marks[1]) - gone
        both = {f.fingerprint: f for side in sides for f in side}
        known = [f for mark, f in both.items() if mark not in gone][-8:]
        git(root, "checkout", "-qB", "main", "two")
        accept_all(root, known, 80)


# Properties


SEVERITIES = st.lists(st.sampled_from(list(Severity)), max_size=30)


@given(few=SEVERITIES, more=SEVERITIES, lines=st.integers(0, 10**6), seed=st.randoms())
def test_one_more_finding_never_raises_a_score_and_order_never_matters(
    few: list[Severity], more: list[Severity], lines: int, seed: random.Random
) -> None:
    everything = few + more
    shuffled = everything.copy()
    seed.shuffle(shuffled)

    assert formula.density(everything, lines, 20) <= formula.density(few, lines, 20)
    assert formula.density(shuffled, lines, 20) == formula.density(everything, lines, 20)


@given(count=st.integers(0, 12), accepted=st.integers(0, 12), extra=st.integers(0, 5))
def test_with_a_baseline_more_findings_never_score_better(
    tmp_path_factory: pytest.TempPathFactory, count: int, accepted: int, extra: int
) -> None:
    folder = tmp_path_factory.mktemp("baseline")
    accept(report({"security": of(*(finding(line=n) for n in range(accepted)))}), folder)

    few = held(of(*(finding(line=n) for n in range(count))), folder)
    many = held(of(*(finding(line=n) for n in range(count + extra))), folder)

    assert few.score is not None
    assert many.score is not None
    assert many.score <= few.score
    assert bool(few.failure) == (count > accepted)


SOURCE = '''import subprocess


def run(x, y):
    subprocess.call(x, shell=True)
    eval(y)
''' + "".join(f"    if x == {n}: return {n}\n" for n in range(12))  # fmt: skip


@given(
    above=st.lists(st.sampled_from(["", "# a comment", "z = 1", "def g(): pass"]), max_size=9),
    name=st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,3}\.py", fullmatch=True),
)
def test_a_fingerprint_survives_lines_above_and_another_name(
    tmp_path_factory: pytest.TempPathFactory, above: list[str], name: str
) -> None:
    root = tmp_path_factory.getbasetemp()
    project = Project(root=root, base=root, files=())

    def marks(path: str, text: str) -> list[str]:
        unit = Unit(path, text.encode())
        seen = [
            security.inspect(security.prepare(project, Security()), unit),
            maintainability.inspect(maintainability.prepare(project, Maintainability()), unit),
        ]
        assert all(seen)
        return [identify(f, unit).fingerprint for one in seen if one for f in one.findings]

    before = marks("app.py", SOURCE)

    assert len(before) == 4
    assert marks(name, "\n".join([*above, SOURCE])) == before
