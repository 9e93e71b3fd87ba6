"""Runs the service's tests: `python -m tests`. Ends with 5 when there was none to run."""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """0 when every test passed, 1 when one failed, 5 when none ran."""
    suite = unittest.defaultTestLoader.discover(str(HERE), top_level_dir=str(HERE.parent))
    result = unittest.TextTestRunner(verbosity=0).run(suite)
    if not result.wasSuccessful():
        return 1
    return 0 if result.testsRun > len(result.skipped) else 5


if __name__ == "__main__":
    sys.exit(main())
