"""Our commands and groups for Typer: help pages in our layout, usage errors in our words.

Typer carries its own click (`typer._click`) and both speak English in places that no option
reaches; what is overridden here is what they print. pyproject.toml pins the range of Typer.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from typer import core
from typer._click import Context, exceptions
from typer._click.core import Command as ClickCommand
from typer._click.core import Parameter as ClickParameter
from typer._click.shell_completion import CompletionItem

from sdlc_cli.cli import front
from sdlc_cli.cli.values import Parameter, adopt, metavar, shown_name
from sdlc_cli.core.console import Console
from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import _, local, msg
from sdlc_cli.core.nearest import nearest

if TYPE_CHECKING:  # loads where a page is shown
    from sdlc_cli.cli.page import Page

CONTEXT = {"help_option_names": list(front.HELP)}


def console(ctx: Context) -> Console:
    """The run's console. Before the first command made one, a plain one."""
    made = ctx.find_root().obj
    return made if isinstance(made, Console) else Console()


class Command(core.TyperCommand):
    """A command that runs."""

    allow_extra_args = True  # so that `parse_args` can refuse them in our words

    def __init__(self, name: str | None, **settings: Any) -> None:
        super().__init__(name, **settings)
        for param in self.params:
            adopt(param)

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Read the words. Raises UsageError."""
        with _told_where(ctx):
            rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            raise UsageError(
                msg("there is a word too many: {word}", word=rest[0]),
                hint=f"{ctx.command_path} --help",
            )
        return rest

    def get_help(self, ctx: Context) -> str:
        return _help(self, ctx)

    def get_help_option(self, ctx: Context) -> core.TyperOption | None:
        return _own_words(super().get_help_option(ctx))

    def get_short_help_str(self, limit: int = 45) -> str:
        return _summary(self)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        return [*super().shell_complete(ctx, incomplete), *_everywhere(ctx, incomplete)]


class Group(core.TyperGroup):
    """A word with commands under it. Alone it shows its page, as a mistake: exit code 2."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for param in self.params:
            adopt(param)

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Read the words up to the command's name."""
        if ctx.parent is None:
            args = front.hoist(args) if not ctx.resilient_parsing else _hoist_what_can(args)
        with _told_where(ctx):
            rest = super().parse_args(ctx, args)
        asked = bool(ctx._protected_args) or self.invoke_without_command
        if not asked and not ctx.resilient_parsing:
            console(ctx).result(self.get_help(ctx))
            raise typer.Exit(UsageError.exit_code)
        return rest

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, ClickCommand | None, list[str]]:
        """The command that `args` begin with. Raises UsageError with the nearest name."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            shown = [n for n, known in self.commands.items() if not known.hidden]
            close = nearest(name, shown)
            raise UsageError(
                msg("there is no command {name} in {group}", name=name, group=ctx.command_path),
                hint=f"{ctx.command_path} {close or '--help'}",
            )
        return (name if command else None), command, args[1:]

    def get_help(self, ctx: Context) -> str:
        return _help(self, ctx)

    def get_help_option(self, ctx: Context) -> core.TyperOption | None:
        return _own_words(super().get_help_option(ctx))

    def get_short_help_str(self, limit: int = 45) -> str:
        return _summary(self)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        found = super().shell_complete(ctx, incomplete)
        return found if ctx.parent is None else [*found, *_everywhere(ctx, incomplete)]


class App(typer.Typer):
    """A Typer app whose commands are ours. `help` is made with `_()`, like all help texts.

    `App(help=_("…"))` is a group; add it with `add_typer(app, name=…)`.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            **{
                "cls": Group,
                "rich_markup_mode": None,
                "pretty_exceptions_enable": False,
                "add_completion": False,
                "context_settings": CONTEXT,
            }
            | settings
        )

    def command(
        self, name: str | None = None, **settings: Any
    ) -> Callable[[typer.models.CommandFunctionType], typer.models.CommandFunctionType]:
        """As Typer's, with our `Command`."""
        return super().command(name, **{"cls": Command} | settings)


def in_our_words(error: exceptions.ClickException) -> UsageError:
    """What Typer complains of, as an error that prints in the user's language."""
    ctx = error.ctx if isinstance(error, exceptions.UsageError) else None
    path = ctx.command_path if ctx else "sdlc"
    if isinstance(error, exceptions.NoSuchOption):
        close = _near_option(error.option_name, _options(ctx))
        return UsageError(
            msg(
                "there is no option {option} for {command}", option=error.option_name, command=path
            ),
            hint=f"{path} {close or '--help'}",
        )
    if isinstance(error, exceptions.MissingParameter) and isinstance(error.param, Parameter):
        return _missing(error.param, path)
    if isinstance(error, exceptions.BadOptionUsage):
        return _bad_use(error.option_name, ctx, path)
    if isinstance(error, exceptions.BadParameter) and isinstance(error.param, Parameter):
        name = shown_name(error.param)
        return UsageError(
            msg("{name} cannot be used like this: {reason}", name=name, reason=error.message),
            hint=f"{path} --help",
        )
    return UsageError(error.message, hint=f"{path} --help")


def _near_option(option: str, known: list[str]) -> str:
    """One that differs in a letter or two; the hyphens before it make nothing alike."""
    close = nearest(option.lstrip("-"), [one.lstrip("-") for one in known], cutoff=0.75)
    return f"--{close}" if close and len(option) > 2 else ""


def _missing(param: Parameter, path: str) -> UsageError:
    name = shown_name(param)
    example = metavar(param) if isinstance(param, core.TyperArgument) else _with_value(param)
    return UsageError(msg("{name} is missing", name=name), hint=f"{path} {example}")


def _bad_use(option: str, ctx: Context | None, path: str) -> UsageError:
    for param in ctx.command.get_params(ctx) if ctx else ():
        if isinstance(param, core.TyperOption) and option in (*param.opts, *param.secondary_opts):
            if param.is_flag:
                text = msg("{option} takes no value", option=option)
                return UsageError(text, hint=f"{path} {option}")
            text = msg("{option} needs a value", option=option)
            return UsageError(text, hint=f"{path} {option} {metavar(param)}")
    return UsageError(msg("{option} needs a value", option=option), hint=f"{path} --help")


def _with_value(param: Parameter) -> str:
    return f"{shown_name(param)} {metavar(param)}"


def _options(ctx: Context | None) -> list[str]:
    if ctx is None:
        return []
    params = [*ctx.command.get_params(ctx), *ctx.find_root().command.params[:4]]
    return [
        option
        for param in params
        if isinstance(param, core.TyperOption) and not param.hidden
        for option in (*param.opts, *param.secondary_opts)
        if option.startswith("--")
    ]


@contextmanager
def _told_where(ctx: Context) -> Iterator[None]:
    """Typer forgets to say in which command some of its complaints arose."""
    try:
        yield
    except exceptions.UsageError as error:
        error.ctx = error.ctx or ctx
        raise


def _hoist_what_can(args: list[str]) -> list[str]:
    try:
        return front.hoist(args)
    except UsageError:  # a half-written line is being completed
        return args


def _everywhere(ctx: Context, incomplete: str) -> list[CompletionItem]:
    """The options that work everywhere, for the completion of a command below the first."""
    if not incomplete.startswith("-"):
        return []
    return [
        CompletionItem(word, help=text)
        for shown, text in front.everywhere().values()
        for word in (shown.split()[-1] if "LANG" not in shown else "--lang",)
        if word.startswith(incomplete)
    ]


def _own_words(option: core.TyperOption | None) -> core.TyperOption | None:
    if option is not None:
        option.opts = list(front.HELP)
        option.help = front.help_line()
        option.callback = _show_help
        adopt(option)
    return option


def _show_help(ctx: Context, param: ClickParameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        console(ctx).result(ctx.get_help())
        ctx.exit()


def _summary(command: ClickCommand) -> str:
    from sdlc_cli.cli import page

    text = command.short_help or (page.paragraphs(inspect.cleandoc(command.help or "")) or [""])[0]
    return " ".join(text.split())


def _help(command: ClickCommand, ctx: Context) -> str:
    from sdlc_cli.cli import page

    out = console(ctx)
    made = front.page() if ctx.parent is None else _page(command, ctx)
    return page.render(made, out.width, color=out.color).rstrip("\n")


def _page(command: ClickCommand, ctx: Context) -> "Page":
    """The help page of any command below the first."""
    from sdlc_cli.cli import page

    params = [p for p in command.get_params(ctx) if isinstance(p, Parameter)]
    shown = [p for p in params if not p.hidden]
    arguments = [p for p in shown if isinstance(p, core.TyperArgument)]
    options = [p for p in shown if isinstance(p, core.TyperOption)]
    usage = [ctx.command_path, f"[{_('options')}]", *map(_usage, arguments)]
    sections = [
        page.Section(title=_("Arguments"), rows=tuple((_usage(p), _text(p)) for p in arguments)),
        page.Section(title=_("Options"), rows=tuple((_term(p), _text(p)) for p in options)),
    ]
    footer = _("With every command: {options}.").format(options=_global_names())
    if isinstance(command, core.TyperGroup):
        usage += [_("COMMAND"), "..."]
        rows = [(n, _summary(c)) for n, c in command.commands.items() if not c.hidden]
        sections.insert(0, page.Section(title=_("Commands"), rows=tuple(rows)))
        footer = front.footer(f"{ctx.command_path} COMMAND") + " " + footer
    return page.Page(
        usage=" ".join(usage),
        text=inspect.cleandoc(command.help or ""),
        sections=tuple(section for section in sections if section.rows),
        footer=footer,
    )


def _global_names() -> str:
    return ", ".join(shown for shown, _line in front.everywhere().values())


def _usage(param: core.TyperArgument) -> str:
    name = metavar(param)
    return (name if param.required else f"[{name}]") + ("..." if param.nargs != 1 else "")


def _term(param: core.TyperOption) -> str:
    names = ", ".join(sorted(param.opts, key=len))
    if param.secondary_opts:
        names += " / " + ", ".join(sorted(param.secondary_opts, key=len))
    return names if param.is_flag or param.count else f"{names} {metavar(param)}"


def _text(param: Parameter) -> str:
    """The parameter's help, and behind it what the user may want to know of its values."""
    extra: list[str] = []
    if isinstance(param, core.TyperOption) and param.multiple:
        extra.append(_("may be repeated"))
    if param.required and isinstance(param, core.TyperOption):
        extra.append(_("required"))
    default = _default(param)
    if default:
        extra.append(_("default: {value}").format(value=default))
    text = param.help or ""
    return f"{text} [{'; '.join(extra)}]" if extra else text


def _default(param: Parameter) -> str:
    if isinstance(param.show_default, str):
        return local(param.show_default)
    value = param.default
    if not param.show_default or value is None or value is False or callable(value):
        return ""
    if isinstance(value, bool):
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return str(value)
