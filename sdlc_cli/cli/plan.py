"""`sdlc plan`: read the words, plan, answer, leave with the answer's exit code."""

from pathlib import Path
from typing import Annotated

import typer

from sdlc_cli.cli import front
from sdlc_cli.cli.help import App
from sdlc_cli.cli.options import OutputPath, choice, console
from sdlc_cli.core.i18n import _

FORMATS = ("table", "json", "csv", "markdown", "html", "svg", "mermaid", "ical", "yaml")
OBJECTIVES = ("makespan", "tardiness", "cost", "quality", "balanced")
SOURCES = ("tasks", "csv", "jira", "github", "psplib", "patterson")


def register(app: App) -> None:
    """Add the command to the root."""
    app.command("plan", help=f"{front.commands()['plan']}\n\n{_text()}")(plan)


def _text() -> str:
    return _(
        "Reads tasks.yaml, CSV, what Jira and GitHub export, PSPLIB .sm and .mm, Patterson .rcp;"
        " without FILE the tasks.yaml here or upward."
        " Ctrl-C ends the search and prints the best plan so far.\n\n"
        "Exit codes: 0 planned, also where a limit is missed; 1 with --check when a hard deadline,"
        " the budget or another limit is missed; 2 wrong words or files; 4 no task found;"
        " 130 interrupted."
    )


def plan(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help=_("The tasks; else tasks.yaml, here or upward."))
    ] = "",
    time_limit: Annotated[
        str,
        typer.Option(
            "--time-limit",
            metavar="TIME",
            help=_("Search this long, as 500ms or 5s."),
            show_default="5s",
        ),
    ] = "",
    schedules: Annotated[
        int | None,
        typer.Option(
            "--schedules",
            min=1,
            metavar="N",
            help=_("Try N schedules instead: the same seed then gives the same plan anywhere."),
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help=_("Begin the search from N."))] = 0,
    objective: Annotated[
        str, choice("--objective", words=OBJECTIVES, help=_("What the plan is to be best in."))
    ] = "makespan",
    pareto: Annotated[
        bool,
        typer.Option("--front", help=_("Plans between time, cost and quality, none worse in all.")),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", min=1, help=_("Search with N workers."), show_default=_("all cores")
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help=_("Prove the bound with CP-SAT (extra `exact`)."))
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help=_("For CI: exit code 1 when a limit is missed."))
    ] = False,
    diff: Annotated[
        Path | None,
        typer.Option(
            "--diff", metavar="OLD.json", help=_("Compare with the plan of an earlier JSON result.")
        ),
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if",
            metavar="CHANGE",
            help=_("Change the project first: dev+1, budget+50, deadline+2d, 'drop task-7'."),
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            metavar="OLD.json",
            help=_("Plan again from an earlier JSON result, and move no more than it is worth."),
        ),
    ] = None,
    stability: Annotated[
        float | None,
        typer.Option(
            "--stability",
            min=0,
            max=1_000_000,
            help=_("With --keep: how much each moved or handed over task weighs."),
            show_default="1",
        ),
    ] = None,
    explain: Annotated[
        str,
        typer.Option(
            "--explain", metavar="TASK", help=_("Why this task starts when it does, step by step.")
        ),
    ] = "",
    risk: Annotated[
        bool,
        typer.Option(
            "--risk", help=_("How sure finish and cost are, by p10, p50 and p90 of the tasks.")
        ),
    ] = False,
    source_format: Annotated[
        str, choice("--source-format", words=SOURCES, help=_("What FILE is; else found out."))
    ] = "",
    form: Annotated[
        str, choice("--format", "-f", words=FORMATS, help=_("The form of the result."))
    ] = "table",
    output: OutputPath = None,
) -> None:
    """Plan, and answer what was asked."""
    from sdlc_cli.cli import plan_words, planning

    asked = plan_words.Asked(
        file=file,
        time_limit=time_limit,
        schedules=schedules,
        seed=seed,
        objective=objective,
        front=pareto,
        jobs=jobs,
        exact=exact,
        check=check,
        diff=diff,
        what_if=tuple(what_if or ()),
        keep=keep,
        stability=stability,
        explain=explain,
        risk=risk,
        source_format=source_format,
        form=form,
        output=output,
    )
    raise typer.Exit(planning.run(console(ctx), asked, ctx.command_path))
