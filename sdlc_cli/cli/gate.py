"""`sdlc gate`: read the words, judge, print, leave with the verdict's exit code."""

from pathlib import Path
from typing import Annotated

import typer

from sdlc_cli.cli import gate_tools
from sdlc_cli.cli.help import App
from sdlc_cli.cli.judging import (
    BaselineFolder,
    ChangedSince,
    Format,
    Generation,
    Jobs,
    NoCache,
    Only,
    PathArgument,
    Report,
    Require,
    Skip,
    configured,
    cores,
    judge,
    output_of,
    run_and_report,
    run_shard,
)
from sdlc_cli.cli.options import ConfigPath, OutputPath, choice, console
from sdlc_cli.core.i18n import _

app = App(help=_("Judge the code: is it good enough to ship?"))


@app.command(
    help=_(
        "Run the gates and give one score.\n\n"
        "Exit codes: 0 passed, 1 did not pass, 2 wrong words or files, 3 could not be judged,"
        " 4 nothing to judge.\n\n"
        "gates.yaml may name commands to run: judge only repositories that you trust, or name"
        " a file of your own with --config."
    )
)
def run(
    ctx: typer.Context,
    path: PathArgument = Path(),
    config: ConfigPath = None,
    only: Only = None,
    skip: Skip = None,
    require: Require = None,
    generation: Generation = "",
    form: Format = "text",
    output: OutputPath = None,
    report: Report = None,
    changed_since: ChangedSince = "",
    baseline: BaselineFolder = "",
    shard: Annotated[
        str,
        typer.Option(
            "--shard",
            metavar="K/N",
            help=_("Do only part K of N, as 1/4; `sdlc gate merge` joins the reports."),
        ),
    ] = "",
    jobs: Jobs = 0,
    no_cache: NoCache = False,
) -> None:
    """Run the gates and give one score."""
    from sdlc_cli.gate.run import Selection

    selection = Selection(
        only=tuple(only or ()),
        skip=tuple(skip or ()),
        require=tuple(require or ()),
        generation=int(generation or 0),
        changed_since=changed_since,
        baseline=baseline,
        jobs=jobs or cores(),
        cache=not no_cache,
    )
    outputs = output_of(ctx, form, output, report)
    if shard:
        run_shard(ctx, path, config, selection, shard, outputs)
    run_and_report(ctx, path, config, selection, outputs)


def _alone(name: str, text: str) -> None:
    """Make the command that runs one gate."""

    def command(
        ctx: typer.Context,
        path: PathArgument = Path(),
        config: ConfigPath = None,
        require: Require = None,
        generation: Generation = "",
        form: Format = "text",
        output: OutputPath = None,
        report: Report = None,
        changed_since: ChangedSince = "",
        baseline: BaselineFolder = "",
        jobs: Jobs = 0,
        no_cache: NoCache = False,
    ) -> None:
        from sdlc_cli.gate.run import Selection

        selection = Selection(
            only=(name,),
            require=tuple(require or ()),
            generation=int(generation or 0),
            changed_since=changed_since,
            baseline=baseline,
            jobs=jobs or cores(),
            cache=not no_cache,
        )
        run_and_report(ctx, path, config, selection, output_of(ctx, form, output, report))

    app.command(name, help=text)(command)


for _name, _text in (
    ("syntax", _("Compile every Python file; parse TOML, YAML and JSON.")),
    ("security", _("Look for insecure code with bandit.")),
    ("secrets", _("Look for keys, tokens and passwords in every text file.")),
    ("maintainability", _("Measure complexity with radon.")),
    ("coverage", _("Read the coverage report that the tests wrote.")),
    ("integration", _("Run the project's tests in the project's own environment.")),
    ("performance", _("Hold benchmarks against budgets of time, memory and objects.")),
):
    _alone(_name, _text)


@app.command(
    help=_(
        "Tell how many points each gate lost and the fewest fixes that would pass.\n\n"
        "With RULE, tell what a rule looks for and how to mend it."
    )
)
def explain(
    ctx: typer.Context,
    rule: Annotated[
        str, typer.Argument(help=_("A rule's id, as a finding shows it: B602, complexity."))
    ] = "",
    path: Annotated[
        Path,
        typer.Option("--path", metavar="PATH", exists=True, help=_("The folder to judge.")),
    ] = Path(),
    config: ConfigPath = None,
    generation: Generation = "",
    form: Annotated[
        str,
        choice("--format", "-f", words=("text", "json"), help=_("The form of the result.")),
    ] = "text",
    output: OutputPath = None,
    jobs: Jobs = 0,
) -> None:
    """Tell what the score is made of, or what a rule means."""
    from sdlc_cli.gate.report import explanation

    out = console(ctx)
    if rule:
        from sdlc_cli.gate import rules

        out.deliver(explanation.rule(rules.find(rule), form, out.view), output)
        return
    from sdlc_cli.gate.explain import explain as explain_report
    from sdlc_cli.gate.run import Selection

    selection = Selection(generation=int(generation or 0), jobs=jobs or cores())
    root, loaded = configured(path, config)
    report = judge(out, path, root, loaded, selection)
    explained = explain_report(report, {name: g.fail_on for name, g in loaded.gates.items()})
    out.deliver(
        explanation.render(report, explained, form, out.view), output, machine=form == "json"
    )
    raise typer.Exit(report.exit_code)


gate_tools.register(app)
