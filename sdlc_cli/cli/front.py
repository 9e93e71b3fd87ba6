"""The first page: what `sdlc --help` shows and which words work everywhere. Without Typer.

The app in `cli.app` is built from the same tables, and a test holds the two pages together.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sdlc_cli.core.console import Console
from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import LANGUAGES, _, msg

if TYPE_CHECKING:  # most runs show no page
    from sdlc_cli.cli.page import Page

HELP = ("-h", "--help")
VERSION = ("-V", "--version")
_FLAGS = {
    "-q": "--quiet",
    "--quiet": "--quiet",
    "-v": "--verbose",
    "--verbose": "--verbose",
    "--no-color": "--no-color",
}


SHELLS = ("bash", "zsh", "fish")
AUTO = "auto"  # the shell that sdlc was started from
_SHELL_OPTIONS = ("--install-completion", "--show-completion")


def summary() -> str:
    """What sdlc is, for the top of the first page."""
    return _("Gates, costs, plans and deployments for Python services that call language models.")


def examples() -> str:
    """Three ways to begin, for the first page."""
    first = _("Judge the code in this folder:")
    second = _("Write a gates.yaml for it:")
    third = _("See what is installed:")
    return f"{first}\n  sdlc gate run\n\n{second}\n  sdlc init\n\n{third}\n  sdlc doctor"


def commands() -> dict[str, str]:
    """The commands in the order in which they are shown, each with its line."""
    return {
        "gate": _("Judge the code: run the gates, explain their points, prove that they can fail."),
        "cost": _("Total the LLM calls in usage logs: prices, budgets, forecast, what-if, advice."),
        "plan": _("Plan tasks for people, budgets and deadlines: dates, reasons, what would help."),
        "deploy": _(
            "Render one deploy.yaml: Dockerfile, manifests, chart, Terraform, pipeline, alerts."
        ),
        "serve": _("Take usage from live services: OTLP and REST, prices, budgets, Prometheus."),
        "init": _("Write a commented gates.yaml, and a CI file, from what the repository has."),
        "doctor": _("Show what is installed, what is missing, and what each would give."),
        "schema": _("Print the JSON Schema of a file that you write or of a result."),
    }


def help_line() -> str:
    """What the option --help says of itself."""
    return _("Show this page.")


def everywhere() -> dict[str, tuple[str, str]]:
    """The options that work with every command: name -> (as it is shown, its line)."""
    return {
        "quiet": ("-q, --quiet", _("Print results, warnings and errors only.")),
        "verbose": ("-v, --verbose", _("Print details of the work too.")),
        "no_color": ("--no-color", _("Print without colour; so does the variable NO_COLOR.")),
        "lang": (
            "--lang LANG",
            _("Speak this language: {languages}.").format(languages=", ".join(LANGUAGES)),
        ),
    }


def only_here() -> dict[str, tuple[str, str]]:
    """The options of `sdlc` itself: name -> (as it is shown, its line)."""
    return {
        "version": ("-V, --version", _("Show the version.")),
        "install_completion": (
            "--install-completion [SHELL]",
            _("Install completion for SHELL: bash, zsh or fish; else for yours."),
        ),
        "show_completion": (
            "--show-completion [SHELL]",
            _("Print the completion script for SHELL, else for yours."),
        ),
    }


def page() -> "Page":
    """The first page."""
    from sdlc_cli.cli.page import Page, Section

    return Page(
        usage="sdlc " + " ".join(("[" + _("options") + "]", _("COMMAND"), "...")),
        text=f"{summary()}\n\n{examples()}",
        sections=(
            Section(title=_("Commands"), rows=tuple(commands().items())),
            Section(
                title=_("Options"),
                rows=(
                    *everywhere().values(),
                    *only_here().values(),
                    (", ".join(HELP), help_line()),
                ),
            ),
        ),
        footer=footer("sdlc COMMAND"),
    )


def footer(command: str) -> str:
    """The last line of the first page."""
    return _("`{command} --help` tells more about a command.").format(command=command)


def hoist(argv: Sequence[str]) -> list[str]:
    """`argv` with the words that work everywhere in front, up to a `--`. Raises UsageError."""
    front: list[str] = []
    rest: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            return [*front, *rest, word, *words]
        if word in _FLAGS:
            front.append(_FLAGS[word])
        elif word == "--lang":
            if not words or words[0].startswith("-"):
                raise UsageError(
                    msg("{option} needs a value", option="--lang"),
                    hint=f"--lang {'|'.join(LANGUAGES)}",
                )
            front += [word, words.pop(0)]
        elif word.startswith("--lang="):
            front.append(word)
        elif word in _SHELL_OPTIONS:
            named = words and not words[0].startswith("-")
            front += [word, words.pop(0) if named else AUTO]
        else:
            rest.append(word)
    return [*front, *rest]


def asks_for_help(argv: Sequence[str]) -> bool:
    """True when the words ask for the first page and nothing else."""
    return len(argv) == 1 and argv[0] in HELP


def show(environ: Mapping[str, str]) -> int:
    """Print the first page."""
    console = Console(environ=environ)
    from sdlc_cli.cli.page import render

    console.result(render(page(), console.width, color=console.color))
    return 0
