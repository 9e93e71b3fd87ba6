"""Small trees for the gates' tests, the worst one included."""

import os
import socket
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

LAUGHS = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
GOOD = "def answer() -> int:\n    return 42\n"

# Name -> content, and what the gate syntax makes of it: "" is fine, `finding: …` the rule of a
# finding, anything else the reason it is skipped for.
CONTENT: dict[str, tuple[bytes, str]] = {
    "good.py": (GOOD.encode(), ""),
    "deep/er/good.py": (GOOD.encode(), ""),
    "not_utf8.py": (b"x = '\xff\xfe'\n", "finding: encoding-error"),
    "nul.py": (b"x = 1\0\n", "finding: syntax-error"),
    "bom.py": (b"\xef\xbb\xbfx = 1\n", ""),
    "crlf.py": (b"x = 1\r\nif x:\r\n    y = 2\r\n", ""),
    "latin1.py": (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", ""),
    "line_1mb.py": (b"x = '" + b"a" * 1_000_000 + b"'\n", ""),
    "line_10mb.py": (b"x = '" + b"a" * 10_000_000 + b"'\n", "larger than 5,000,000 bytes"),
    "unary.py": (b"x = " + b"-" * 50_000 + b"1\n", "the code is nested too deeply"),
    "attributes.py": (b"x = a" + b".b" * 20_000 + b"\n", "the code is nested too deeply"),
    "dense.py": (
        b"a\n" * 1_000_000,
        "Python of more than 300000 words: too large to parse",
    ),
    "empty.py": (b"", ""),
    "new\nline.py": (GOOD.encode(), ""),
    "laughs.yaml": (LAUGHS.encode(), ""),
    "deep.yaml": (b"[" * 1_000_000, "it is nested too deeply to parse"),
    "deep.json": (b"[" * 1_000_000, "it is nested too deeply to parse"),
    "deep.toml": (b"a = " + b"[" * 1_000_000, "it is nested too deeply to parse"),
    "pyproject.toml": (b"[project\nname = \n", "finding: syntax-error"),
}
LOOP = "a symlink that leads nowhere: it is part of a loop or may not be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """The worst tree: what is fine in it, what is a finding, and what is skipped and why."""

    root: Path
    good: frozenset[str]
    findings: dict[str, str]  # path -> rule of the gate syntax
    skipped: dict[str, str]  # path -> reason


def build_hostile(root: Path) -> Hostile:
    """Write the worst tree into `root`; nothing in it may stop the gates or take memory."""
    fates: dict[str, str] = {}
    for name, (content, fate) in CONTENT.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        fates[name] = fate
    for name, target, fate in (
        ("loop_a", "loop_b", LOOP),
        ("loop_b", "loop_a", LOOP),
        ("out.py", "/etc/passwd", "a symlink out of the tree"),
        ("deep/up", "..", "a symlink to a folder, not followed"),
        ("nothing.py", "nowhere.py", "a symlink to nothing"),
    ):
        (root / name).symlink_to(target)
        fates[name] = fate
    (root / "again.py").symlink_to("good.py")  # judged once, as good.py
    os.mkfifo(root / "pipe.py")
    fates["pipe.py"] = "a named pipe, not a file"
    if _bind(root / "plug"):
        fates["plug"] = "a socket, not a file"
    if sys.platform != "darwin":  # macOS refuses such names
        (root / "name\udcff.py").write_text(GOOD)
        fates["name\udcff.py"] = ""
    (root / "unreadable.py").write_text(GOOD)
    (root / "unreadable.py").chmod(0)
    fates["unreadable.py"] = "it cannot be read: Permission denied"
    return Hostile(
        root=root,
        good=frozenset(name for name, fate in fates.items() if not fate),
        findings={
            name: fate.removeprefix("finding: ")
            for name, fate in fates.items()
            if fate.startswith("finding: ")
        },
        skipped={
            name: fate for name, fate in fates.items() if fate and not fate.startswith("finding: ")
        },
    )


def _bind(path: Path) -> bool:
    """Leave a socket at `path`, where its name is short enough for one."""
    with socket.socket(socket.AF_UNIX) as plug, suppress(OSError):
        plug.bind(str(path))
        return True
    return False


@pytest.fixture
def hostile_tree(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    """A fresh worst tree. Whoever is not root may read all of it but `unreadable.py`."""
    root = tmp_path_factory.mktemp("hostile")
    for folder in (root, *root.parents[:4]):
        with suppress(PermissionError):
            folder.chmod(0o755)  # pytest keeps its folders to one user; see `as_nobody`
    return build_hostile(root)


@pytest.fixture
def as_nobody() -> Callable[[Callable[[], None]], None]:
    """`as_nobody(job)` runs `job` in a child process that is not root, and fails as it fails.

    File permissions mean nothing to root, as which tests run in containers.
    """

    def run(job: Callable[[], None]) -> None:
        if os.geteuid() != 0:
            job()
            return
        with warnings.catch_warnings():  # of threads: the child uses none
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
                job()
                code = 0
            except BaseException as error:  # noqa: BLE001 - the parent has to hear of all of them
                os.write(2, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace"))
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, "failed as nobody; see standard error"

    return run
