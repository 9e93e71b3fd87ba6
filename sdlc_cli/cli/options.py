"""Option types that several commands share, and plain words checked in the user's language."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sdlc_cli.cli.help import console
from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import _, msg
from sdlc_cli.core.nearest import nearest

__all__ = ["ConfigPath", "OutputPath", "choice", "console", "must_be_one_of", "one_of"]

OutputPath = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help=_("Write the result to FILE, not to the screen.")
    ),
]
ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help=_("Read this configuration; else it is looked for in PATH and upward."),
    ),
]


def choice(*names: str, words: Sequence[str], help: str, metavar: str = "", **more: Any) -> Any:  # noqa: A002 - Typer's own word
    """An option that takes one of `words`: `Annotated[str, choice("--ci", words=…, help=_(…))]`.

    The help page lists the words; a wrong one is refused with the nearest; shells complete them.
    With `list[str]` each value is checked.
    """
    known = tuple(words)

    def check(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
        if not ctx.resilient_parsing and value != param.default:
            for word in (value,) if isinstance(value, str) else value or ():
                must_be_one_of(word, known, max(param.opts, key=len), ctx.command_path)
        return value

    def complete(incomplete: str) -> list[str]:
        return [word for word in known if word.startswith(incomplete)]

    return typer.Option(
        *names,
        metavar=metavar or max(names, key=len).lstrip("-").upper().replace("-", "_"),
        help=one_of(help, known),
        callback=check,
        autocompletion=complete,
        **more,
    )


def one_of(text: str, words: Sequence[str]) -> str:
    """`text`, followed by the words that may be chosen."""
    return _("{text} One of: {words}.").format(text=text, words=", ".join(words))


def must_be_one_of(word: str, words: Sequence[str], name: str, command: str) -> None:
    """Raises UsageError, with the nearest of `words`, when `word` is none of them."""
    if word in words:
        return
    close = nearest(word, words)
    raise UsageError(
        msg("{name} cannot be '{word}': use {words}", name=name, word=word, words=", ".join(words)),
        hint=f"{command} {name} {close}" if close else f"{command} --help",
    )
