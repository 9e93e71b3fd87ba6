"""bandit's own driver on one file: for versions of bandit whose inside we have not compared."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sdlc_cli.core.i18n import msg
from sdlc_cli.gate.analysis.bandit_setup import Setup


def judge(setup: Setup, path: Path) -> tuple[Any, str]:
    """Issues and counts as `bandit_walk.Seen` has them, or None and why there are none."""
    setup.activate()
    manager = setup.manager
    manager.results, manager.scores, manager.skipped = [], [], []
    manager.files_list = [str(path)]
    manager.run_tests()
    if manager.skipped:
        return None, msg("bandit: {reason}", reason=manager.skipped[0][1])
    counts = manager.metrics.data.get(str(path), {})
    seen = SimpleNamespace(
        issues=tuple(manager.results),
        nosec=counts.get("nosec", 0),
        skipped_tests=counts.get("skipped_tests", 0),
        errors=0,
    )
    manager.metrics = type(manager.metrics)()
    return seen, ""
