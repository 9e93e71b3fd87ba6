"""Cyclomatic complexity and Halstead volume, radon's way, in one walk over a parsed tree.

radon walks the tree twice, recursively, with a new visitor for each statement. The numbers here
are its numbers: tests/bench/conformance.py compares every block and every file. What radon does
not count is not counted either: a function's decorators and defaults, what an `assert` holds,
`except*`, and classes inside functions.
"""

import ast
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True, eq=False)
class Block:
    """A function (F), method (M) or class (C), with radon's names for what is known of it.

    `complexity` of a class is the mean of its methods, as radon reports it; `real_complexity`
    the sum. `qualname` says where it is: `Class.method.closure`.
    """

    letter: str
    node: Function | ast.ClassDef
    qualname: str
    classname: str | None = None
    real_complexity: int = 1
    closures: list["Block"] = field(default_factory=list)
    methods: list["Block"] = field(default_factory=list)
    inner_classes: list["Block"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name as it is defined."""
        return self.node.name

    @property
    def lineno(self) -> int:
        """The line of `def` or `class`; decorators stand above it."""
        return self.node.lineno

    @property
    def col_offset(self) -> int:
        """The column of `def` or `class`, from 0."""
        return self.node.col_offset

    @property
    def is_method(self) -> bool:
        """True for a function whose scope is a class."""
        return self.letter == "M"

    @property
    def complexity(self) -> int:
        """What radon shows beside the name."""
        methods = len(self.methods)
        if self.letter != "C" or not methods:
            return self.real_complexity
        return int(self.real_complexity / methods) + (methods > 1)

    @property
    def endline(self) -> int:
        """The last line on which radon saw something start."""
        body: Sequence[ast.stmt] = self.node.body
        looked_at = body if self.letter == "C" else body[-1:]
        ends = [method.endline for method in self.methods]
        return max([self.lineno, *map(_last_line, looked_at), *ends])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One file. `blocks` are those of `radon.complexity.cc_visit`, in its order."""

    blocks: tuple[Block, ...]
    complexity: int  # of the whole file, as the maintainability index takes it
    volume: float  # Halstead's


def measure(tree: ast.Module) -> Measured:
    """Walk the tree once. Its depth does not matter."""
    walk = _Walk()
    scope = walk.scope(tree.body, None, "")
    blocks: list[Block] = list(scope.functions)
    for block in scope.classes:
        blocks += (block, *block.methods)
    return Measured(
        blocks=tuple(blocks),
        complexity=1
        + scope.complexity
        + sum(f.real_complexity - 1 for f in scope.functions)
        + sum(c.real_complexity - 1 for c in scope.classes),
        volume=walk.volume(),
    )


def functions(blocks: Iterable[Block], *, classes: bool = False) -> Iterator[Block]:
    """All functions and methods, closures too, as `radon cc --show-closures` lists them."""
    for block in blocks:
        if block.letter == "C":
            if classes:
                yield block
            for inner in block.inner_classes:
                yield from functions((inner, *inner.methods), classes=classes)
        else:
            yield block
            yield from functions(block.closures, classes=classes)


@dataclass(slots=True)
class _Scope:
    """What a body holds, nested functions and classes aside."""

    complexity: int = 0
    functions: list[Block] = field(default_factory=list)
    classes: list[Block] = field(default_factory=list)


class _Walk:
    def __init__(self) -> None:
        self.operators = 0
        self.operands = 0
        self.distinct_operators: set[type[ast.AST]] = set()
        # The name of the function around, and the operand's name or value, else its node.
        self.distinct_operands: set[tuple[str | None, object]] = set()

    def volume(self) -> float:
        """Halstead's volume, by radon's arithmetic."""
        vocabulary = len(self.distinct_operators) + len(self.distinct_operands)
        length = self.operators + self.operands
        return length * math.log(vocabulary, 2) if vocabulary else 0.0

    def scope(self, body: Sequence[ast.stmt], context: str | None, prefix: str) -> _Scope:
        """One body. Recursion is as deep as definitions nest, which Python limits to 100."""
        scope = _Scope()
        quiet: list[ast.AST] = []  # counted for the volume, not for the complexity
        definitions = self._count(list(body), context, scope, quiet)
        # In the order of the source; the walk meets them in another.
        definitions.sort(key=lambda node: (node.lineno, node.col_offset))
        for node in definitions:
            name = f"{prefix}{node.name}"
            if isinstance(node, ast.ClassDef):
                quiet += (*node.bases, *node.keywords, *node.decorator_list)
                quiet += getattr(node, "type_params", ())  # Python 3.12
                scope.classes.append(self._class(node, context, name))
            else:
                scope.functions.append(self._function(node, name))
        self._count(quiet, context, _Scope(), [])
        return scope

    def _function(self, node: Function, name: str) -> Block:
        inner = self.scope(node.body, node.name, f"{name}.")
        block = Block("F", node, name)
        block.real_complexity = 1 + inner.complexity
        block.closures = inner.functions
        return block

    def _class(self, node: ast.ClassDef, context: str | None, name: str) -> Block:
        inner = self.scope(node.body, context, f"{name}.")
        for method in inner.functions:
            method.letter = "M"
            method.classname = node.name
        block = Block("C", node, name)
        block.real_complexity = (
            1 + inner.complexity + sum(method.real_complexity for method in inner.functions)
        )
        block.methods = inner.functions
        block.inner_classes = inner.classes
        return block

    def _count(
        self, stack: list[ast.AST], context: str | None, scope: _Scope, quiet: list[ast.AST]
    ) -> list[Function | ast.ClassDef]:
        """Count what the nodes on the stack hold; definitions are returned, not entered."""
        definitions: list[Function | ast.ClassDef] = []
        complexity = 0
        pop, push, extend = stack.pop, stack.append, stack.extend
        while stack:
            node = pop()
            kind = node.__class__
            fields = _FIELDS.get(kind)
            if fields is None:
                continue  # a leaf, or no node at all
            if kind in _COUNTED:
                if kind in _OPERATIONS:
                    self._operation(node, context)
                if kind in _DEFINITIONS:
                    definitions.append(node)  # type: ignore[arg-type]
                    continue
                if kind is ast.Assert:
                    complexity += 1
                    quiet += (node.test, node.msg)  # type: ignore[attr-defined]
                    continue
                complexity += _decisions(node)
            for name in fields:
                value = getattr(node, name)
                if value.__class__ is list:
                    extend(value)
                else:
                    push(value)
        scope.complexity += complexity
        return definitions

    def _operation(self, node: ast.AST, context: str | None) -> None:
        operators: Iterable[ast.AST]
        operands: Sequence[ast.AST]
        match node:
            case ast.BinOp():
                operators, operands = (node.op,), (node.left, node.right)
            case ast.Compare():
                operators, operands = node.ops, (*node.comparators, node.left)
            case ast.BoolOp():
                operators, operands = (node.op,), node.values
            case ast.UnaryOp():
                operators, operands = (node.op,), (node.operand,)
            case ast.AugAssign():
                operators, operands = (node.op,), (node.target, node.value)
            case _:
                return
        for operator in operators:
            self.distinct_operators.add(operator.__class__)
        self.operators += len(node.ops) if isinstance(node, ast.Compare) else 1
        self.operands += len(operands)
        for operand in operands:
            attribute = _OPERAND_NAMES.get(operand.__class__)
            value = getattr(operand, attribute) if attribute else operand
            self.distinct_operands.add((context, value))


_DEFINITIONS = {ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef}
_OPERATIONS = {ast.BinOp, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.AugAssign}
_OPERAND_NAMES = {ast.Name: "id", ast.Attribute: "attr", ast.Constant: "value"}
_LOOPS = {ast.For, ast.AsyncFor, ast.While}
_COUNTED = {
    *_DEFINITIONS, *_OPERATIONS, *_LOOPS,
    ast.Assert, ast.If, ast.IfExp, ast.Try, ast.Match, ast.comprehension,
}  # fmt: skip
_BARE = {
    "arg", "attr", "conversion", "ctx", "id", "is_async", "kind", "kwd_attrs", "level", "module",
    "names", "op", "ops", "rest", "simple", "tag", "type_comment", "type_ignores",
}  # fmt: skip


def _decisions(node: ast.AST) -> int:
    """How many ways the node adds, by radon's rules."""
    match node:
        case ast.If() | ast.IfExp():
            return 1
        case ast.BoolOp():
            return len(node.values) - 1
        case ast.For() | ast.AsyncFor() | ast.While():
            return 1 + bool(node.orelse)
        case ast.comprehension():
            return 1 + len(node.ifs)
        case ast.Try():
            return len(node.handlers) + bool(node.orelse)
        case ast.Match():
            # a case that takes everything is the `else`
            catch_all = any(
                isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
                for case in node.cases
            )
            return max(0, len(node.cases) - catch_all)
        case _:
            return 0


def _fields() -> dict[type, tuple[str, ...]]:
    """The fields that hold nodes, for each kind of node that has any."""
    kinds: dict[type, tuple[str, ...]] = {}
    waiting: list[type[ast.AST]] = [ast.AST]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        names = tuple(name for name in kind._fields if name not in _BARE)
        if names and kind is not ast.Constant:
            kinds[kind] = names
    return kinds


_FIELDS = _fields()


def _last_line(statement: ast.stmt) -> int:
    """The last line on which something starts, definitions and asserts aside; 0 for none."""
    last = 0
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if node.__class__ not in _DEFINITIONS and node.__class__ is not ast.Assert:
            last = max(last, getattr(node, "lineno", 0))
            stack.extend(ast.iter_child_nodes(node))
    return last
