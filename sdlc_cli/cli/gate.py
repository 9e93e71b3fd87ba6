"""`sdlc gate`: read the words, judge, print, leave with the verdict's exit code."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli.help import App
from sdlc_cli.cli.options import ConfigPath, OutputPath, choice, console, must_be_one_of
from sdlc_cli.core.console import Console
from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.core.i18n import _, msg, ngettext

if TYPE_CHECKING:
    from sdlc_cli.gate.config import GateConfig
    from sdlc_cli.gate.drill import DrillReport
    from sdlc_cli.gate.model import GateReport
    from sdlc_cli.gate.report import View
    from sdlc_cli.gate.run import Selection

FORMATS = ("text", "json", "sarif", "junit", "github", "gitlab", "markdown", "html")
GENERATIONS = ("1", "2", "3")

app = App(help=_("Judge the code: is it good enough to ship?"))

PathArgument = Annotated[
    Path, typer.Argument(exists=True, help=_("The folder, or the one file, to judge."))
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="GATE", help=_("Run this gate and no other.")),
]
Skip = Annotated[
    list[str] | None,
    typer.Option("--skip", metavar="GATE", help=_("Leave this gate out.")),
]
Require = Annotated[
    list[str] | None,
    typer.Option(
        "--require",
        metavar="GATE",
        help=_("When this gate is skipped, that is an error: exit code 3."),
    ),
]
Generation = Annotated[
    str,
    choice(
        "--generation",
        "-g",
        words=GENERATIONS,
        metavar="N",
        help=_("Ask for this generation's score and gates: 1 work, 2 robust, 3 scale."),
    ),
]
Format = Annotated[str, choice("--format", "-f", words=FORMATS, help=_("The form of the result."))]
Report = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT=FILE",
        help=_("Write the result in this form to this file too."),
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs", "-j", metavar="N", min=0, help=_("Processes at most; 0 means one a core.")
    ),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help=_("Look at every file anew, whatever is remembered."))
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where the result goes, in which forms."""

    form: str
    file: Path | None
    reports: tuple[tuple[str, Path], ...]


@app.command(
    help=_(
        "Run the gates and give one score.\n\n"
        "Exit codes: 0 passed, 1 did not pass, 2 wrong words or files, 3 could not be judged,"
        " 4 nothing to judge.\n\n"
        "gates.yaml may name commands to run: judge only repositories that you trust, or leave"
        " it out with --config."
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
        jobs=jobs or _cores(),
        cache=not no_cache,
    )
    _run(ctx, path, config, selection, _output(ctx, form, output, report))


def _alone(name: str, text: str) -> None:
    """Make the command that runs one gate."""

    def command(
        ctx: typer.Context,
        path: PathArgument = Path(),
        config: ConfigPath = None,
        generation: Generation = "",
        form: Format = "text",
        output: OutputPath = None,
        report: Report = None,
        jobs: Jobs = 0,
        no_cache: NoCache = False,
    ) -> None:
        from sdlc_cli.gate.run import Selection

        selection = Selection(
            only=(name,),
            generation=int(generation or 0),
            jobs=jobs or _cores(),
            cache=not no_cache,
        )
        _run(ctx, path, config, selection, _output(ctx, form, output, report))

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

        out.deliver(explanation.rule(rules.find(rule), form, _view(out)), output)
        return
    from sdlc_cli.gate.explain import explain as explain_report
    from sdlc_cli.gate.run import Selection

    selection = Selection(generation=int(generation or 0), jobs=jobs or _cores())
    root, loaded = _configured(path, config)
    report = _judge(out, path, root, loaded, selection)
    explained = explain_report(report, {name: g.fail_on for name, g in loaded.gates.items()})
    out.deliver(
        explanation.render(report, explained, form, _view(out)), output, machine=form == "json"
    )
    raise typer.Exit(report.exit_code)


@app.command(
    help=_(
        "Prove that the pipeline can fail: plant known defects in a copy and see which are"
        " caught.\n\n"
        "Exit code 1 when a gate that is set up for a defect did not notice it."
    )
)
def drill(
    ctx: typer.Context,
    path: PathArgument = Path(),
    config: ConfigPath = None,
    generation: Generation = "",
    form: Annotated[
        str,
        choice(
            "--format",
            "-f",
            words=("text", "json", "markdown"),
            help=_("The form of the result."),
        ),
    ] = "text",
    output: OutputPath = None,
    jobs: Jobs = 0,
) -> None:
    """Plant defects in a copy; tell which the gates caught."""
    from sdlc_cli.gate.report import View, drilled

    out = console(ctx)
    result = _drill(out, path, config, int(generation or 0), jobs or _cores())
    view = _view(out) if form == "text" and not output else View()
    out.deliver(drilled.render(result, form, view), output, machine=form != "text")
    raise typer.Exit(result.exit_code)


def _drill(
    out: Console, path: Path, config: Path | None, generation: int, jobs: int
) -> "DrillReport":
    from dataclasses import replace

    from sdlc_cli.gate import source
    from sdlc_cli.gate.drill import drill as plant
    from sdlc_cli.gate.run import Selection
    from sdlc_cli.gate.run import run as run_gates

    root, loaded = _configured(path, config)
    if loaded.file and path.resolve().is_relative_to(loaded.root.resolve()):
        root = loaded.root  # no more is copied than the project that gates.yaml is about
    project = source.open_project(
        root=root,
        base=loaded.root,
        scope=path,
        paths=loaded.paths,
        exclude=loaded.exclude,
        configured=loaded.file is not None,
    )
    _warn_of_commands(out, loaded, Selection())
    within = path.resolve().relative_to(root.resolve())
    base = loaded.root.resolve().relative_to(root.resolve())

    def judge(folder: Path, names: frozenset[str]) -> "GateReport":
        moved = replace(loaded, root=folder / base)
        chosen = Selection(only=tuple(names), generation=generation, jobs=jobs)
        return run_gates(folder / within, moved, chosen, root=folder)

    with out.progress(_("Planting defects")) as progress:

        def tell(what: str, done: int, total: int) -> None:
            progress.begin(what, total)
            progress.step(done)

        return plant(root, loaded, judge, files=project.files, tell=tell)


def _run(
    ctx: typer.Context,
    path: Path,
    config: Path | None,
    selection: "Selection",
    output: Output,
) -> None:
    """Judge, deliver, leave with the verdict."""
    from sdlc_cli.gate.report import View, load

    out = console(ctx)
    root, loaded = _configured(path, config)
    report = _judge(out, path, root, loaded, selection)
    for form, file in output.reports:
        out.deliver(load(form).render(report, View(root=root)), file)
    view = View(root=root) if output.file or output.form != "text" else _view(out)
    machine = output.form != "text"
    out.deliver(load(output.form).render(report, view), output.file, machine=machine)
    if "github" in (output.form, *(form for form, _file in output.reports)):
        _step_summary(report, os.environ)
    raise typer.Exit(report.exit_code)


def _judge(
    out: Console, path: Path, root: Path, loaded: "GateConfig", selection: "Selection"
) -> "GateReport":
    from sdlc_cli.gate.run import run as run_gates

    _check_names(loaded, selection)
    _warn_of_commands(out, loaded, selection)
    with out.progress(_("Judging")) as progress:
        return run_gates(path, loaded, selection, root=root, progress=progress)


def _configured(path: Path, config: Path | None) -> "tuple[Path, GateConfig]":
    """The root that paths are relative to, and gates.yaml or the defaults."""
    from sdlc_cli.core.files import repository_root
    from sdlc_cli.gate import config as gates

    root = repository_root(path)
    file = config or gates.find(path if path.is_dir() else path.parent, root)
    return root, gates.load(file, root)


def _check_names(config: "GateConfig", selection: "Selection") -> None:
    """Raises UsageError for a gate that nobody knows."""
    from sdlc_cli.gate import engines

    known = sorted({*config.gates, *engines.FILE_ENGINES, *engines.PROJECT_ENGINES} - {"command"})
    for option, names in (
        ("--only", selection.only),
        ("--skip", selection.skip),
        ("--require", selection.require),
    ):
        for name in names:
            must_be_one_of(name, known, option, "sdlc gate run")


def _warn_of_commands(out: Console, config: "GateConfig", selection: "Selection") -> None:
    """Say once for each gates.yaml that it runs commands, and which gates do."""
    from sdlc_cli.gate import memory

    running = [name for name in memory.that_run_commands(config) if name not in selection.skip]
    running = [name for name in running if not selection.only or name in selection.only]
    if not running or config.file is None or memory.was_told(config.file):
        return
    out.note(
        ngettext(
            "{file} runs commands of this repository, for the gate {gates}."
            " Judge only repositories that you trust.",
            "{file} runs commands of this repository, for the gates {gates}."
            " Judge only repositories that you trust.",
            len(running),
        ).format(file=config.file.name, gates=", ".join(running))
    )
    memory.remember(config.file)


def _output(
    ctx: typer.Context, form: str, file: Path | None, reports: Sequence[str] | None
) -> Output:
    """Raises UsageError for a `--report` that is not FORMAT=FILE."""
    pairs: list[tuple[str, Path]] = []
    for word in reports or ():
        name, sign, target = word.partition("=")
        if not sign or not target:
            raise UsageError(
                msg("--report takes FORMAT=FILE, not '{word}'", word=word),
                hint=f"{ctx.command_path} --report sarif=gate.sarif",
            )
        must_be_one_of(name, FORMATS, "--report", ctx.command_path)
        pairs.append((name, Path(target)))
    return Output(form=form, file=file, reports=tuple(pairs))


def _view(out: Console) -> "View":
    """As the terminal shows it."""
    from sdlc_cli.gate.report import View

    return View(width=out.width, color=out.color, encoding=out.encoding, verbose=out.verbose)


def _step_summary(report: "GateReport", environ: Mapping[str, str]) -> None:
    """Append to the page that GitHub shows beside a run, where there is one."""
    target = environ.get("GITHUB_STEP_SUMMARY")
    if not target:
        return
    from sdlc_cli.gate.report import github

    try:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(github.summary(report))
    except OSError as error:
        raise WorkError(
            msg("the step summary could not be written: {why}", why=error.strerror or str(error)),
            hint=msg("check the variable GITHUB_STEP_SUMMARY"),
        ) from None


def _cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
