"""The cache of results: right or empty, never an error."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.gate import cache as caches
from sdlc_cli.gate import config, stamps
from sdlc_cli.gate.cache import Cache, Results
from sdlc_cli.gate.model import Outcome
from sdlc_cli.gate.run import Selection, run
from sdlc_cli.gate.source import Project

Tree = Callable[..., Path]
FOUND = Finding(
    rule="complexity",
    severity=Severity.LOW,
    message=msg("{name} has a complexity of {n}", name="f", n=12),
    location=Location(path="a.py", line=1, column=1, end_line=3),
    context="f",
    fingerprint="0" * 32,
)
SEEN = Results(
    lines=3,
    seen={
        "maintainability": Outcome(findings=(FOUND,), numbers={"lines": 3.0}),
        "empty": Outcome(),
    },
)
KEY = b"k" * 32


def test_what_is_kept_is_found_again_whole(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", day=1)
    cache.keep([(KEY, SEEN)])

    found = cache.find([KEY, b"other"])

    assert found == {KEY: SEEN}
    message = found[KEY].seen["maintainability"].findings[0].message
    assert isinstance(message, Message)
    assert message.template == "{name} has a complexity of {n}"


def test_what_was_found_together_is_found_again_at_once_that_day(tmp_path: Path) -> None:
    keys = [number.to_bytes(32, "big") for number in range(caches.WHOLE_FROM)]
    cache = Cache(tmp_path / "cache", day=1)
    cache.keep((key, SEEN) for key in keys)
    whole = dict.fromkeys(keys, SEEN)
    assert cache.find(keys) == whole
    change(tmp_path / "cache", "DELETE FROM seen")

    assert cache.find(keys) == whole
    assert cache.find(keys[1:]) == cache.find([KEY, *keys[2:]]) == {}
    assert Cache(tmp_path / "cache", day=2).find(keys) == {}, "that they are used is noted daily"


def test_what_was_found_and_what_was_seen_anew_is_found_at_once(tmp_path: Path) -> None:
    keys = [number.to_bytes(32, "big") for number in range(caches.WHOLE_FROM)]
    cache = Cache(tmp_path / "cache", day=1)
    cache.keep((key, SEEN) for key in keys)
    changed = [KEY, *keys[1:]]
    assert set(cache.find(changed)) == set(keys[1:])
    cache.keep([(KEY, SEEN)])
    change(tmp_path / "cache", "DELETE FROM seen")

    assert Cache(tmp_path / "cache", day=1).find(changed) == dict.fromkeys(changed, SEEN)


@pytest.mark.parametrize("value", [b"", b"\xc1", b"\x90", b"\x91\xc4\x01["])
def test_what_was_found_together_counts_for_nothing_when_it_is_damaged(
    tmp_path: Path, value: bytes
) -> None:
    keys = [number.to_bytes(32, "big") for number in range(caches.WHOLE_FROM)]
    cache = Cache(tmp_path / "cache", day=1)
    cache.keep((key, SEEN) for key in keys)
    assert len(cache.find(keys)) == len(keys)
    change(tmp_path / "cache", "UPDATE wholes SET value = ?", value)

    assert cache.find(keys) == dict.fromkeys(keys, SEEN)


def test_a_file_that_is_damaged_inside_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "cache"
    keys = [number.to_bytes(32, "big") for number in range(caches.WHOLE_FROM)]
    cache = Cache(file, day=1)
    cache.keep((key, SEEN) for key in keys)
    page = 4096
    data = bytearray(file.read_bytes())
    data[4 * page :] = b"\xff" * (len(data) - 4 * page)
    file.write_bytes(data)

    assert len(cache.find(keys)) < len(keys)
    cache.keep((key, SEEN) for key in keys)
    cache.stamp(tmp_path, {"a.py": (1, 2, 3, 4, 5, b"d")})
    assert cache.find(keys) == dict.fromkeys(keys, SEEN)
    assert set(cache.stamps(tmp_path)) == {"a.py"}


def change(file: Path, statement: str, *values: bytes) -> None:
    db = sqlite3.connect(file)
    db.execute(statement, values)
    db.commit()
    db.close()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a database", id="text"),
        pytest.param(b"SQLite format 3\0" + b"\xff" * 5000, id="damaged"),
    ],
)
def test_a_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "cache"
    file.write_bytes(content)
    cache = Cache(file, day=1)

    assert cache.find([KEY]) == {}
    cache.keep([(KEY, SEEN)])
    assert cache.find([KEY]) == {KEY: SEEN}


def test_a_damaged_row_counts_as_unknown(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", day=1)
    cache.keep([(KEY, SEEN)])
    for value in (
        b"[",
        b"[]",
        b'{"a": {}}',
        b'[3, {"a": {"findings": 3}}]',
        b'[3, {"a": {"findings": [{"$template": 3}]}}]',
        b'[3, {"a": {"skipped": {"$template": 3}}}]',
        b'[3, {"a": {"findings": 3, "skipped": {"$template": "x"}}}]',
        b'[3, {"a": {"findings": [3], "skipped": {"$template": "x"}}}]',
        b"\xff",
    ):
        change(tmp_path / "cache", "UPDATE seen SET value = ?", value)

        assert cache.find([KEY]) == {}


def test_a_place_that_cannot_be_written_is_an_empty_cache(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for file in (None, tmp_path / "file" / "cache", tmp_path):
        cache = Cache(file, day=1)
        cache.keep([(KEY, SEEN)])

        assert cache.find([KEY]) == {}


def test_the_file_stays_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "MOST_BYTES", 200_000)
    big = Results(lines=1, seen={"a": Outcome(skipped="x" * 1000)})
    for day in range(30):
        cache = Cache(tmp_path / "cache", day=day)
        cache.keep([(os.urandom(32), big) for _ in range(20)])
        cache.keep([(KEY, SEEN)])

    assert (tmp_path / "cache").stat().st_size < 600_000
    assert Cache(tmp_path / "cache", day=31).find([KEY]) == {KEY: SEEN}, "the newest stays"


def test_two_runs_at_once_lose_nothing(tmp_path: Path) -> None:
    keys = [bytes([n]) * 32 for n in range(60)]

    def keep(some: list[bytes]) -> None:
        for key in some:
            Cache(tmp_path / "cache", day=1).keep([(key, SEEN)])

    threads = [threading.Thread(target=keep, args=(keys[n::3],)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(Cache(tmp_path / "cache", day=1).find(keys)) == set(keys)


def test_a_killed_run_leaves_a_cache_that_works(tmp_path: Path) -> None:
    program = (
        "import itertools, sys; from pathlib import Path\n"
        "from sdlc_cli.gate.cache import Cache, Results\n"
        "from sdlc_cli.gate.model import Outcome\n"
        "big = Results(lines=1, seen={'a': Outcome(skipped='x' * 9999)})\n"
        "for n in itertools.count():\n"
        "    rows = [(n.to_bytes(32, 'big'), big)] * 20\n"
        "    Cache(Path(sys.argv[1]), 1).keep(rows); print(n, flush=True)\n"
    )
    file = tmp_path / "cache"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        for _ in range(5):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)

    cache = Cache(file, day=1)
    cache.keep([(KEY, SEEN)])
    assert cache.find([KEY, (1).to_bytes(32, "big")]).keys() == {KEY, (1).to_bytes(32, "big")}


class TestSalt:
    @pytest.fixture
    def project(self, tree: Tree) -> Project:
        root = tree({"a.py": "x = 1\n"})
        return Project(root=root, base=root, files=("a.py",))

    @pytest.mark.parametrize(
        "change",
        [
            lambda root, gates: (root / "pyproject.toml").write_text("[tool.bandit]\nskips=[]"),
            lambda root, gates: (root / ".bandit").write_text("[bandit]"),
            lambda root, gates: gates.update(maintainability=config.Maintainability(weight=2)),
            lambda root, gates: gates.pop("secrets"),
        ],
    )
    def test_whatever_decides_changes_it(
        self, project: Project, change: Callable[[Path, dict[str, Any]], object]
    ) -> None:
        gates = dict(config.defaults(project.root).gates)
        before = caches.salt(project, gates)
        change(project.root, gates)

        assert caches.salt(project, gates) != before


@pytest.mark.parametrize("settled", [stamps.SETTLED_NS, -10_000_000_000], ids=["read", "stamped"])
def test_a_second_run_tells_the_same_and_sees_what_changed(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settled: int
) -> None:
    monkeypatch.setattr(stamps, "SETTLED_NS", settled)
    monkeypatch.setattr(caches, "WHOLE_FROM", 3)
    monkeypatch.setenv("SDLC_CACHE_DIR", str(tmp_path / "cache"))
    files = {f"m{n}.py": f"import pickle\nx = {n}\n" for n in range(5)}
    branches = "".join(f"    if x == {n}:\n        return {n}\n" for n in range(12))
    files |= {"n.py": f"def f(x):\n{branches}    return x\n", "bad.py": "def (:\n"}
    root = tree({**files, "README.md": "# Hello\n"})
    plain = config.defaults(root)

    def judge(*, cache: bool = True) -> tuple[object, ...]:
        report = run(root, plain, Selection(cache=cache), root=root)
        results = tuple(replace(result, duration_s=0) for result in report.results)
        return results, replace(report, results=())

    first = judge()
    assert judge() == first
    assert judge() == judge(cache=False)
    (root / "m3.py").write_text("x = 3\n")

    changed = judge()
    assert changed != first
    (root / "m3.py").write_text(files["m3.py"])
    assert judge() == first
