"""sdlc init, doctor and schema: the first commands that somebody runs. Thin."""

from pathlib import Path
from typing import Annotated

import typer

from sdlc_cli.cli import front
from sdlc_cli.cli.help import App
from sdlc_cli.cli.options import OutputPath, choice, console
from sdlc_cli.core.i18n import _

_FORMATS = ("text", "json")
_SYSTEMS = ("github", "gitlab")


def register(app: App) -> None:
    """Add the commands to the root."""
    lines = front.commands()
    app.command("init", help=f"{lines['init']}\n\n{_init_text()}")(init)
    app.command("doctor", help=f"{lines['doctor']}\n\n{_doctor_text()}")(doctor)
    app.command("schema", help=f"{lines['schema']}\n\n{_schema_text()}")(schema)


def _init_text() -> str:
    return _(
        "It claims nothing that is not there: a gate whose report or tests are missing is left "
        "as a comment. Files that exist are kept, unless you say --force."
    )


def init(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help=_("The repository."), exists=True)] = Path("."),
    ci: Annotated[
        str, choice("--ci", words=_SYSTEMS, help=_("Write the file for this CI system too."))
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help=_("Overwrite a gates.yaml that exists."))
    ] = False,
) -> None:
    """Write gates.yaml, and say what comes next."""
    from sdlc_cli.gate import scaffold

    out = console(ctx)
    written = scaffold.write(path, ci=ci, force=force)
    for line in scaffold.describe(written):
        out.result(line)


def _doctor_text() -> str:
    return _("Exit code 3 when a package that every command needs is missing or broken.")


def doctor(
    ctx: typer.Context,
    form: Annotated[
        str, choice("--format", words=_FORMATS, help=_("The form of the result."))
    ] = "text",
    output: OutputPath = None,
) -> None:
    """Look at the machine, and print what was found."""
    from sdlc_cli.cli import doctor as examination

    out = console(ctx)
    found = examination.examine()
    if form == "json":
        out.deliver(examination.as_json(found), output)
    else:
        out.deliver(examination.as_text(found, out.width), output)
    raise typer.Exit(found.exit_code)


def _schema_text() -> str:
    return _("Without NAME it lists the names. Editors take such a file to check what you write.")


def _schema_names(incomplete: str) -> list[str]:
    from sdlc_cli.cli import schemas

    return [name for name in schemas.NAMES if name.startswith(incomplete)]


def schema(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(help=_("The file or the result."), autocompletion=_schema_names)
    ] = "",
    output: OutputPath = None,
) -> None:
    """Print one schema, or the names of all."""
    from sdlc_cli.cli import schemas

    out = console(ctx)
    if not name:
        out.deliver(schemas.listing(), output)
        return
    out.deliver(schemas.text(name, ctx.command_path), output)
