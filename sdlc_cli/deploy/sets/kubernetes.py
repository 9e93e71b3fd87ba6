"""The files of: kubernetes."""

from collections.abc import Iterator, Sequence

from sdlc_cli.deploy.model import DeploySpec
from sdlc_cli.deploy.render import Wanted


def files(specs: Sequence[DeploySpec]) -> Iterator[Wanted]:
    """Nothing yet."""
    yield from ()
