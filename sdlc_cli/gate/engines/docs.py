"""Public docstrings, and links from Markdown and reStructuredText to files of the project.

An address with a scheme is never fetched, a symbolic link never followed.
"""

import ast
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.core.files import read_regular
from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.gate.config import Docs
from sdlc_cli.gate.formula import share, share_terms
from sdlc_cli.gate.links import Link, markdown_anchors, markdown_links, rst_links
from sdlc_cli.gate.model import Measurement, Outcome, SkippedFile
from sdlc_cli.gate.source import MAX_BYTES, Project, Unit, unreadable

MARKDOWN = (".md", ".markdown")
RST = (".rst",)
# What a page may be written as in the place of the page it becomes.
_SOURCES = (".md", ".rst", ".markdown", ".mdx", ".ipynb", ".txt", "/index.md", "/index.rst")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# What MyST and Sphinx resolve to a label or an object: `api-validators`, `attrs.filters.include`.
_REFERENCE = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")
_FILE_ENDING = re.compile(
    r"\.(?:"
    r"bat|bz2|c|cfg|cff|conf|cpp|css|csv|env|gif|gz|h|htm|html|ico|in"
    r"|ini|ipynb|jpeg|jpg|js|json|lock|log|markdown|md|mdx|mp4|pdf|png|po"
    r"|ps1|py|pyi|pyx|rs|rst|sh|sql|svg|tar|tex|toml|ts|tsv|txt|webp|whl"
    r"|xml|xz|yaml|yml|zip"
    r")\Z",
    re.IGNORECASE,
)
_LINES = re.compile(r"l[0-9]+(?:c[0-9]+)?(?:-l[0-9]+(?:c[0-9]+)?)?")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(slots=True, kw_only=True)
class State:
    """What looking at one file needs: the files there are, and the anchors read so far."""

    root: Path
    options: Docs
    files: frozenset[str]
    anchors: dict[str, frozenset[str] | None] = field(default_factory=dict)


def prepare(project: Project, options: Docs) -> State:
    """Raises ConfigError when both halves of the gate are turned off."""
    if not (options.docstrings or options.links):
        raise ConfigError(
            msg("the gate docs looks at nothing: docstrings and links are both off"),
            hint=msg("turn one of them on, or remove the gate"),
        )
    return State(root=project.root, options=options, files=frozenset(project.files))


def inspect(state: State, unit: Unit) -> Outcome | None:
    """Docstrings of a Python file, links of a document; None for any other file."""
    suffix = Path(unit.path).suffix.lower()
    if unit.kind == "python" and state.options.docstrings and is_public(unit.path):
        return _docstrings(unit)
    if suffix in (*MARKDOWN, *RST) and state.options.links:
        return _links(state, unit, markdown=suffix in MARKDOWN)
    return None


def conclude(
    project: Project, options: Docs, outcomes: Sequence[tuple[str, Outcome]]
) -> Measurement:
    """Score: the share of public objects that are documented and links that lead somewhere."""
    skipped = tuple(SkippedFile(path=p, reason=o.skipped) for p, o in outcomes if o.skipped)
    judged = [outcome for _, outcome in outcomes if not outcome.skipped]
    totals = {
        name: round(sum(outcome.numbers.get(name, 0) for outcome in judged))
        for name in ("objects", "documented", "links", "live_links")
    }
    total = totals["objects"] + totals["links"]
    if not total:
        return Measurement(
            outcome="skipped",
            reason=msg("there is no public object and no local link to judge"),
            skipped_files=skipped,
        )
    good = totals["documented"] + totals["live_links"]
    return Measurement(
        score=share(good, total),
        findings=tuple(finding for outcome in judged for finding in outcome.findings),
        metrics={**totals, "formula": share_terms(good, total, "finding")},
        skipped_files=skipped,
    )


def is_public(path: str) -> bool:
    """Whether users may import the module: no test, no part of its path with an underscore."""
    *folders, name = PurePosixPath(path).parts
    stem = PurePosixPath(name).stem
    if stem == "conftest" or stem.startswith("test_") or stem.endswith("_test"):
        return False
    if any(folder in ("tests", "test") for folder in folders):
        return False
    private = any(folder.startswith(("_", ".")) for folder in folders)
    return not private and (not stem.startswith("_") or stem in ("__init__", "__main__"))


def _docstrings(unit: Unit) -> Outcome:
    try:
        tree = unit.tree
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Outcome(skipped=unreadable(error))
    if not tree.body:  # an empty __init__.py has nothing to tell
        return Outcome(numbers={"objects": 0, "documented": 0})
    missing: list[Finding] = []
    count = 1
    if ast.get_docstring(tree, clean=False) is None:
        missing.append(_undocumented(unit.path, 1, "", msg("the module has no docstring")))
    for name, node, in_class in _public(tree):
        count += 1
        if not _documented(node):
            message = _message(node, name, in_class=in_class)
            missing.append(_undocumented(unit.path, node.lineno, name, message))
    missing.sort(key=lambda finding: finding.location.line)
    numbers = {"objects": count, "documented": count - len(missing)}
    return Outcome(findings=tuple(missing), numbers=numbers)


def _undocumented(path: str, line: int, name: str, message: str) -> Finding:
    return Finding(
        rule="missing-docstring",
        severity=Severity.LOW,
        message=message,
        location=Location(path=path, line=line),
        help=msg("say in a sentence what callers cannot guess, or make the name private"),
        context=f"{path} {name}",
    )


def _message(node: Definition, name: str, *, in_class: bool) -> Message:
    if isinstance(node, ast.ClassDef):
        return msg("the class {name} has no docstring", name=name)
    if in_class:
        return msg("the method {name} has no docstring", name=name)
    return msg("the function {name} has no docstring", name=name)


def _public(tree: ast.Module) -> Iterator[tuple[str, Definition, bool]]:
    """Public classes, functions and methods: (dotted name, node, whether it is in a class)."""
    exported = _exported(tree)
    waiting: list[tuple[str, list[ast.stmt], bool]] = [("", tree.body, False)]
    while waiting:
        prefix, body, in_class = waiting.pop()
        for node in body:
            if isinstance(node, (ast.If, ast.Try, ast.With)):
                inner = [*node.body, *getattr(node, "orelse", ())]
                waiting.append((prefix, inner, in_class))
            elif isinstance(node, Definition) and _wanted(node, exported, in_class=in_class):
                yield prefix + node.name, node, in_class
                if isinstance(node, ast.ClassDef):
                    waiting.append((f"{prefix}{node.name}.", node.body, True))


def _wanted(node: Definition, exported: frozenset[str] | None, *, in_class: bool) -> bool:
    if _needs_none(node):
        return False
    if in_class:
        return node.name == "__call__" or not node.name.startswith("_")
    return not node.name.startswith("_") if exported is None else node.name in exported


def _exported(tree: ast.Module) -> frozenset[str] | None:
    """The names in `__all__`, or None when there is none or it is computed."""
    values = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
        and any(isinstance(t, ast.Name) and t.id == "__all__" for t in _targets(node))
    ]
    names: set[str] = set()
    for value in values:
        if not isinstance(value, ast.List | ast.Tuple):
            return None
        constants = [e.value for e in value.elts if isinstance(e, ast.Constant)]
        names |= {name for name in constants if isinstance(name, str)}
    return frozenset(names) if values else None


def _targets(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _needs_none(node: Definition) -> bool:
    """Overloads, overrides, and the setter or deleter of a property documented at its getter."""
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
        if name in ("overload", "override"):
            return True
        if isinstance(target, ast.Attribute) and name in ("setter", "deleter"):
            return True
    return False


def _documented(node: Definition) -> bool:
    """A class may be documented by its `__init__` instead."""
    if ast.get_docstring(node, clean=False) is not None:
        return True
    return isinstance(node, ast.ClassDef) and any(
        isinstance(inner, ast.FunctionDef)
        and inner.name == "__init__"
        and ast.get_docstring(inner, clean=False) is not None
        for inner in node.body
    )


def _links(state: State, unit: Unit, *, markdown: bool) -> Outcome:
    try:
        text = unit.text.replace("\r\n", "\n").replace("\r", "\n")
    except (UnicodeDecodeError, LookupError) as error:
        return Outcome(skipped=unreadable(error))
    judged = 0
    dead: list[Finding] = []
    for link in markdown_links(text) if markdown else rst_links(text):
        verdict = _judge(state, unit.path, link, text if markdown else None)
        judged += verdict is not None
        if isinstance(verdict, Finding):
            dead.append(verdict)
    return Outcome(
        findings=tuple(dead), numbers={"links": judged, "live_links": judged - len(dead)}
    )


def _judge(state: State, page: str, link: Link, own_text: str | None) -> Finding | bool | None:
    """A finding for a dead link, True for a live one, None for one that is not judged here."""
    target = link.target.strip()
    if _SCHEME.match(target) or target.startswith("//") or re.search(r"[{}$*\\|<>\0]", target):
        return None
    address, _, fragment = target.partition("#")
    address = unquote(address.partition("?")[0])
    if not address:
        return _judge_anchor(state, page, page, link, fragment) if own_text is not None else None
    path = _resolve(state, page, address)
    if path is None:
        return None
    if not path and own_text is not None and _is_reference(target):
        return None
    if not path:
        return Finding(
            rule="dead-link",
            severity=Severity.MEDIUM,
            message=msg("the link to {target} leads to no file", target=target),
            location=Location(path=page, line=link.line),
            help=msg("correct the path, or remove the link"),
            context=f"{page} {target}",
        )
    return _judge_anchor(state, page, path, link, fragment)


def _is_reference(target: str) -> bool:
    """A bare word or a dotted name that is no file's: only the site's generator can tell."""
    return bool(_REFERENCE.fullmatch(target)) and not _FILE_ENDING.search(target)


def _judge_anchor(
    state: State, page: str, path: str, link: Link, fragment: str
) -> Finding | bool | None:
    if not path.lower().endswith(MARKDOWN):
        return True
    anchor = unquote(fragment).lower().removeprefix("user-content-")
    if anchor in ("", "top") or anchor.startswith(":~:") or _LINES.fullmatch(anchor):
        return True
    anchors = _anchors(state, path)
    if anchors is None or anchor in anchors:
        return True
    return Finding(
        rule="dead-anchor",
        severity=Severity.LOW,
        message=msg("{path} has no heading for the link to #{anchor}", path=path, anchor=fragment),
        location=Location(path=page, line=link.line),
        help=msg("correct the part after #; it comes from the words of the heading"),
        context=f"{page} {link.target}",
    )


def _anchors(state: State, path: str) -> frozenset[str] | None:
    """The anchors of a Markdown file, or None where it cannot be read."""
    if path not in state.anchors:
        state.anchors[path] = None
        file = state.root / path
        try:
            data = read_regular(file, MAX_BYTES + 1)
            if data is not None and len(data) <= MAX_BYTES:
                text = data.decode("utf-8-sig", "replace")
                lines = text.replace("\r\n", "\n").replace("\r", "\n")
                state.anchors[path] = markdown_anchors(lines)
        except OSError:
            pass
    return state.anchors[path]


def _resolve(state: State, page: str, address: str) -> str | None:
    """The path that `address` leads to from `page`: "" when nothing is there, None when it
    leaves the project or means something that only a site's generator can know."""
    if address.startswith("/"):
        return _from_a_root(state, page, address.strip("/"))
    path = _normal(PurePosixPath(page).parent / address)
    if path is None:
        return None
    found = _there(state, path)
    if not found and path.endswith((".html", ".htm")):
        stem = path.rpartition(".")[0]
        return _there(state, stem, sources=True) or None  # a page that a generator makes
    if found == "":
        return _there(state, path, sources=True)
    return found


def _from_a_root(state: State, page: str, address: str) -> str | None:
    """`/docs/a.md`, from the project's root (GitHub) or a folder above the page (Sphinx)."""
    for folder in (PurePosixPath(), *PurePosixPath(page).parents):
        path = _normal(folder / address)
        if path and (found := _there(state, path)):
            return found
    first = address.split("/", 1)[0]
    return "" if "/" in address and _there(state, first) else None


def _normal(path: PurePosixPath) -> str | None:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts) or "."


def _there(state: State, path: str, *, sources: bool = False) -> str | None:
    """`path` when it is there, "" when not, None behind a symbolic link. With `sources`, a file
    that a page is made from will do."""
    candidates = [path + ending for ending in _SOURCES] if sources else [path]
    for candidate in candidates:
        if candidate in state.files:
            return candidate
        place = state.root
        try:
            for part in PurePosixPath(candidate).parts:
                place = place / part
                if stat.S_ISLNK(place.lstat().st_mode):
                    return None
            return candidate
        except (OSError, ValueError):
            continue
    return ""
