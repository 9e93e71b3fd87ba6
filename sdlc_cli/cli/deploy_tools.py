"""`sdlc deploy` beside the render: validate, explain, eject, init."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdlc_cli.cli.help import App
from sdlc_cli.cli.options import OutputPath, choice, console
from sdlc_cli.core.i18n import _, msg

if TYPE_CHECKING:
    from sdlc_cli.core.finding import Severity
    from sdlc_cli.core.view import View

NEVER = "never"
FORMATS = ("text", "json", "sarif", "junit", "github", "gitlab", "markdown")
FailOn = Annotated[
    str,
    choice(
        "--fail-on",
        words=("low", "medium", "high", "critical", NEVER),
        metavar="SEVERITY",
        help=_("A finding of at least this severity breaks it."),
    ),
]


def register(app: App) -> None:
    """Add these commands to `sdlc deploy`."""
    app.command(
        help=_(
            "Hold deployment files against the rules, whoever wrote them; nothing is run.\n\n"
            "Manifests, Dockerfiles, workflows, Terraform, alerts. Exit codes: 0 passed, 1 did not"
            " pass, 2 wrong words, 3 a render was killed there, 4 nothing to look at."
        )
    )(validate)
    app.command(
        help=_("List the rules. With RULE, tell what it looks for, why, and how to mend it.")
    )(explain)
    app.command(
        help=_(
            "List the templates. With TEMPLATE, copy it to where your own come before ours.\n\n"
            "`templates: .sdlc/templates` in deploy.yaml makes a render use that folder."
        )
    )(eject)
    app.command(help=_("Write a first deploy.yaml, commented, from what the repository has."))(init)


def validate(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", exists=True, help=_("The folder with the files."))
    ] = Path(),
    fail_on: FailOn = "medium",
    form: Annotated[
        str, choice("--format", "-f", words=FORMATS, help=_("The form of the result."))
    ] = "text",
    output: OutputPath = None,
) -> None:
    """Hold deployment files against the rules."""
    from sdlc_cli.core.errors import UsageError
    from sdlc_cli.core.files import repository_root
    from sdlc_cli.deploy import report, rules, turns

    out = console(ctx)
    if not folder.is_dir():
        hint = msg("the folder that holds it")
        raise UsageError(msg("{path} is not a folder", path=folder), hint=hint)
    root = repository_root(folder)
    turns.refuse_interrupted_above(folder)
    with out.progress(_("Checking")):
        checked = rules.check(folder).under(folder.resolve().relative_to(root).as_posix())
    verdict = report.Verdict(checked=checked, fail_on=fail_from(fail_on))
    view = out.view if output is None else View()
    out.deliver(report.load(form).render(verdict, view), output, machine=form != "text")
    raise typer.Exit(verdict.exit_code)


def fail_from(word: str) -> "Severity | None":
    """The severity that `--fail-on` names."""
    from sdlc_cli.core.finding import Severity

    return None if word == NEVER else Severity(word)


def explain(
    ctx: typer.Context,
    rule: Annotated[str, typer.Argument(help=_("A rule's id, as a finding shows it."))] = "",
    form: Annotated[
        str, choice("--format", "-f", words=("text", "json"), help=_("The form of the result."))
    ] = "text",
    output: OutputPath = None,
) -> None:
    """Tell what a rule means."""
    from sdlc_cli.core.view import View
    from sdlc_cli.deploy import rules
    from sdlc_cli.deploy.report import explanation

    out = console(ctx)
    view = out.view if output is None else View()
    if rule:
        text = explanation.one(rules.explain(rule), form, view)
    else:
        text = explanation.every(tuple(rules.every().values()), form, view)
    out.deliver(text, output, machine=form == "json")


def eject(
    ctx: typer.Context,
    template: Annotated[
        str, typer.Argument(help=_("A template, as kubernetes/service.yaml.j2."))
    ] = "",
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help=_("Read this deploy.yaml; else it is looked for here and upward."),
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help=_("Overwrite a copy that exists."))
    ] = False,
) -> None:
    """Copy a template to the user's own."""
    from sdlc_cli.deploy import eject as ejecting

    out = console(ctx)
    if not template:
        out.result("\n".join(ejecting.names()))
        return
    done = ejecting.eject(template, config, force=force)
    out.result(_("copied to {path}").format(path=done.path))
    if not done.used:
        out.note(
            _("deploy.yaml does not use that folder yet; add the line: templates: {folder}").format(
                folder=done.folder
            )
        )


def init(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help=_("The repository."), exists=True)] = Path(),
    force: Annotated[
        bool, typer.Option("--force", help=_("Overwrite a deploy.yaml that exists."))
    ] = False,
) -> None:
    """Write a first deploy.yaml."""
    from sdlc_cli.deploy import eject as ejecting

    file = ejecting.first(path, force=force)
    out = console(ctx)
    out.result(_("wrote {path}").format(path=file))
    out.result("sdlc deploy render --env dev")
