"""Files -> parsed documents: each file read and parsed once, sorted by what it is.

Takes a folder with anybody's files, or Artifacts. What cannot be read or parsed is told: as a
problem where the file's name or place says that a tool will read it, else as a skipped file.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sdlc_cli.core import yaml_tree
from sdlc_cli.core.findings_out import FileNotRead
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.listing import LEFT_OUT
from sdlc_cli.core.regular import read_regular
from sdlc_cli.deploy.model import Artifact
from sdlc_cli.deploy.rules import dockerfile, hcl, values
from sdlc_cli.deploy.rules.objects import Object, Objects, is_judged
from sdlc_cli.deploy.rules.values import Mapped

MAX_BYTES = 5_000_000  # of a file: a bundle of CRDs has 3.5 MB
MAX_FILES = 20_000
MAX_DOCUMENTS = 5_000  # of a file
MAX_NODES = 300_000  # of a file

_LEFT_OUT = LEFT_OUT | {".terraform", "venv", ".venv", "site-packages"}
_DOCKERFILE = re.compile(r"(?:Dockerfile|Containerfile)(?:\..+)?|.+\.(?:dockerfile|Dockerfile)")
_COMPOSE = re.compile(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")
_VALUES = re.compile(r"values(?:[.-].+)?\.ya?ml")
_TEXTS = re.compile(r"\.dockerignore|.+\.dockerignore|\.gitignore|\.terraform\.lock\.hcl")
_YAML = (".yaml", ".yml")
# As templates of other tools have it, and a workflow or an alert has not.
_TEMPLATE = re.compile(r"^[ \t]*(?:-[ \t]+)?\{\{|:[ \t]+\{\{|\{%|<%", re.MULTILINE)
_HCL = (".tf", ".tfvars", ".tfbackend")


@dataclass(frozen=True)
class Document:
    """One parsed document. `root` is empty for what is no mapping."""

    path: str
    root: Mapped

    @property
    def line(self) -> int:
        """Where it starts."""
        return self.root.line

    @property
    def folder(self) -> str:
        """The folder of its file."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile's instructions and stages."""

    path: str
    instructions: tuple[dockerfile.Instruction, ...]
    stages: tuple[dockerfile.Stage, ...]


@dataclass(frozen=True)
class Module:
    """A folder of Terraform files, which are one thing to Terraform."""

    folder: str
    files: tuple[tuple[str, hcl.Block], ...]

    def blocks(self, kind: str, label: str = "") -> Iterator[tuple[str, hcl.Block]]:
        """Path and block of each block of this kind; `label` is the first one's text."""
        for path, root in self.files:
            for block in root.blocks:
                if block.kind == kind and (not label or block.labels[:1] == (label,)):
                    yield path, block


@dataclass(frozen=True, slots=True)
class Problem:
    """A file, or a place in it, that a tool will refuse or read otherwise than it looks."""

    path: str
    line: int
    what: Message
    duplicate: bool = False  # a key that is written twice


@dataclass(kw_only=True)
class Parsed:
    """Everything of a set, by what it is. Filled by `read`, then only read."""

    raw_objects: list[tuple[str, Mapped]] = field(default_factory=list)
    strange: int = 0  # how many of them are of a kind that no rule looks at
    kustomizations: list[Document] = field(default_factory=list)
    dockerfiles: list[Dockerfile] = field(default_factory=list)
    composes: list[Document] = field(default_factory=list)
    workflows: list[Document] = field(default_factory=list)
    terraform_files: list[tuple[str, hcl.Block]] = field(default_factory=list)
    terraform_values: list[tuple[str, hcl.Block]] = field(default_factory=list)  # .tfvars, …
    rule_files: list[Document] = field(default_factory=list)
    rule_tests: list[Document] = field(default_factory=list)
    prometheus: list[Document] = field(default_factory=list)
    alertmanagers: list[Document] = field(default_factory=list)
    collectors: list[Document] = field(default_factory=list)
    dashboards: list[Document] = field(default_factory=list)
    chart_values: list[Document] = field(default_factory=list)
    charts: list[Document] = field(default_factory=list)
    runbooks: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, list[str]] = field(default_factory=dict)  # lines of workflows
    problems: list[Problem] = field(default_factory=list)
    skipped: list[FileNotRead] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)  # of every file there is, read or not
    known: set[str] = field(default_factory=set)  # of files that a rule looks at

    @cached_property
    def objects(self) -> Objects:
        """The Kubernetes objects; patches of kustomizations are no objects."""
        spaces = {one.folder: values.text(one.root, "namespace") for one in self.kustomizations}
        every = tuple(
            Object(path, root, spaces.get(path.rpartition("/")[0], ""))
            for path, root in self.raw_objects
            if path not in self.patches
        )
        return Objects(every, frozenset(self._generated()))

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """The Terraform files by folder."""
        folders: dict[str, list[tuple[str, hcl.Block]]] = {}
        for path, block in self.terraform_files:
            folders.setdefault(path.rpartition("/")[0], []).append((path, block))
        return tuple(Module(folder, tuple(files)) for folder, files in sorted(folders.items()))

    @cached_property
    def patches(self) -> frozenset[str]:
        """Paths of files that change objects of other files."""
        return frozenset(self._patched())

    @cached_property
    def manifests(self) -> Mapping[str, frozenset[str]]:
        """Names of the files with objects, by their folder."""
        found: dict[str, set[str]] = {}
        for path, _root in self.raw_objects:
            folder, _slash, name = path.rpartition("/")
            found.setdefault(folder, set()).add(name)
        return {folder: frozenset(names) for folder, names in found.items()}

    def _patched(self) -> Iterator[str]:
        for one in self.kustomizations:
            named = values.words(one.root, "patchesStrategicMerge")
            named += [values.text(patch, "path") for patch in values.sections(one.root, "patches")]
            for name in named:
                yield beside(one.path, name)

    def _generated(self) -> Iterator[tuple[str, str]]:
        for one in self.kustomizations:
            for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
                for made in values.sections(one.root, key):
                    if name := values.text(made, "name"):
                        yield kind, name

    def looked_at(self) -> Mapping[str, int]:
        """How many documents of each area there are."""
        monitoring = (self.rule_files, self.rule_tests, self.prometheus, self.alertmanagers,
                      self.collectors, self.dashboards)  # fmt: skip
        return {
            "kubernetes": len(self.raw_objects) - self.strange + len(self.kustomizations),
            "docker": len(self.dockerfiles) + len(self.composes),
            "actions": len(self.workflows),
            "terraform": len(self.terraform_files) + len(self.terraform_values),
            "monitoring": sum(len(one) for one in monitoring),
            "helm": len(self.chart_values),  # no rule looks into Chart.yaml
        }


def beside(path: str, name: str) -> str:
    """The path that `name` means in the file at `path`; '' for one that leads out."""
    parts: list[str] = path.split("/")[:-1]
    for part in name.split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def read(source: Path | Iterable[Artifact]) -> Parsed:
    """Parse a folder, or Artifacts. Never raises for what is in a file."""
    parsed = Parsed()
    if isinstance(source, Path):
        files = _files(source, parsed)
    else:
        files = ((one.path, one.text) for one in source)
    texts = sorted(files)
    parsed.paths.update(path for path, _text in texts)
    charts = {path.rpartition("/")[0] for path in parsed.paths if path.endswith("/Chart.yaml")}
    charts |= {""} if "Chart.yaml" in parsed.paths else set()
    for path, text in texts:
        if text is not None:
            _sort_in(parsed, path, text, charts)
    _drop_strangers(parsed)
    return parsed


def _files(root: Path, parsed: Parsed) -> Iterator[tuple[str, str | None]]:
    """Path and text of each file under `root`; None for those that no rule reads."""
    for count, path in enumerate(_walk(root, parsed)):
        if count >= MAX_FILES:
            reason = msg("the folder holds more than {limit} files", limit=f"{MAX_FILES:,}")
            parsed.skipped.append(FileNotRead(path=path, reason=reason))
            return
        yield path, _text(root, path, parsed) if _may_concern(path) else None


def _walk(root: Path, parsed: Parsed) -> Iterator[str]:
    """Regular files, in order of their names. Links are told and never followed."""
    stack = [""]
    while stack:
        folder = stack.pop()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError as error:
            _skip(parsed, folder or ".", msg("cannot be listed: {why}", why=error.strerror))
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_symlink():
                if _may_concern(path) or "." not in entry.name:
                    _skip(parsed, path, msg("a symlink, not followed"))
            elif entry.is_dir(follow_symlinks=False):
                if entry.name not in _LEFT_OUT:
                    stack.append(path)
            elif entry.is_file(follow_symlinks=False):
                yield path
            elif _may_concern(path):
                _skip(parsed, path, msg("not a regular file"))


def _may_concern(path: str) -> bool:
    name = path.rpartition("/")[2]
    lower = name.lower()
    return bool(
        lower.endswith((*_YAML, *_HCL, ".tofu", ".json"))
        or _DOCKERFILE.fullmatch(name)
        or _TEXTS.fullmatch(name)
        or (lower.endswith(".md") and "runbook" in lower)
    )


def _text(root: Path, path: str, parsed: Parsed) -> str | None:
    try:
        data = read_regular(root / path, MAX_BYTES + 1)
    except OSError as error:
        _skip(parsed, path, msg("cannot be read: {why}", why=error.strerror))
        return None
    if data is None:
        _skip(parsed, path, msg("not a regular file"))
        return None
    if len(data) > MAX_BYTES:
        _skip(parsed, path, msg("larger than {limit} bytes", limit=f"{MAX_BYTES:,}"))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse(parsed, path, 0, msg("is not UTF-8"))
        return None


def _skip(parsed: Parsed, path: str, reason: Message) -> None:
    parsed.skipped.append(FileNotRead(path=path, reason=reason))


def _refuse(parsed: Parsed, path: str, line: int, reason: Message, text: str = "") -> None:
    """A file that its tool will not read either: a problem; JSON may be anything, so a skip."""
    if _TEMPLATE.search(text):
        _skip(parsed, path, msg("a template, which says nothing before it is rendered"))
        return
    if not path.endswith(".json"):
        parsed.problems.append(Problem(path, line, reason))
    _skip(parsed, path, reason)


def _drop_strangers(parsed: Parsed) -> None:
    """Broken YAML far from all deployment files is somebody else's: it stays a skipped file."""
    known = {path.rpartition("/")[0] for path in parsed.known}
    parsed.problems = [
        one
        for one in parsed.problems
        if not known
        or one.path.rpartition("/")[0] in known
        or not one.path.endswith(_YAML)
        or "/.github/workflows/" in f"/{one.path}"
        or one.path in parsed.known
    ]


def _sort_in(parsed: Parsed, path: str, text: str, charts: set[str]) -> None:
    name = path.rpartition("/")[2]
    if _DOCKERFILE.fullmatch(name) and not name.endswith(".dockerignore"):
        _read_dockerfile(parsed, path, text)
    elif _TEXTS.fullmatch(name):
        parsed.texts[path] = text
    elif name.lower().endswith(".md"):
        if "runbook" in name.lower():
            parsed.runbooks[path] = text
    elif name.endswith(_HCL):
        _read_terraform(parsed, path, text)
    elif name.endswith((".tf.json", ".tofu", ".tofu.json")):
        _skip(parsed, path, msg("a kind of Terraform file that the rules do not read"))
    elif name.lower().endswith(".json"):
        _read_json(parsed, path, text)
    elif name.lower().endswith(_YAML):
        if any(_inside(path, f"{chart}/templates" if chart else "templates") for chart in charts):
            _skip(parsed, path, msg("a Helm template, which is no YAML before it is rendered"))
        else:
            in_chart = any(_inside(path, chart) for chart in charts)
            _read_yaml(parsed, path, text, in_chart)


def _inside(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _read_dockerfile(parsed: Parsed, path: str, text: str) -> None:
    try:
        instructions = dockerfile.parse(text)
    except dockerfile.DockerfileError as error:
        _refuse(parsed, path, error.line, error.message, text)
        return
    parsed.known.add(path)
    parsed.dockerfiles.append(Dockerfile(path, instructions, dockerfile.stages(instructions)))


def _read_terraform(parsed: Parsed, path: str, text: str) -> None:
    try:
        block = hcl.parse(text)
    except hcl.HclError as error:
        _refuse(parsed, path, error.line, error.message)
        return
    parsed.known.add(path)
    (parsed.terraform_files if path.endswith(".tf") else parsed.terraform_values).append(
        (path, block)
    )


def _read_json(parsed: Parsed, path: str, text: str) -> None:
    """JSON is YAML to us where it may be an object or a dashboard, so that lines are known."""
    head = text[:200_000]
    if '"apiVersion"' not in head and '"panels"' not in head:
        return
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        _refuse(parsed, path, 0, msg("is not JSON"))
        return
    _read_yaml(parsed, path, text, in_chart=False)


def _read_yaml(parsed: Parsed, path: str, text: str, in_chart: bool) -> None:
    found: list[Document] = []
    nodes = 0
    try:
        for line, node in yaml_tree.compose_all(text):
            value, twice = values.build(node)
            parsed.problems += [
                Problem(path, at, msg("the key '{key}' is written twice", key=key[:80]), True)
                for at, key in twice
            ]
            root = value if isinstance(value, Mapped) else Mapped(line)
            found.append(Document(path, root))
            nodes += _size(value)
            if len(found) > MAX_DOCUMENTS or nodes > MAX_NODES:
                _skip(parsed, path, msg("holds more than the rules read; only its start is judged"))
                break
    except yaml_tree.TreeError as error:
        _refuse(parsed, path, error.line, error.message, text)
        return
    known = [_place(parsed, one, in_chart) for one in found if one.root]
    if parsed.workflows and parsed.workflows[-1].path == path:
        parsed.sources[path] = text.splitlines()  # their comments count
    if any(known):
        parsed.known.add(path)
    elif not path.endswith(".json") and not any(one.path == path for one in parsed.skipped[-1:]):
        _skip(parsed, path, msg("holds nothing that the rules know"))


def _size(value: object) -> int:
    return sum(1 for _text in values.texts(value, MAX_NODES))


def _place(parsed: Parsed, one: Document, in_chart: bool) -> bool:
    """Put the document where it belongs; False for one that no rule knows."""
    name = one.path.rpartition("/")[2]
    if in_chart and name == "Chart.yaml":
        parsed.charts.append(one)
    elif in_chart and _VALUES.fullmatch(name):
        parsed.chart_values.append(one)
    elif values.text(one.root, "kind") and values.text(one.root, "apiVersion"):
        return _place_object(parsed, one.path, one.root)
    elif name in ("kustomization.yaml", "kustomization.yml"):
        parsed.kustomizations.append(one)
    else:
        return _place_by_keys(parsed, one, name)
    return True


def _place_object(parsed: Parsed, path: str, root: Mapped) -> bool:
    kind, api = values.text(root, "kind"), values.text(root, "apiVersion")
    if api.startswith("kustomize.config.k8s.io"):
        parsed.kustomizations.append(Document(path, root))
    elif kind == "List":
        inner = values.sections(root, "items")  # a list in a list is nothing kubectl takes
        placed = [_place_object(parsed, path, o) for o in inner if values.text(o, "kind") != "List"]
        return any(placed)
    else:
        parsed.raw_objects.append((path, root))
        if not is_judged(api, kind):
            parsed.strange += 1
            _skip(parsed, path, msg("holds a {kind}, which no rule knows", kind=kind[:80]))
            return False
    return True


def _place_by_keys(parsed: Parsed, one: Document, name: str) -> bool:
    for fits, where in _SHAPES:
        if fits(one, name):
            where(parsed).append(one)
            return True
    return False


def _has(*keys: str) -> "Callable[[Document, str], bool]":
    return lambda one, name: all(key in one.root for key in keys)


_SHAPES: Sequence[tuple[Callable[[Document, str], bool], Callable[[Parsed], list[Document]]]] = (
    (
        lambda one, name: ".github/workflows/" in f"/{one.path}" and "jobs" in one.root,
        lambda parsed: parsed.workflows,
    ),
    (
        lambda one, name: bool(_COMPOSE.fullmatch(name)) and "services" in one.root,
        lambda parsed: parsed.composes,
    ),
    (_has("rule_files", "tests"), lambda parsed: parsed.rule_tests),
    (_has("groups"), lambda parsed: parsed.rule_files),
    (_has("scrape_configs"), lambda parsed: parsed.prometheus),
    (_has("route", "receivers"), lambda parsed: parsed.alertmanagers),
    (_has("receivers", "service"), lambda parsed: parsed.collectors),
    (_has("panels", "title"), lambda parsed: parsed.dashboards),
)
