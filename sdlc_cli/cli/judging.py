"""What the commands of `sdlc gate` share: options, the configuration, one run, its output."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli.options import choice, console, must_be_one_of
from sdlc_cli.core.console import Console
from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.core.i18n import _, msg, ngettext

if TYPE_CHECKING:
    from sdlc_cli.gate.config import GateConfig
    from sdlc_cli.gate.model import GateReport
    from sdlc_cli.gate.run import Selection

FORMATS = ("text", "json", "sarif", "junit", "github", "gitlab", "markdown", "html")
GENERATIONS = ("1", "2", "3")

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
ChangedSince = Annotated[
    str,
    typer.Option(
        "--changed-since",
        metavar="REV",
        help=_("Judge only what changed since REV; `auto` finds the pull request's base."),
    ),
]
BaselineFolder = Annotated[
    str,
    typer.Option(
        "--baseline",
        metavar="DIR",
        help=_("The folder of accepted findings; else .sdlc/baseline beside gates.yaml."),
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where the result goes, in which forms."""

    form: str
    file: Path | None
    reports: tuple[tuple[str, Path], ...]

    @property
    def files(self) -> tuple[str, ...]:
        """All files that are written."""
        own = (self.file,) if self.file else ()
        return tuple(str(file) for file in (*own, *(file for _form, file in self.reports)))


def run_and_report(
    ctx: typer.Context,
    path: Path,
    config: Path | None,
    selection: "Selection",
    output: Output,
) -> None:
    """Judge, deliver, leave with the verdict."""
    out = console(ctx)
    root, loaded = configured(path, config)
    report = judge(out, path, root, loaded, replace(selection, outputs=output.files))
    report_on(out, report, root, output)
    raise typer.Exit(report.exit_code)


def report_on(out: Console, report: "GateReport", root: Path, output: Output) -> None:
    """Deliver the report in all the forms that were asked for. Raises WorkError."""
    from sdlc_cli.core.view import View
    from sdlc_cli.gate.report import load

    for form, file in output.reports:
        out.deliver(load(form).render(report, View(root=root)), file)
    view = View(root=root) if output.file or output.form != "text" else out.view
    machine = output.form != "text"
    out.deliver(load(output.form).render(report, view), output.file, machine=machine)
    if "github" in (output.form, *(form for form, _file in output.reports)):
        _step_summary(report, os.environ)


def run_shard(
    ctx: typer.Context,
    path: Path,
    config: Path | None,
    selection: "Selection",
    part: str,
    output: Output,
) -> None:
    """Do one part of a run and write what it saw. A part has no verdict: exit code 0 or 3."""
    import json

    from sdlc_cli.gate import run, shard

    wanted = shard.parse(part)
    files = [file for form, file in output.reports if form == "json"]
    if output.form != "json" and not files:
        raise UsageError(
            msg("a shard's report is JSON, for `sdlc gate merge`"),
            hint=f"{ctx.command_path} --shard {part} --report json=shard-{wanted.index}.json",
        )
    out = console(ctx)
    root, loaded = configured(path, config)
    check_names(loaded, selection)
    warn_of_commands(out, loaded, selection)
    selection = replace(selection, outputs=output.files)
    with out.progress(_("Judging")) as progress:
        seen = run.run_shard(path, loaded, selection, wanted, root=root, progress=progress)
    body = {"schema_version": shard.SCHEMA_VERSION, "shard": shard.as_json(seen)}
    text = json.dumps(body, indent=1) + "\n"
    for file in files:
        out.deliver(text, file)
    if output.form == "json":
        out.deliver(text, output.file, machine=True)
    broken = [n for n, one in seen.measured.items() if one.measurement.outcome == "error"]
    raise typer.Exit(3 if broken else 0)


def judge(
    out: Console, path: Path, root: Path, loaded: "GateConfig", selection: "Selection"
) -> "GateReport":
    from sdlc_cli.gate.run import run as run_gates

    check_names(loaded, selection)
    warn_of_commands(out, loaded, selection)
    with out.progress(_("Judging")) as progress:
        return run_gates(path, loaded, selection, root=root, progress=progress)


def configured(path: Path, config: Path | None) -> "tuple[Path, GateConfig]":
    """The root that paths are relative to, and gates.yaml or the defaults."""
    from sdlc_cli.core.files import repository_root
    from sdlc_cli.gate import config as gates

    root = repository_root(path)
    file = config or gates.find(path if path.is_dir() else path.parent, root)
    return root, gates.load(file, root)


def check_names(config: "GateConfig", selection: "Selection") -> None:
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


def warn_of_commands(out: Console, config: "GateConfig", selection: "Selection") -> None:
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


def output_of(
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
        if target == "-":
            raise UsageError(
                msg("--report writes to files; the result itself goes to standard output"),
                hint=f"{ctx.command_path} --format {name}",
            )
        pairs.append((name, Path(target)))
    _must_differ([*([file] if file else []), *(target for _name, target in pairs)])
    return Output(form=form, file=file, reports=tuple(pairs))


def _must_differ(files: Sequence[Path]) -> None:
    """Raises UsageError when two results would go to one file."""
    seen: set[str] = set()
    for file in files:
        place = os.path.realpath(file)
        if place in seen and not place.startswith("/dev/"):
            raise UsageError(
                msg("two results would be written to {file}", file=file),
                hint=msg("a file of its own for each --report and for --output"),
            )
        seen.add(place)


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


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
