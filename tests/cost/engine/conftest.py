"""The compiled reader for all tests, whether the installation has one or not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sdlc_cli.cost.engine import scan
from sdlc_cli.cost.engine.native import build


@pytest.fixture(scope="session", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """Where it is; None without a compiler."""
    if scan.built():
        yield build.library()
        return
    made = build.compiled(tmp_path_factory.mktemp("native"))
    with pytest.MonkeyPatch.context() as patch:
        if made is not None:
            scan.loaded.cache_clear()
            patch.setattr(scan, "library", lambda: made)
        yield made
    scan.loaded.cache_clear()
