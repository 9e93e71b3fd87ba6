import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.errors import WorkError
from sdlc_cli.gate import evidence

Tree = Callable[..., Path]


def test_a_report_is_read_up_to_its_limit_and_through_a_symlink(tree: Tree) -> None:
    root = tree({"r.xml": "12345"})
    (root / "link.xml").symlink_to("r.xml")

    assert evidence.read(root / "link.xml", "link.xml", 5) == b"12345"
    with pytest.raises(WorkError, match=r"r\.xml is too large: over 4 bytes"):
        evidence.read(root / "r.xml", "r.xml", 4)


@pytest.mark.parametrize("name", ["r.xml", "link.xml"])
def test_an_old_report_comes_back_when_nothing_takes_its_place(tree: Tree, name: str) -> None:
    root = tree({"r.xml": "old"})
    (root / "link.xml").symlink_to("r.xml")
    before = sorted(os.listdir(root))

    with evidence.set_aside(root / name) as was_there:
        assert was_there
        assert not (root / name).exists()

    assert (root / name).read_text() == "old"
    assert sorted(os.listdir(root)) == before


def test_it_comes_back_after_an_error_too(tree: Tree) -> None:
    root = tree({"r.xml": "old"})

    with pytest.raises(KeyError), evidence.set_aside(root / "r.xml"):
        raise KeyError

    assert (root / "r.xml").read_text() == "old"


def test_a_new_report_replaces_the_old_one(tree: Tree) -> None:
    root = tree({"r.xml": "old"})

    with evidence.set_aside(root / "r.xml"):
        (root / "r.xml").write_text("new")

    assert (root / "r.xml").read_text() == "new"
    assert os.listdir(root) == ["r.xml"]


def test_what_is_no_file_stays_where_it_is(tree: Tree) -> None:
    root = tree({"folder/a": ""})

    with evidence.set_aside(root / "folder") as folder, evidence.set_aside(root / "none") as none:
        assert (folder, none) == (False, False)
        assert (root / "folder/a").exists()
