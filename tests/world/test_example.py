import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "gate"
PASSES = "import unittest\nclass T(unittest.TestCase):\n    def test_t(self): pass\n"


@pytest.mark.parametrize(
    ("test", "code"),
    [
        pytest.param(None, 5, id="no test at all"),
        pytest.param(PASSES.replace("    def", "    @unittest.skip('')\n    def"), 5, id="skipped"),
        pytest.param(PASSES, 0, id="passed"),
        pytest.param(PASSES.replace("pass", "assert False"), 1, id="failed"),
    ],
)
def test_the_examples_own_gate_cannot_pass_on_nothing(
    test: str | None, code: int, tmp_path: Path
) -> None:
    root = tmp_path / "gate"
    shutil.copytree(EXAMPLE, root)
    (root / "tests" / "test_assistant.py").unlink()
    if test:
        (root / "tests" / "test_t.py").write_text(test)

    done = subprocess.run([sys.executable, "-m", "tests"], cwd=root, check=False)

    assert done.returncode == code
    assert "command: python -m tests" in (root / "gates.yaml").read_text()
