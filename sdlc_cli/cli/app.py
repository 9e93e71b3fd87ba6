"""The root Typer app: mounts the groups, reads what works everywhere, runs one command."""

import os
from collections.abc import Callable, Sequence
from copy import copy
from importlib import import_module
from typing import Annotated, Any

import typer
from typer._click import Context, exceptions

from sdlc_cli import __version__
from sdlc_cli.cli import completion, front, start
from sdlc_cli.cli.help import CONTEXT, App, Group, console, in_our_words
from sdlc_cli.cli.options import must_be_one_of
from sdlc_cli.core import i18n
from sdlc_cli.core.console import Console
from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import _, msg


def _option(name: str, *, does: Callable[..., None] | None = None) -> Any:
    """One of the options that `front` describes. One that `does` something does it and ends."""
    shown, text = (front.everywhere() | front.only_here())[name]
    words = shown.replace(",", "").split()
    return typer.Option(
        *(word for word in words if word.startswith("-")),
        metavar=None if words[-1].startswith("-") else words[-1],
        help=text,
        is_eager=does is not None,
        callback=does,
        allow_from_autoenv=does is None,
    )


def _show_version(ctx: typer.Context, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        console(ctx).result(f"sdlc {__version__}")
        raise typer.Exit


def _show_completion(ctx: typer.Context, value: str) -> None:
    if value and not ctx.resilient_parsing:
        console(ctx).result(completion.script(value))
        raise typer.Exit


def _install_completion(ctx: typer.Context, value: str) -> None:
    if value and not ctx.resilient_parsing:
        shell, path = completion.install(value)
        done = _("completion for {shell} is in {path}; it works in the next shell that you open")
        console(ctx).result(done.format(shell=shell, path=path))
        raise typer.Exit


app = App(context_settings=CONTEXT | {"auto_envvar_prefix": "SDLC"})


@app.callback(help=front.summary())
def everywhere(
    ctx: typer.Context,
    quiet: Annotated[bool, _option("quiet")] = False,
    verbose: Annotated[bool, _option("verbose")] = False,
    no_color: Annotated[bool, _option("no_color")] = False,
    lang: Annotated[str, _option("lang")] = "",
    version: Annotated[bool, _option("version", does=_show_version)] = False,
    install_completion: Annotated[
        str, _option("install_completion", does=_install_completion)
    ] = "",
    show_completion: Annotated[str, _option("show_completion", does=_show_completion)] = "",
) -> None:
    """Read what works everywhere, before the command runs."""
    ctx.obj = made = _console(ctx, quiet, verbose, no_color)
    if lang and lang != i18n.PSEUDO:
        _check_language(ctx, made, lang)


def _console(ctx: Context, quiet: bool, verbose: bool, no_color: bool) -> Console:
    """An option beats a variable; two of the same kind contradict each other."""
    if quiet and verbose:
        quiet, verbose = _by_option(ctx, "quiet"), _by_option(ctx, "verbose")
        if quiet == verbose:
            raise UsageError(
                msg("--quiet and --verbose contradict each other"), hint=msg("one of the two")
            )
    return Console(quiet=quiet, verbose=verbose, color=False if no_color else None)


def _by_option(ctx: Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _check_language(ctx: Context, made: Console, lang: str) -> None:
    if _by_option(ctx, "lang"):
        must_be_one_of(lang, i18n.LANGUAGES, "--lang", ctx.command_path)
    elif lang.replace("-", "_").split("_")[0].lower() not in i18n.LANGUAGES:
        unknown = _("SDLC_LANG is '{lang}', which sdlc does not speak: use {languages}")
        made.warn(unknown.format(lang=lang, languages=", ".join(i18n.LANGUAGES)))


# Loaded when asked for: reading another job's command line takes as long as looking up hundreds
# of unchanged files.
GROUPS = {
    "gate": "sdlc_cli.cli.gate",
    "cost": "sdlc_cli.cli.cost",
    "deploy": "sdlc_cli.cli.deploy",
    "serve": "sdlc_cli.cli.serve",
}
# Commands of their own, loaded likewise: each module's `register` adds one to the app.
COMMANDS = {
    "plan": "sdlc_cli.cli.plan",
}
start.register(app)


def build(words: Sequence[str] = ()) -> Group:
    """The command table, in the order of the first page: of the group that `words` begin with.

    Of the group, only the command that they go on with; where they name none, all there is.
    """
    root = typer.main.get_command(_mounted(words))
    assert isinstance(root, Group)
    order = list(front.commands())
    root.commands = dict(sorted(root.commands.items(), key=lambda item: order.index(item[0])))
    return root


def _mounted(words: Sequence[str]) -> typer.Typer:
    root = copy(app)
    root.registered_groups = []
    asked = words[0] if words and words[0] in (*GROUPS, *COMMANDS) else ""
    root.registered_commands = [] if asked else list(app.registered_commands)
    for name, module in COMMANDS.items():
        if asked in ("", name):
            import_module(module).register(root)
    for name, module in GROUPS.items():
        if asked in ("", name):
            group: typer.Typer = import_module(module).app
            group = _narrowed(group, words[1:]) if asked else group
            root.add_typer(group, name=name, short_help=front.commands()[name])
    return root


def _narrowed(group: typer.Typer, words: Sequence[str]) -> typer.Typer:
    """The group with the one command that `words` begin with: Typer takes 10 ms to make all."""
    for command in group.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        if [name] == list(words[:1]):
            group = copy(group)
            group.registered_commands = [command]
            break
    return group


def main(argv: list[str]) -> int:
    """Run one command and answer with its exit code.

    Raises SdlcError and whatever else goes wrong: `cli.ending.run` turns it into an exit code.
    """
    if completion.VARIABLE in os.environ:
        return completion.answer(build())
    root = build(argv)
    try:
        with root.make_context("sdlc", list(argv)) as ctx:
            root.invoke(ctx)
    except typer.Exit as end:
        return end.exit_code
    except exceptions.ClickException as error:
        raise in_our_words(error) from None
    return 0
