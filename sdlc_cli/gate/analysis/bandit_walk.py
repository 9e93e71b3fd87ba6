"""Runs bandit's own plug-ins over a tree that is parsed already.

bandit's tester runs each test and applies `# nosec`, unmodified. What differs is the way there:
a loop instead of recursion (deep trees are judged too), a context only where a test may speak
(see `bandit_screen`), tokens only where the file says `nosec`, and no log. The nodes get
`_bandit_parent` on the path to a test and lose it again, so that no reference cycle keeps the
tree alive.
"""

import ast
import io
import time
import tokenize
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bandit.core import manager, metrics, tester, utils

from sdlc_cli.gate.analysis.bandit_screen import Screen, concatenated, may_be_trojan, sql_work, work
from sdlc_cli.gate.analysis.bandit_setup import Setup, Test
from sdlc_cli.gate.source import Unit

MAX_WORK = 500_000_000  # steps for the tests of one file, a few seconds; see `bandit_screen.work`
MAX_SECONDS = 60.0  # of CPU, for what that does not foresee
_PLAIN = {"utf-8", "utf-8-sig", "ascii", "iso-8859-1", "cp1252"}  # ASCII bytes mean ASCII

# Fields that hold no node in which a test of bandit's own could be interested.
_BARE = {
    "arg", "attr", "conversion", "ctx", "id", "is_async", "kind", "kwd_attrs", "level", "module",
    "names", "op", "ops", "rest", "simple", "tag", "type_comment", "type_ignores",
}  # fmt: skip


class TooSlowError(Exception):
    """The tests would take too long on one file: some compare everything with everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """bandit's issues in its own order, and what it counts beside them."""

    issues: tuple[Any, ...]  # bandit.core.issue.Issue
    nosec: int  # findings left out by a bare `# nosec`
    skipped_tests: int  # and by one that names tests
    errors: int  # tests that raised


class _Tests:
    """What bandit's tester asks for its tests: those that the screen let through."""

    def __init__(self) -> None:
        self.chosen: tuple[Test, ...] = ()

    def get_tests(self, _checktype: str) -> tuple[Test, ...]:
        return self.chosen


class _Tester(tester.BanditTester):  # type: ignore[misc]
    errors = 0

    def report_error(self, test: str, context: object, error: Exception) -> None:
        self.errors += 1


Entry = tuple[ast.AST, Any]  # a node and its parent's entry


class Walk:
    """One file's way through the tests; made for each file."""

    def __init__(self, setup: Setup, screen: Screen, unit: Unit, namespace: str = "") -> None:
        self.screen = screen
        self.unit = unit
        self.namespace = namespace
        self.imports: set[str] = set()
        self.aliases: dict[str, str] = {}
        self.file = io.BytesIO(unit.data)
        self.metrics = metrics.Metrics()
        self.metrics.begin(unit.path)
        self.selection = _Tests()
        nosec = {} if setup.ignore_nosec else _nosec(unit)
        self.tester = _Tester(self.selection, False, nosec, self.metrics)
        self.sql: set[int] = set()
        self.touched: list[ast.AST] = []
        self.work = 0
        self.deadline = time.process_time() + MAX_SECONDS

    def run(self, tree: ast.Module) -> Seen:
        """Raises TooSlowError."""
        if self.screen.foreign:
            _link(tree)
        try:
            # bandit's tests use what newer Pythons warn of; as errors these would hide findings
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._walk(tree)
                self._whole_file()
        finally:
            _unlink(tree if self.screen.foreign else None, self.touched)
        counts = self.metrics.current
        return Seen(
            issues=tuple(self.tester.results),
            nosec=counts["nosec"],
            skipped_tests=counts["skipped_tests"],
            errors=self.tester.errors,
        )

    def _walk(self, tree: ast.Module) -> None:
        """Visit all nodes in bandit's order: each node before its children, fields in order."""
        fields = _ALL_FIELDS if self.screen.foreign else _FIELDS
        handlers = self._handlers()
        wanted = self._wanted
        constant = ast.Constant
        stack: list[Entry] = [(tree, None)]
        push = stack.append
        while stack:
            entry = stack.pop()
            node = entry[0]
            kind = node.__class__
            handler = handlers.get(kind)
            if handler is not None:
                handler(entry)
            for name in fields[kind]:
                value = getattr(node, name)
                shape = value.__class__
                if shape is list:
                    for child in reversed(value):
                        shape = child.__class__
                        if shape is constant:
                            if wanted(node, child):
                                push((child, entry))
                        elif shape in fields:
                            push((child, entry))
                elif shape is constant:
                    if wanted(node, value):
                        push((value, entry))
                elif shape in fields:
                    push((value, entry))

    def _handlers(self) -> Mapping[type[ast.AST], Any]:
        """A handler for each kind of node that has one or has tests.

        Not kept on `self`, which it refers to: no cycle, so the tree goes with the walk.
        """
        handlers: dict[type[ast.AST], Any] = {
            ast.Call: self._call,
            ast.Constant: self._constant,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.FunctionDef: self._function,
            ast.ExceptHandler: self._except,
            ast.BinOp: self._concatenation,
            ast.ClassDef: None,  # bandit runs no test on classes
        }
        for name in self.screen.tests:
            kind = vars(ast).get(name)
            if name not in ("Str", "Bytes", "File") and kind is not None and kind not in handlers:
                handlers[kind] = self._other
        return {kind: handler for kind, handler in handlers.items() if handler is not None}

    def _wanted(self, parent: ast.AST, node: ast.Constant) -> bool:
        """True when a test may have something to say about this constant."""
        if parent.__class__ is ast.Expr:
            return False  # a docstring
        if node.value.__class__ is str:
            if not self.screen.string(parent, node, id(node) in self.sql):
                return False
            self._spend(work(parent, node.value))
            return True
        return self.screen.foreign

    # One method for each kind of node that bandit gives a context of its own.

    def _call(self, entry: Entry) -> None:
        node: ast.Call = entry[0]  # type: ignore[assignment]
        name = _called(node.func, self.aliases)
        tests = self.screen.call(node, name)
        if tests:
            last = name.rsplit(".", 1)[-1]
            self._test(entry, "Call", tests, call=node, qualname=name, name=last)

    def _constant(self, entry: Entry) -> None:
        node: ast.Constant = entry[0]  # type: ignore[assignment]
        parent = entry[1][0]
        if isinstance(parent, ast.Expr) or not isinstance(node.value, str | bytes):
            return
        kind, key = ("Str", "str") if isinstance(node.value, str) else ("Bytes", "bytes")
        tests = self.screen.tests.get(kind, ())
        if tests:
            self._test(entry, kind, tests, linerange=utils.linerange(parent), **{key: node.value})

    def _import(self, entry: Entry) -> None:
        node: ast.Import | ast.ImportFrom = entry[0]  # type: ignore[assignment]
        for alias in node.names:
            if alias.asname:
                self.aliases[alias.asname] = alias.name
            self.imports.add(alias.name)
        if self.screen.imported(node):
            tests = self.screen.tests.get("Import", ())
            self._test(entry, "Import", tests, module=node.names[-1].name)

    def _import_from(self, entry: Entry) -> None:
        node: ast.ImportFrom = entry[0]  # type: ignore[assignment]
        module = node.module
        if module is None:
            self._import(entry)
            return
        for alias in node.names:
            full = f"{module}.{alias.name}"
            self.aliases[alias.asname or alias.name] = full
            self.imports.add(full)
        if self.screen.imported(node):
            tests = self.screen.tests.get("ImportFrom", ())
            self._test(entry, "ImportFrom", tests, module=module, name=node.names[-1].name)

    def _function(self, entry: Entry) -> None:
        node: ast.FunctionDef = entry[0]  # type: ignore[assignment]
        if node.args.defaults or self.screen.foreign:
            tests = self.screen.tests.get("FunctionDef", ())
            name = node.name.rsplit(".", 1)[-1]
            qualname = f"{self._namespace(entry)}.{node.name}" if self.screen.foreign else name
            self._test(entry, "FunctionDef", tests, function=node, qualname=qualname, name=name)

    def _except(self, entry: Entry) -> None:
        node: ast.ExceptHandler = entry[0]  # type: ignore[assignment]
        if self.screen.foreign or self.screen.handler(node):
            self._other(entry)

    def _concatenation(self, entry: Entry) -> None:
        node: ast.BinOp = entry[0]  # type: ignore[assignment]
        if entry[1][0].__class__ is not ast.BinOp:
            strings = concatenated(node)
            self._spend(len(strings) * sql_work(strings.values()))
            self.sql.update(strings)
        if "BinOp" in self.screen.tests:
            self._other(entry)

    def _spend(self, steps: int) -> None:
        self.work += steps
        if self.work > MAX_WORK:
            raise TooSlowError

    def _other(self, entry: Entry) -> None:
        kind = entry[0].__class__.__name__
        self._test(entry, kind, self.screen.tests.get(kind, ()))

    def _whole_file(self) -> None:
        tests = self.screen.tests.get("File", ())
        if not tests or (not self.screen.foreign and not _may_be_trojan(self.unit)):
            return
        self.selection.chosen = tests
        context = {
            "file_data": self.file,
            "filename": f"./{self.unit.path}",
            "lineno": 0,
            "linerange": [0, 1],
            "col_offset": 0,
        }
        self.tester.run_tests(context, "File")

    def _test(self, entry: Entry, kind: str, tests: tuple[Test, ...], **more: object) -> None:
        """Run the tests on a node, in the context that bandit would give them."""
        if not tests:
            return
        if time.process_time() > self.deadline:
            raise TooSlowError
        node = entry[0]
        if not self.screen.foreign:
            self._link_path(entry)
        context: dict[str, object] = {
            "imports": self.imports,
            "import_aliases": self.aliases,
            "node": node,
            "linerange": utils.linerange(node),
            "filename": f"./{self.unit.path}",
            "file_data": self.file,
        }
        for name in ("lineno", "col_offset", "end_col_offset"):
            if hasattr(node, name):
                context[name] = getattr(node, name)
        self.selection.chosen = tests
        self.tester.run_tests(context | more, kind)

    def _link_path(self, entry: Entry) -> None:
        """Tell the node and those above it who their parents are, as the tests expect."""
        while entry[1] is not None and "_bandit_parent" not in entry[0].__dict__:
            entry[0]._bandit_parent = entry[1][0]  # type: ignore[attr-defined]
            entry[0]._bandit_sibling = None  # type: ignore[attr-defined]
            self.touched.append(entry[0])
            entry = entry[1]

    def _namespace(self, entry: Entry) -> str:
        names = []
        above = entry[1]
        while above is not None:
            if isinstance(above[0], ast.FunctionDef | ast.ClassDef):
                names.append(above[0].name)
            above = above[1]
        return ".".join([self.namespace, *reversed(names)])


def missing() -> tuple[str, ...]:
    """What this module needs of bandit and does not find."""
    needs = (
        (tester, "BanditTester"),
        (metrics, "Metrics"),
        (manager, "_parse_nosec_comment"),
        (utils, "linerange"),
    )
    return tuple(f"{module.__name__}.{name}" for module, name in needs if not hasattr(module, name))


def _called(func: ast.AST, aliases: Mapping[str, str]) -> str:
    """The name that is called, with imports resolved; "" where it is computed."""
    parts: list[str] = []
    while func.__class__ is ast.Attribute:
        parts.append(func.attr)
        func = func.value
    name = ""
    if func.__class__ is ast.Name:
        name = func.id
        name = aliases.get(name, name)
    elif not parts:
        return ""
    for part in reversed(parts):
        name = f"{name}.{part}"
        if name in aliases:
            name = aliases[name]
    return name


def _nosec(unit: Unit) -> dict[int, set[str] | None]:
    """Line -> tests to leave out there; an empty set leaves out all, None none."""
    lines: dict[int, set[str] | None] = {}
    if b"nosec" not in unit.data and unit.encoding in _PLAIN:
        return lines
    try:
        for token in tokenize.tokenize(io.BytesIO(unit.data).readline):
            if token.type == tokenize.COMMENT:
                lines[token.start[0]] = manager._parse_nosec_comment(token.string)
    except tokenize.TokenError:
        pass  # as bandit does: what was read so far counts
    return lines


def _may_be_trojan(unit: Unit) -> bool:
    if unit.data.isascii() and unit.encoding in _PLAIN:
        return False
    return may_be_trojan(unit.text)


def _fields(skip: set[str]) -> dict[type[ast.AST], tuple[str, ...]]:
    """Fields to look into, last first, for each kind of node that has any."""
    kinds: dict[type[ast.AST], tuple[str, ...]] = {}
    waiting: list[type[ast.AST]] = [ast.AST]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        names = tuple(name for name in reversed(kind._fields) if name not in skip)
        if names or not skip:
            kinds[kind] = names
    if skip:  # leaves that tests look at
        kinds |= {ast.Constant: (), ast.Import: (), ast.ImportFrom: ()}
    return kinds


_FIELDS = _fields(_BARE)
_ALL_FIELDS = _fields(set())


def _link(tree: ast.AST) -> None:
    for parent in ast.walk(tree):
        for _, value in ast.iter_fields(parent):
            nodes = value if isinstance(value, list) else [value]
            for node, sibling in zip(nodes, [*nodes[1:], None], strict=False):
                if isinstance(node, ast.AST):
                    node._bandit_parent = parent  # type: ignore[attr-defined]
                    node._bandit_sibling = sibling  # type: ignore[attr-defined]


def _unlink(tree: ast.AST | None, touched: list[ast.AST]) -> None:
    for node in touched if tree is None else ast.walk(tree):
        node.__dict__.pop("_bandit_parent", None)
        node.__dict__.pop("_bandit_sibling", None)
