"""Budgets of cost.yaml: `sdlc cost budget` as a child process, each broken budget a finding."""

import os
import sys
from typing import Literal

import msgspec
from msgspec import Struct

from sdlc_cli.core import proc
from sdlc_cli.core.errors import WorkError
from sdlc_cli.core.finding import Finding, Severity
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.gate import formula
from sdlc_cli.gate.config import Budgets
from sdlc_cli.gate.model import Measurement
from sdlc_cli.gate.source import Project

LONGEST_OUTPUT = 50_000_000  # bytes


class _State(Struct, frozen=True, kw_only=True):
    name: str
    status: Literal["ok", "warn", "will_break", "broken", "unknown"]
    limit_usd: str
    spent_usd: str
    reason: str | None = None
    broke_on: str | None = None
    breaks_on: str | None = None


class _Answer(Struct, frozen=True, kw_only=True):
    budgets: tuple[_State, ...]


def check(project: Project, name: str, options: Budgets) -> Measurement:
    """Ask and read. The score is the share of budgets that hold, in percent.

    Raises WorkError when `sdlc cost budget` could not judge, a budget of unknown state among them.
    """
    done = proc.run(
        _words(options),
        cwd=project.base,
        environment=dict(os.environ),
        timeout=options.timeout,
        output_limit=LONGEST_OUTPUT,
    )
    if done.timed_out:
        raise WorkError(
            msg("the logs could not be read in {seconds} seconds", seconds=f"{options.timeout:g}"),
            hint=msg("give it more time with 'timeout'"),
        )
    if done.code not in (0, 1):
        raise WorkError(msg("the budgets could not be judged: {output}", output=_said(done)))
    try:
        states = msgspec.json.decode(done.stdout, type=_Answer).budgets
    except msgspec.DecodeError as error:
        raise WorkError(msg("the budgets could not be judged: {output}", output=error)) from error
    findings = tuple(_finding(state, options) for state in states if _is_bad(state, options))
    if not states or (done.code and not findings):
        raise WorkError(msg("the budgets could not be judged: {output}", output=_said(done)))
    return Measurement(
        score=formula.share(len(states) - len(findings), len(states)),
        findings=findings,
        metrics={
            "seconds": round(done.seconds, 3),
            "budgets": len(states),
            "formula": formula.share_terms(len(states) - len(findings), len(states), "finding"),
        },
    )


def _words(options: Budgets) -> tuple[str, ...]:
    words = [sys.executable, "-P", "-m", "sdlc_cli", "cost", "budget", "--format", "json"]
    if options.config:
        words += ["--config", options.config]
    if options.forecast:
        words.append("--forecast")
    return (*words, "--", *options.paths)


def _said(done: proc.Finished) -> str:
    return done.last_lines() or f"exit code {done.code}"


def _is_bad(state: _State, options: Budgets) -> bool:
    return state.status == "broken" or (options.forecast and state.status == "will_break")


def _finding(state: _State, options: Budgets) -> Finding:
    return Finding(
        rule=f"budget-{state.status.replace('_', '-')}",
        severity=Severity.HIGH,
        message=_message(state),
        help=msg("'sdlc cost budget' tells who spent it"),
        context=state.name,
    )


def _message(state: _State) -> Message:
    words = {
        "name": state.name,
        "spent": state.spent_usd,
        "limit": state.limit_usd,
        "day": (state.broke_on or state.breaks_on or "")[:10],
    }
    if state.status == "broken":
        return msg("budget {name} broke on {day}: ${spent} of ${limit} are spent", **words)
    return msg("budget {name} will break on {day}: ${spent} of ${limit} are spent", **words)
