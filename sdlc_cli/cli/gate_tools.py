"""`sdlc gate` beside the run: baseline, merge, drill, simulate, tune."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli.help import App
from sdlc_cli.cli.judging import (
    BaselineFolder,
    Format,
    Generation,
    Jobs,
    PathArgument,
    Report,
    configured,
    cores,
    judge,
    output_of,
    report_on,
    warn_of_commands,
)
from sdlc_cli.cli.options import ConfigPath, OutputPath, choice, console
from sdlc_cli.core.console import Console
from sdlc_cli.core.errors import ConfigError, UsageError
from sdlc_cli.core.i18n import _, msg, ngettext

if TYPE_CHECKING:
    from sdlc_cli.gate.accept import Grounds, Written
    from sdlc_cli.gate.drill import DrillReport
    from sdlc_cli.gate.model import GateReport
    from sdlc_cli.gate.report.tabled import Page
    from sdlc_cli.gate.simulate import Simulation
    from sdlc_cli.gate.tune import Tuned

TableFormat = Annotated[
    str,
    choice("--format", "-f", words=("text", "markdown", "json"), help=_("The form of the result.")),
]


def register(app: App) -> None:
    """Add these commands to `sdlc gate`."""
    app.command(
        help=_(
            "Accept what the gates find today: one small file for each finding.\n\n"
            "From then on a run fails on what is new, and on what got worse. With --tighten,"
            " what was mended since is no longer accepted, and nothing new is."
        )
    )(baseline)
    app.command(
        help=_(
            "Join the reports of `sdlc gate run --shard K/N` into one verdict.\n\n"
            "Run it in a checkout of the commit that the shards judged."
        )
    )(merge)
    app.command(
        help=_(
            "Prove that the pipeline can fail: plant known defects in a copy and see which are"
            " caught.\n\n"
            "Exit code 1 when a gate that is set up for a defect did not notice it."
        )
    )(drill)
    app.command(
        help=_(
            "Judge past commits by today's gates and a generation's threshold.\n\n"
            "Nothing of the repository is run, so gates that run something are left out."
        )
    )(simulate)
    app.command(
        help=_(
            "Try the variants listed under `tune` in gates.yaml and tell which are faster.\n\n"
            "Each is compared with the unchanged state in pairs, by the performance gate's"
            " benchmarks."
        )
    )(tune)


def baseline(
    ctx: typer.Context,
    path: PathArgument = Path(),
    config: ConfigPath = None,
    folder: BaselineFolder = "",
    tighten: Annotated[
        bool, typer.Option("--tighten", help=_("Only take away what is no longer found."))
    ] = False,
    owner: Annotated[
        str, typer.Option("--owner", metavar="NAME", help=_("Who looks after the new entries."))
    ] = "",
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help=_("Why the new entries are accepted."))
    ] = "",
    expires: Annotated[
        str,
        typer.Option(
            "--expires", metavar="DATE", help=_("The last day they are accepted, as 2027-01-31.")
        ),
    ] = "",
    jobs: Jobs = 0,
) -> None:
    """Accept what the gates find today."""
    from sdlc_cli.gate import accept
    from sdlc_cli.gate.run import BASELINE, Selection

    grounds = _grounds(owner, reason, expires)
    out = console(ctx)
    root, loaded = configured(path, config)
    report = judge(out, path, root, loaded, Selection(baseline=None, jobs=jobs or cores()))
    place = Path(folder) if folder else loaded.root / BASELINE
    written = accept.tighten(report, place) if tighten else accept.accept(report, place, grounds)
    out.result(_written(written))
    for name in written.not_judged:
        out.note(_("{gate} was not judged, so its baseline stays").format(gate=name))


def _grounds(owner: str, reason: str, expires: str) -> "Grounds":
    from datetime import date

    from sdlc_cli.gate.accept import Grounds

    try:
        day = date.fromisoformat(expires) if expires else None
    except ValueError:
        raise UsageError(
            msg("--expires takes a date, not '{word}'", word=expires), hint="--expires 2027-01-31"
        ) from None
    return Grounds(owner=owner, reason=reason, expires=day)


def _written(written: "Written") -> str:
    total = len(written.added) + len(written.changed) + len(written.removed)
    if not total:
        return _("the baseline stays as it is")
    return _("baseline: {added} added, {changed} changed, {removed} removed").format(
        added=len(written.added), changed=len(written.changed), removed=len(written.removed)
    )


def merge(
    ctx: typer.Context,
    reports: Annotated[
        list[Path], typer.Argument(exists=True, help=_("The JSON report of each shard."))
    ],
    path: Annotated[
        Path,
        typer.Option("--path", metavar="PATH", exists=True, help=_("The folder that was judged.")),
    ] = Path(),
    config: ConfigPath = None,
    form: Format = "text",
    output: OutputPath = None,
    report: Report = None,
) -> None:
    """Join the reports of shards into one verdict."""
    import msgspec

    from sdlc_cli.gate import run, shard

    outputs = output_of(ctx, form, output, report)
    parts = [shard.read(file) for file in reports]
    try:
        selection = msgspec.convert(dict(parts[0].origin.selection), run.Selection)
    except msgspec.ValidationError as error:
        raise ConfigError(
            msg("{file} is no report of a shard: {why}", file=reports[0].name, why=str(error))
        ) from None
    root, loaded = configured(path, config)
    files = (*map(str, reports), *outputs.files)
    selection = replace(selection, outputs=files)
    merged = run.merge(path, loaded, selection, parts, root=root)
    report_on(console(ctx), merged, root, outputs)
    raise typer.Exit(merged.exit_code)


def drill(
    ctx: typer.Context,
    path: PathArgument = Path(),
    config: ConfigPath = None,
    generation: Generation = "",
    form: TableFormat = "text",
    output: OutputPath = None,
    jobs: Jobs = 0,
) -> None:
    """Plant defects in a copy; tell which the gates caught."""
    out = console(ctx)
    result = _drill(out, path, config, int(generation or 0), jobs or cores())
    _deliver(out, _drilled(result), form, output)
    raise typer.Exit(result.exit_code)


def _drill(
    out: Console, path: Path, config: Path | None, generation: int, jobs: int
) -> "DrillReport":
    from sdlc_cli.gate import source
    from sdlc_cli.gate.drill import drill as plant
    from sdlc_cli.gate.run import Selection
    from sdlc_cli.gate.run import run as run_gates

    root, loaded = configured(path, config)
    if loaded.file and path.resolve().is_relative_to(loaded.root.resolve()):
        root = loaded.root  # no more is copied than the project that gates.yaml is about
    # The load gate takes long, and no defect is planted for it.
    loaded = replace(loaded, gates={n: g for n, g in loaded.gates.items() if n != "load"})
    project = source.open_project(
        root=root,
        base=loaded.root,
        scope=path,
        paths=loaded.paths,
        exclude=loaded.exclude,
        configured=loaded.file is not None,
    )
    warn_of_commands(out, loaded, Selection())
    within = path.resolve().relative_to(root.resolve())
    base = loaded.root.resolve().relative_to(root.resolve())

    def judged(folder: Path, names: frozenset[str]) -> "GateReport":
        moved = replace(loaded, root=folder / base)
        chosen = Selection(only=tuple(names), generation=generation, baseline=None, jobs=jobs)
        return run_gates(folder / within, moved, chosen, root=folder)

    with out.progress(_("Planting defects")) as progress:
        return plant(root, loaded, judged, files=project.files, tell=_teller(progress.begin))


def _drilled(result: "DrillReport") -> "Page":
    from sdlc_cli.gate.drill import as_json, as_table
    from sdlc_cli.gate.report.tabled import Page

    headline = _("{caught} of {total} defects caught, {seen} reported only, {missed} missed")
    return Page(
        headline=headline.format(
            caught=result.count("caught"),
            seen=result.count("seen"),
            missed=result.count("missed"),
            total=len(result.planted),
        ),
        good=result.passed,
        table=as_table(result),
        body=as_json(result),
        notes=result.notes,
    )


def simulate(
    ctx: typer.Context,
    path: PathArgument = Path(),
    config: ConfigPath = None,
    generation: Generation = "",
    commits: Annotated[
        int, typer.Option("--commits", metavar="N", min=1, help=_("How many commits to judge."))
    ] = 20,
    form: TableFormat = "text",
    output: OutputPath = None,
    jobs: Jobs = 0,
) -> None:
    """Judge past commits by today's thresholds."""
    from sdlc_cli.gate.config import GateConfig
    from sdlc_cli.gate.run import Selection
    from sdlc_cli.gate.run import run as run_gates
    from sdlc_cli.gate.simulate import simulate as replay

    out = console(ctx)
    root, loaded = configured(path, config)
    number = int(generation or loaded.generation)
    within = path.resolve().relative_to(root.resolve())

    def judged(folder: Path, moved: GateConfig, names: frozenset[str]) -> "GateReport":
        chosen = Selection(
            only=tuple(names), generation=number, baseline=None, jobs=jobs or cores()
        )
        return run_gates(folder / within, moved, chosen, root=folder)

    with out.progress(_("Judging commits")) as progress:
        result = replay(root, loaded, number, commits, judged, tell=_teller(progress.begin))
    _deliver(out, _simulated(result), form, output)
    raise typer.Exit(result.exit_code)


def _simulated(result: "Simulation") -> "Page":
    from sdlc_cli.gate.report.tabled import Page
    from sdlc_cli.gate.simulate import as_json, as_table

    passed = sum(row.passed is True for row in result.rows)
    headline = ngettext(
        "{passed} of {total} commit would have passed generation {generation}",
        "{passed} of {total} commits would have passed generation {generation}",
        len(result.rows),
    )
    notes = (
        (msg("left out, since they run something: {gates}", gates=", ".join(result.left_out)),)
        if result.left_out
        else ()
    )
    return Page(
        headline=headline.format(
            passed=passed, total=len(result.rows), generation=result.generation
        ),
        good=passed == len(result.rows),
        table=as_table(result),
        body=as_json(result),
        notes=notes,
    )


def tune(
    ctx: typer.Context,
    path: PathArgument = Path(),
    config: ConfigPath = None,
    form: TableFormat = "text",
    output: OutputPath = None,
) -> None:
    """Try variants; tell which are faster."""
    from sdlc_cli.gate.options import Performance
    from sdlc_cli.gate.run import Selection
    from sdlc_cli.gate.tune import tune as try_all

    out = console(ctx)
    _root, loaded = configured(path, config)
    performance = loaded.gates.get("performance")
    if loaded.tune is None or not isinstance(performance, Performance):
        raise ConfigError(
            msg("gates.yaml lists no variants to try"),
            hint=msg("add `tune: {variants: […]}` and benchmarks under gates.performance"),
        )
    warn_of_commands(out, loaded, Selection(only=("performance",)))
    with out.progress(_("Comparing")) as progress:
        result = try_all(loaded.root, performance, loaded.tune, advance=_teller(progress.begin))
    _deliver(out, _tuned(result), form, output)
    raise typer.Exit(result.exit_code)


def _tuned(result: "Tuned") -> "Page":
    from sdlc_cli.gate.report.tabled import Page
    from sdlc_cli.gate.tune import as_json, as_table, told

    tried = len(result.variants)
    headline = ngettext(
        "{kept} of {tried} variant is worth keeping",
        "{kept} of {tried} variants are worth keeping",
        tried,
    )
    return Page(
        headline=headline.format(kept=len(result.kept), tried=tried),
        good=bool(result.kept),
        table=as_table(result),
        body=as_json(result),
        notes=(*told(result), *result.notes),
    )


def _deliver(out: Console, page: "Page", form: str, output: Path | None) -> None:
    from sdlc_cli.core.view import View
    from sdlc_cli.gate.report import tabled

    view = out.view if form == "text" and not output else View()
    out.deliver(tabled.render(page, form, view), output, machine=form != "text")


def _teller(begin: Callable[[str, int], None]) -> Callable[[str, int, int], None]:
    """Progress for work that says which step of how many it begins."""

    def tell(what: str, done: int, total: int) -> None:
        begin(f"{what} ({done + 1}/{total})", 0)

    return tell
