"""The sample in tests/data/conformance: bandit and radon themselves agree with us on all of it."""

import importlib.util
import random
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
from radon import raw

from sdlc_cli.gate.analysis import index

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "conformance"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """tests/bench/conformance.py, the same comparison for any tree."""
    path = ROOT / "bench" / "conformance.py"
    spec = importlib.util.spec_from_file_location("conformance", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, and files that no editor should touch, in a package so that names have depth."""
    root = tmp_path_factory.mktemp("sample") / "tree"
    shutil.copytree(SAMPLE, root / "package")
    (root / "package" / "__init__.py").touch()
    odd = {
        "crlf.py": b'import pickle\r\nx = """a\r\n\r\nb"""\r\npickle.loads(x)  # nosec B301\r\n',
        "latin.py": b'# coding: latin-1\npassword = "caf\xe9"; eval(password)\n',
        "trojan.py": "x = 1  # \u202e eslaf\n".encode(),
        "trojan_nosec.py": "x = 1  # nosec \u202e\n".encode(),
        "null.py": b"x = 1\0\n",
        "broken.py": b"def f(:\n",
        "spaces.py": b"if x:\n        a = 1\n    b = 2\n",
        "no_end.py": b"if x: y = eval(x)",
        "form_feed.py": b"x = 1\n\x0c\nassert x\n\x0cassert x\n",
        "semicolons.py": b"x=1;" * 300 + b"\n",
        "deep.py": b"x = " + b"-" * 60 + b"1\n" + b"if x:\n    assert x\nel" * 50 + b"if x: pass\n",
    }
    for name, data in odd.items():
        (root / name).write_bytes(data)
    return root


def test_findings_equal_those_of_bandit(bench: ModuleType, tree: Path) -> None:
    result = bench.Comparison()
    bench.compare_bandit(tree, result)

    assert result.differences == []
    assert result.findings > 250
    assert result.beyond == []


def test_blocks_and_indexes_equal_those_of_radon(bench: ModuleType, tree: Path) -> None:
    result = bench.Comparison()
    bench.compare_radon(tree, result)

    assert result.differences == []
    assert result.blocks > 25
    assert result.indexes > 10


@pytest.mark.parametrize("seed", range(8))
def test_line_counts_equal_those_of_radon_however_statements_are_mixed(seed: int) -> None:
    draw = random.Random(seed)
    lines = (SAMPLE / "layout.py").read_text(encoding="utf-8").splitlines()
    statements = _statements(lines)
    for _ in range(15):
        text = "\n".join(draw.choice(statements) for _ in range(draw.randrange(1, 12)))
        theirs = raw.analyze(text)
        ours = index.count(text)

        assert (ours.logical, ours.source, ours.comments, ours.multi) == (
            theirs.lloc,
            theirs.sloc,
            theirs.comments,
            theirs.multi,
        ), text


def _statements(lines: list[str]) -> list[str]:
    """The sample's statements, each with its lines, cut where radon would cut."""
    stripped = iter([line.strip() for line in lines])
    return ["\n".join(raw._get_all_tokens(line, stripped)[1]) for line in stripped]
