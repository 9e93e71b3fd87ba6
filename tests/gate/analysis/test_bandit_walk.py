"""What only another package's bandit plug-ins would notice: links, names and nodes."""

import ast
from pathlib import Path
from typing import Any

from sdlc_cli.gate.analysis import bandit_setup
from sdlc_cli.gate.analysis.bandit_screen import Screen
from sdlc_cli.gate.analysis.bandit_walk import Walk
from sdlc_cli.gate.source import Unit

CODE = """
import os.path as p

class Box:
    def get(self, a, b):
        return a[b].c

    async def wait(self):
        p.join(b"x", 3)
"""


def foreign(kinds: tuple[str, ...], seen: list[Any]) -> dict[str, tuple[Any, ...]]:
    """A plug-in of another package for these kinds of node, which notes what it is given."""

    def plugin(context: Any) -> None:
        node = context.node
        parent = getattr(node, "_bandit_parent", None)
        seen.append((type(node).__name__, type(parent).__name__, context._context.get("qualname")))
        if isinstance(node, ast.arg):
            seen[-1] = (node.arg, getattr(node._bandit_sibling, "arg", None))  # type: ignore[attr-defined]
        if type(node) is ast.Call:
            raise LookupError("a bug in the plug-in")

    plugin._test_id = "X100"  # type: ignore[attr-defined]
    return dict.fromkeys(kinds, (plugin,))


def run(kinds: tuple[str, ...]) -> tuple[list[Any], Any, ast.Module]:
    seen: list[Any] = []
    setup = bandit_setup.load(Path("/nowhere"), Path("/nowhere"), "")
    unit = Unit("box.py", CODE.encode())
    result = Walk(setup, Screen(foreign(kinds, seen)), unit, "box").run(unit.tree)
    return seen, result, unit.tree


def test_a_foreign_plugin_sees_nodes_that_bandits_own_never_ask_for() -> None:
    seen, _, _ = run(("Subscript", "Load", "AsyncFunctionDef"))

    kinds = [kind for kind, _, _ in seen]
    assert kinds.count("Subscript") == 1
    assert kinds.count("AsyncFunctionDef") == 1
    assert "Load" in kinds


def test_it_sees_names_parents_and_siblings() -> None:
    functions, _, _ = run(("FunctionDef",))
    arguments, _, _ = run(("arg",))

    assert functions == [("FunctionDef", "ClassDef", "box.Box.get")]
    assert arguments == [("self", "a"), ("a", "b"), ("b", None), ("self", None)]


def test_it_sees_calls_by_their_imported_names_and_its_bugs_are_counted() -> None:
    seen, result, _ = run(("Call", "Bytes", "Import"))

    assert [row[2] for row in seen] == [None, "os.path.join", None]
    assert result.errors == 1
    assert result.issues == ()


def test_the_tree_is_left_as_it_was() -> None:
    _, _, tree = run(("Call", "arg"))

    assert not any(hasattr(node, "_bandit_parent") for node in ast.walk(tree))
