"""The ways a command can end badly: one class, one exit code, one hint."""

from collections.abc import Sequence


class SdlcError(Exception):
    """A problem the user can act on. Raise a subclass; `cli.app.main` catches and prints it.

    Pass messages made with `core.i18n.msg`, so that they print in the user's language.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SdlcError):
    """The words on the command line are wrong."""

    exit_code = 2


class ConfigError(SdlcError):
    """A file that the user wrote is wrong. `problems` holds one message for each mistake."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", problems: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems) or (message,)


class WorkError(SdlcError):
    """The work could not be done or judged: a tool is missing or crashed, a disk is full."""

    exit_code = 3


class NothingToDo(SdlcError):
    """There was no input to work on."""

    exit_code = 4
