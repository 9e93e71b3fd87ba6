"""`sdlc plan` through the real program: exit codes, streams, formats, what a user asks for."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.cli import plan as words
from sdlc_cli.plan import readers
from sdlc_cli.plan.model import OBJECTIVES
from sdlc_cli.plan.report import FORMATS

Done = subprocess.CompletedProcess[str]
PROJECT = """\
version: 1
name: Small
start: 2026-08-03 09:00
timezone: Europe/Berlin
unit: 1h
calendar: office
calendars: {office: {hours: {mon-fri: "09:00-17:00"}}}
people:
  ana: {skills: [dev], usd_per_hour: 50}
  bo: {skills: [dev, ops]}
tasks:
  design: {duration: {p10: 2h, p50: 4h, p90: 9h}, needs: dev}
  build: {duration: 6h, needs: dev, after: design}
  docs: {duration: 3h, needs: ana, after: design}
  ship: {duration: 1h, needs: ops, after: [build, docs]}
"""
FAST = {"NUMBA_DISABLE_JIT": "1"}  # nothing of these few tasks is worth compiling for
LIMIT = ("--schedules", "40")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "tasks.yaml").write_text(PROJECT, encoding="utf-8")
    late = PROJECT.replace("tasks:\n", "deadline: 2026-08-03 17:00\ntasks:\n")
    (folder / "late.yaml").write_text(late, encoding="utf-8")
    return folder


@pytest.fixture
def plan(sdlc: Callable[..., Done], place: Path) -> Callable[..., Done]:
    """`plan("--check")` in a folder with tasks.yaml and late.yaml."""

    def run(*given: str, **environ: str) -> Done:
        limit = () if {"--time-limit", "--schedules", "yaml"} & set(given) else LIMIT
        return sdlc("plan", *given, *limit, cwd=place, **{**FAST, **environ})

    return run


def document(done: Done, code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_words_are_those_of_the_job() -> None:
    assert set(words.FORMATS) == {*FORMATS, "yaml"}
    assert words.OBJECTIVES == OBJECTIVES
    assert words.SOURCES == readers.FORMATS


def test_the_plan_is_on_stdout_and_how_it_was_found_on_stderr(plan: Callable[..., Done]) -> None:
    done = plan()

    assert done.returncode == 0
    assert re.fullmatch(
        r"\d+ schedules in [\d.]+ s \(python\) after [\d.]+ s of start-up, by makespan, seed 0\n",
        done.stderr,
    )
    assert plan("--quiet").stderr == ""
    assert "Done Tue 2026-08-04 12:00" in done.stdout
    assert "design" in done.stdout


def test_the_same_seed_gives_the_same_bytes(plan: Callable[..., Done]) -> None:
    once, again = (
        document(plan("--format", "json", "--seed", "7", *more)) for more in ((), ("--jobs", "1"))
    )

    for answer in (once, again):
        del answer["search_seconds"], answer["startup_seconds"]
    assert once == again
    assert once["makespan"] == 27
    assert once["seed"] == 7


def test_the_file_is_looked_for_upward(plan: Callable[..., Done], place: Path, sdlc: Any) -> None:
    (place / ".git").mkdir()
    deep = place / "a" / "b"
    deep.mkdir(parents=True)

    done = sdlc("plan", *LIMIT, "--format", "csv", cwd=deep, **FAST)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 5


@pytest.mark.parametrize("form", ["json", "html", "ical", "yaml"])
def test_every_format_goes_to_a_file_as_to_the_screen(
    plan: Callable[..., Done], place: Path, form: str
) -> None:
    done = plan("--format", form, "--output", f"out.{form}")

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert (place / f"out.{form}").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize(
    ("file", "code"),
    [pytest.param("tasks.yaml", 0, id="kept"), pytest.param("late.yaml", 1, id="missed")],
)
def test_check_is_for_ci(plan: Callable[..., Done], file: str, code: int) -> None:
    done = plan(file, "--check")

    assert done.returncode == code
    assert done.stdout.startswith("Passed. " if code == 0 else "Failed. ")
    assert ("misses its deadline" in done.stdout) == bool(code)


def test_what_is_missed_has_its_reason_and_what_would_help(plan: Callable[..., Done]) -> None:
    answer = document(plan("late.yaml", "--format", "json"))

    assert answer["feasible"] is False
    assert [(one["kind"], one["by"]) for one in answer["infeasible_because"]] == [
        ("project_deadline", "19")
    ]
    texts = [[change["text"] for change in one["changes"]] for one in answer["relaxations"]]
    assert texts == [["deadline+19h"]]
    assert plan("late.yaml", "--what-if", texts[0][0], "--check").returncode == 0


COUNTED = """
import sys
from sdlc_cli.__main__ import main
from sdlc_cli.plan import check
was, seen = check.violations, []
check.violations = lambda project, plan: seen.append(plan) or was(project, plan)
try:
    main()
finally:
    print("checked:", len(seen), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        pytest.param(["tasks.yaml", "--front"], "front", id="front"),
        pytest.param(["late.yaml"], "relaxations", id="what would help"),
    ],
)
def test_every_plan_behind_an_answer_is_checked(place: Path, given: list[str], answer: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, "plan", *given, *LIMIT, "--format", "json"],
        cwd=place, env={**os.environ, **FAST}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    answers = document(done)[answer]
    assert answers
    checked = int(done.stderr.rsplit("checked:", 1)[1])
    assert checked >= 1 + len(answers)


def test_what_if_compares_with_the_plan_as_it_is(plan: Callable[..., Done]) -> None:
    answer = document(plan("--what-if", "drop build", "--what-if", "dev+1", "--format", "json"))

    assert [one["id"] for one in answer["tasks"]] == ["design", "docs", "ship"]
    assert answer["what_if"]["removed"] == ["build"]
    assert answer["what_if"]["before"]["makespan"] == 27
    assert answer["what_if"]["after"]["makespan"] == answer["makespan"] < 27


def test_a_plan_is_compared_with_an_earlier_one(plan: Callable[..., Done], place: Path) -> None:
    plan("--format", "json", "--output", "old.json")
    (place / "tasks.yaml").write_text(
        PROJECT.replace("build: {duration: 6h", "build: {duration: 9h")
    )

    answer = document(plan("--diff", "old.json", "--format", "json"))

    assert answer["difference"]["before"]["makespan"] == 27
    assert answer["difference"]["after"]["makespan"] == 30
    assert "build" in {one["task"] for one in answer["difference"]["changed"]}


def test_keep_moves_nothing_without_need(plan: Callable[..., Done]) -> None:
    plan("--format", "json", "--seed", "3", "--output", "old.json")

    answer = document(
        plan("--keep", "old.json", "--stability", "5", "--diff", "old.json", "--format", "json")
    )

    assert answer["difference"]["changed"] == []


def test_explain_leads_back_to_the_start(plan: Callable[..., Done]) -> None:
    answer = document(plan("--explain", "ship", "--format", "json"))

    assert answer["explanation"][0]["task"] == "ship"
    assert answer["explanation"][-1]["because"] == "start"
    assert answer["critical_chain"][-1] == "ship"


def test_risk_has_percentiles(plan: Callable[..., Done]) -> None:
    risk = document(plan("--risk", "--format", "json"))["risk"]

    finishes = [one["finish"] for one in risk["levels"]]
    assert finishes == sorted(finishes)
    assert risk["uncertain_tasks"] == 1
    assert risk["drivers"][0]["task"] == "design"


def test_workers_beyond_the_cores_take_no_time(plan: Callable[..., Done]) -> None:
    done = plan("--jobs", "100000", "--time-limit", "50ms", "--format", "json")

    assert json.loads(done.stdout)["search_seconds"] < 20


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_missed_limit_is_told_last_of_all(plan: Callable[..., Done], form: str) -> None:
    done = plan("late.yaml", "--format", form, "--quiet")

    assert done.returncode == 0
    assert "warning: The project misses its deadline Mon 2026-08-03 17:00 by" in done.stderr
    assert "--check makes this exit code 1" in done.stderr
    assert "--check makes" not in plan("late.yaml", "--check").stderr


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (["nothing.yaml"], "no such file", ""),
        (["--explain", "shop"], "there is no task shop", "--explain ship"),
        (["--what-if", "dve+1"], "nothing is called 'dve'", "--what-if 'dev+1'"),
        (["--time-limit", "soon"], "not 'soon'", "--time-limit 5s"),
        (["--time-limit", "0s"], "not '0s'", "--time-limit 5s"),
        (["--time-limit", "5s", "--schedules", "5"], "two limits", "--schedules 5"),
        (["--stability", "2"], "--keep names", "--keep OLD.json"),
        (["--keep", "tasks.yaml", "--stability", "1e300"], "--stability takes", ""),
        (["--keep", "."], ".: is not a regular file", "--format json"),
        (["--diff", "tasks.yaml"], "this is no plan", "--format json"),
        (["--diff", "none.json"], "none.json", "--format json"),
        (["--format", "yaml", "--check"], "nothing: --check would have", "plan --format yaml"),
        (["-f", "yaml", "--what-if", "dev+1", "--risk"], "--what-if, --risk would", ""),
        (["--format", "pdf"], "--format cannot be 'pdf'", ""),
        (["--objective", "speed"], "--objective cannot be 'speed'", ""),
        (["--schedules", "0"], "--schedules takes a whole number", ""),
        (["a.yaml", "b.yaml"], "a word too many", ""),
    ],
)
def test_wrong_words_are_told(
    plan: Callable[..., Done], given: list[str], message: str, hint: str
) -> None:
    done = plan(*given)

    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert message in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


def test_no_file_is_nothing_to_do(sdlc: Callable[..., Done], tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()

    done = sdlc("plan", cwd=folder)

    assert done.returncode == 4
    assert "sdlc plan tasks.yaml" in done.stderr


def test_what_no_plan_can_do_says_what_would_help(plan: Callable[..., Done], place: Path) -> None:
    text = PROJECT + "  pair: {duration: 2h, needs: [bo, ops]}\n"  # nobody else has the skill
    (place / "never.yaml").write_text(text, encoding="utf-8")

    done = plan("never.yaml")

    assert done.returncode == 2
    assert "pair: there are not enough different people" in done.stderr
    assert "--what-if 'ops+1'" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_prints_the_best_plan_so_far(place: Path) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SDLC_", "LC_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "sdlc_cli", "plan", "--time-limit", "90s", "-v", "--format", "json",
         "--objective", "cost"],
        cwd=place,
        env=clean | FAST | {"SDLC_CACHE_DIR": str(place / "cache"), "LANG": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert "search: python" in process.stderr.readline(), "it tells when the search begins"
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()

    if process.returncode == 0:
        pytest.fail("the search ended by itself, too soon to be interrupted")
    assert process.returncode == 130, err
    answer = json.loads(out)
    assert answer["interrupted"] is True
    assert len(answer["tasks"]) == 4
    assert "interrupted" in err


def test_the_encoding_of_the_terminal_is_kept_to(plan: Callable[..., Done]) -> None:
    done = plan(PYTHONIOENCODING="ascii", COLUMNS="60")

    assert done.returncode == 0
    assert done.stdout.isascii()
    assert max(map(len, done.stdout.splitlines())) <= 60
    assert "\x1b" not in done.stdout


def test_colour_is_asked_for(plan: Callable[..., Done]) -> None:
    assert "\x1b[" in plan(FORCE_COLOR="1").stdout
    assert "\x1b[" not in plan(FORCE_COLOR="1", NO_COLOR="1").stdout
