"""`sdlc deploy`: read the words, render, check, write, leave with the answer's exit code."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli import deploy_tools
from sdlc_cli.cli.deploy_tools import FailOn, fail_from
from sdlc_cli.cli.help import App
from sdlc_cli.cli.options import OutputPath, choice, console
from sdlc_cli.core.console import Console
from sdlc_cli.core.errors import NothingToDo, UsageError
from sdlc_cli.core.i18n import _, msg

if TYPE_CHECKING:
    from sdlc_cli.deploy.lock import Plan
    from sdlc_cli.deploy.rendering import Rendering
    from sdlc_cli.deploy.rules import Checked
    from sdlc_cli.deploy.write import Written

app = App(
    help=_("One deploy.yaml -> Dockerfile, manifests, chart, Terraform, pipeline, monitoring.")
)


def _complete_environment(incomplete: str) -> list[str]:
    from sdlc_cli.core.errors import SdlcError
    from sdlc_cli.deploy import rendering

    try:
        specs = rendering.load(None, allow_placeholder=True).specs
    except SdlcError:  # it is told when the command runs
        return []
    return [spec.environment for spec in specs if spec.environment.startswith(incomplete)]


def _folder(text: str) -> Path:
    """The folder that `--out` names: an empty text would be the present one."""
    if not text:
        raise UsageError(
            msg("{option} is empty: name a folder, or leave it away", option="--out"),
            hint="--out .",
        )
    return Path(text)


def _image(image: str | None) -> str | None:
    """An empty `--image` is a variable that a pipeline did not set."""
    if image == "":
        raise UsageError(
            msg("{option} is empty: name an image, or leave it away", option="--image"),
            hint="--image registry.example.com/app@sha256:…",
        )
    return image


Environments = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        "-e",
        metavar="NAME",
        autocompletion=_complete_environment,
        help=_("This environment of deploy.yaml."),
    ),
]
All = Annotated[bool, typer.Option("--all", help=_("Every environment of deploy.yaml."))]
DeployConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help=_("Read this deploy.yaml; else it is looked for here and upward."),
    ),
]
OutputFolder = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        parser=_folder,
        help=_("The folder of the files; else that of deploy.yaml."),
    ),
]
Image = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="REF@DIGEST",
        callback=_image,
        help=_("Deploy this image, as a pipeline built it."),
    ),
]
Format = Annotated[
    str, choice("--format", "-f", words=("text", "json"), help=_("The form of the result."))
]


@app.command(
    help=_(
        "Render the files of one or more environments, check them, and write them as one.\n\n"
        "Nothing is written when a rule is broken (exit code 1), or when a file was changed by"
        " hand or is not from a render (exit code 2). Without --force, files of yours are never"
        " touched."
    )
)
def render(
    ctx: typer.Context,
    env: Environments = None,
    every: All = False,
    config: DeployConfigPath = None,
    out: OutputFolder = None,
    image: Image = None,
    allow_placeholder: Annotated[
        bool,
        typer.Option(
            "--allow-placeholder",
            help=_("Let production have a digest that marks what is to be filled in."),
        ),
    ] = False,
    fail_on: FailOn = "medium",
    force: Annotated[
        bool,
        typer.Option("--force", help=_("Overwrite files that were changed by hand or are yours.")),
    ] = False,
    form: Format = "text",
    output: OutputPath = None,
) -> None:
    """Render, check, write."""
    from sdlc_cli.core.view import View
    from sdlc_cli.deploy import after, rendering, rules, write
    from sdlc_cli.deploy.report import Verdict, rendered

    screen = console(ctx)
    place = out or rendering.find_root(config)
    if write.repair(place):
        screen.note(_("a render that was killed before has been taken back first"))
    loaded = rendering.load(config, image=image or "", allow_placeholder=allow_placeholder)
    if bool(env) == every:
        known = [spec.environment for spec in loaded.specs]
        raise UsageError(
            msg("say which environments: --env NAME, or --all for {names}", names=", ".join(known)),
            hint=f"{ctx.command_path} --env {known[0]}" if known else "",
        )
    with screen.progress(_("Rendering")):
        made = rendering.rendering(loaded, env or ())
        verdict = Verdict(
            checked=_of_these(rules.check(made.all), made), fail_on=fail_from(fail_on)
        )
        if verdict.passed:
            written = made.write(place, force=force)
            plan = written.plan
            _tell(screen, written, force=force)
        else:
            plan = made.compare(place)
    paths = {one.path for one in made.artifacts}
    done = rendered.Done(
        app=loaded.specs[0].app,
        environments=made.chosen,
        out=place,
        plan=plan,
        verdict=verdict,
        written=verdict.passed,
        next=after.commands(made.specs, paths, _shown(place)) if verdict.passed else (),
        needs=after.needs(made.specs) if verdict.passed else (),
    )
    view = screen.view if output is None else View()
    text = rendered.as_json(done) if form == "json" else rendered.as_text(done, view)
    screen.deliver(text, output, machine=form == "json")
    raise typer.Exit(verdict.exit_code)


def _tell(screen: Console, written: "Written", *, force: bool) -> None:
    """What was done beside what was asked for."""
    for path in written.plan.paths("left") if not force else ():
        screen.warn(
            _("{path} is no longer rendered, but was changed by hand: it is yours now").format(
                path=path
            )
        )


def _of_these(checked: "Checked", made: "Rendering") -> "Checked":
    """The findings in what is written: the other environments are another render's business."""
    paths = {artifact.path for artifact in made.artifacts}
    found = tuple(one for one in checked.findings if one.location.path in paths | {""})
    return replace(checked, findings=found)


@app.command(
    help=_(
        "Show what a render would change, as a unified diff; nothing is written.\n\n"
        "Without --env and --all, of the environments that were rendered before."
    )
)
def diff(
    ctx: typer.Context,
    env: Environments = None,
    every: All = False,
    config: DeployConfigPath = None,
    out: OutputFolder = None,
    image: Image = None,
    output: OutputPath = None,
) -> None:
    """Show what a render would change."""
    from sdlc_cli.deploy import difference, turns

    screen = console(ctx)
    _made, plan, place = _compared(screen, config, out, image, env, every)
    turns.refuse_interrupted(place)
    color = screen.color and output is None
    screen.deliver(difference.unified(plan, place, color=color), output)
    if not plan.differs:
        screen.note(_("nothing would change"))


@app.command(
    help=_(
        "Tell whether the files are what deploy.yaml renders: exit code 1 when they are not.\n\n"
        "For CI. Without --env and --all, of the environments that were rendered before, with the"
        " image of that render."
    )
)
def drift(
    ctx: typer.Context,
    env: Environments = None,
    every: All = False,
    config: DeployConfigPath = None,
    out: OutputFolder = None,
    image: Image = None,
    form: Format = "text",
    output: OutputPath = None,
) -> None:
    """Tell whether the files are what deploy.yaml renders."""
    from sdlc_cli.deploy import turns, write
    from sdlc_cli.deploy.report import rendered

    screen = console(ctx)
    made, plan, place = _compared(screen, config, out, image, env, every)
    if not write.exists(place):
        raise NothingToDo(
            msg("nothing was rendered into {path} yet", path=place),
            hint="sdlc deploy render --all",
        )
    interrupted = turns.was_interrupted(place)
    if interrupted:
        screen.warn(_("a render was killed here: its files are of two renders until the next one"))
    if form == "json":
        text = rendered.drift_json(plan, made.chosen, interrupted=interrupted)
    else:
        text = rendered.drift_text(plan)
    screen.deliver(text, output, machine=form == "json")
    raise typer.Exit(1 if plan.differs or interrupted else 0)


def _compared(
    screen: Console,
    config: Path | None,
    out: Path | None,
    image: str | None,
    env: Sequence[str] | None,
    every: bool,
) -> "tuple[Rendering, Plan, Path]":
    """A rendering and how it differs from what lies in the output folder."""
    from sdlc_cli.deploy import rendering, write

    if env and every:
        raise UsageError(msg("--env and --all contradict each other"), hint=msg("one of the two"))
    place = out or rendering.find_root(config)
    before = write.last(place)
    # What marks a place to be filled in is as good as any other: nothing is deployed here.
    loaded = rendering.load(config, image=image or before.image, allow_placeholder=True)
    known = {spec.environment for spec in loaded.specs}
    names = list(env or ())
    if not names and not every:
        names = [name for name in before.environments if name in known]
    with screen.progress(_("Rendering")):
        made = rendering.rendering(loaded, names)
        plan = made.compare(place)
    return made, plan, place


def _shown(folder: Path) -> Path:
    """The folder as somebody in the present one would write it."""
    here = Path.cwd()
    there = folder.absolute()
    return there.relative_to(here) if there.is_relative_to(here) else folder


deploy_tools.register(app)
