"""The tables of the plan job are closed: what is in one is in all, documented, translated."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.cli import plan, schemas
from sdlc_cli.plan.model import OBJECTIVES
from sdlc_cli.plan.report import FORMATS
from sdlc_cli.plan.schema import SCHEMAS, get

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
GOLDEN = ROOT / "tests" / "golden" / "plan"
Tree = Callable[..., Path]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_golden_files(form: str) -> None:
    suffix = {"table": "txt", "markdown": "md", "mermaid": "mmd", "ical": "ics"}.get(form, form)

    assert {(GOLDEN / f"{name}.{suffix}").exists() for name in ("plan", "answers", "hostile")} == {
        True
    }


def test_every_format_and_objective_is_documented() -> None:
    assert [form for form in plan.FORMATS if f"| `{form}` |" not in PAGE] == []
    assert [word for word in OBJECTIVES if f"| `{word}` |" not in PAGE] == []


def test_every_option_is_documented(walked: Any) -> None:
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", walked.pages["sdlc plan"]))
    everywhere = {"--help", "--quiet", "--verbose", "--no-color", "--lang", "--output"}

    assert len(options) > 15
    assert sorted(name for name in options - everywhere if f"`{name}" not in PAGE) == []


def test_every_key_of_the_result_is_documented() -> None:
    schema = get("plan-report")["properties"]
    keys = {*schema, *schema["tasks"]["items"]["properties"]}

    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE] == []


def test_every_schema_is_offered() -> None:
    assert set(SCHEMAS) <= set(schemas.NAMES)


PROJECT = """\
version: 1
name: xx1
start: 2026-08-03 09:00
timezone: Europe/Berlin
unit: 1h
deadline: 2026-08-04 12:00
budget_usd: 100
calendar: cc1
calendars: {cc1: {hours: {mon-fri: "09:00-17:00"}}}
people:
  pp1: {skills: [ss1], usd_per_hour: 50}
  pp2: {skills: [ss1, ss2]}
resources: {rr1: 2}
tasks:
  tt1: {duration: {p10: 2h, p50: 4h, p90: 9h}, needs: ss1}
  tt2: {duration: 6h, needs: [ss1, {resource: rr1, amount: 2}], after: tt1}
  tt3: {duration: 3h, needs: pp1, after: [{task: tt1, type: SS, lag: 2h}]}
  tt4:
    needs: ss2
    after: [tt2, tt3]
    deadline: {at: 2026-08-03 17:00, late_usd_per_hour: 5}
    modes:
      mm1: {duration: 1h, quality: 3}
      mm2: {duration: 3h, quality: 9}
"""
FILES = {"p1.yaml": PROJECT, "p2.yaml": PROJECT.replace("6h", "9h")}


def test_nothing_is_left_untranslated(
    tree: Tree, pseudo: Any, walked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # nothing here is worth compiling for
    root = tree(FILES)
    limit = ("--schedules", "20")
    pseudo("plan", "p1.yaml", *limit, "--format", "json", "-o", "o1.json", cwd=root)
    own = [*re.findall(r"[A-Za-z]+", PROJECT), "python", "dev"]  # the engine, and an example

    texts = {}
    for words in (
        ("p1.yaml", "--explain", "tt4", "--risk", "--check"),
        ("p1.yaml", "--front", "--format", "markdown"),
        ("p2.yaml", "--diff", "o1.json", "--what-if", "ss1+1"),
        ("p1.yaml", "--what-if", "zz9+1"),
        ("p1.yaml", "--explain", "zz9"),
        ("p1.yaml", "--time-limit", "zz9"),
        ("zz9.yaml",),
    ):
        bounded = () if "--time-limit" in words else limit
        done = pseudo("plan", *words, *bounded, cwd=root)
        assert done.returncode in (0, 1, 2), done.stderr
        texts[words] = done.stdout + done.stderr

    assert {
        words: found for words, text in texts.items() if (found := walked.escaped(text, *own))
    } == {}
