"""The mistakes of a file that is no YAML, gathered so that all of them are told at once."""

from dataclasses import dataclass, field

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.i18n import Message, msg

MOST = 100


class Enough(Exception):
    """So many mistakes that more would not help."""


@dataclass(slots=True)
class Mistakes:
    """What is wrong with the file that people call `name`."""

    name: str
    found: list[tuple[int, Message]] = field(default_factory=list)

    def add(self, line: int, message: Message) -> None:
        """Note a mistake in `line`, 0 for the whole file. Raises Enough after the hundredth."""
        self.found.append((line, message))
        if len(self.found) >= MOST:
            raise Enough

    def settle(self) -> None:
        """Raises ConfigError when there is any."""
        if not self.found:
            return
        lines = [
            msg("{at}: {problem}", at=f"{self.name}:{line}" if line else self.name, problem=message)
            for line, message in sorted(self.found, key=lambda one: one[0])
        ]
        if len(lines) >= MOST:
            lines.append(
                msg("{file}: only the first {n} mistakes are shown", file=self.name, n=MOST)
            )
        if len(self.found) == 1:
            raise ConfigError(msg("{file} has a mistake", file=self.name), problems=lines)
        raise ConfigError(
            msg("{file} has {n} mistakes", file=self.name, n=len(self.found)), problems=lines
        )
