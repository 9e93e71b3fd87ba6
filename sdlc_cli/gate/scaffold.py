"""`sdlc init`: writes a first gates.yaml, and a CI file, for what the repository really has."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.core.columns import wrap
from sdlc_cli.core.errors import UsageError, WorkError
from sdlc_cli.core.i18n import _, msg
from sdlc_cli.gate import pipelines
from sdlc_cli.gate.config import FILE_NAME
from sdlc_cli.gate.survey import Survey, survey

_COLUMNS = 88  # of a comment line


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaffold:
    """What `write` did. Paths are relative to `root`."""

    root: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]
    gates: tuple[str, ...]
    include: str  # the file that the existing GitLab pipeline must include
    ci: str


def write(root: Path, *, ci: str = "", force: bool = False) -> Scaffold:
    """Write gates.yaml into `root`, and the file of the CI system `github` or `gitlab`.

    A file that exists is kept unless `force`; `.gitlab-ci.yml` is never touched. Raises
    UsageError when nothing was left to write, WorkError when the disk refuses.
    """
    if not root.is_dir():
        raise UsageError(
            msg("{path} is not a folder", path=root), hint=msg("the folder of the repository")
        )
    found = survey(root)
    texts = {FILE_NAME: gates_yaml(found)}
    include = ""
    if ci == "github":
        texts[pipelines.GITHUB] = pipelines.github(found)
    elif ci == "gitlab":
        here = (root / pipelines.GITLAB).exists()
        include = pipelines.GITLAB_PART if here else ""
        texts[include or pipelines.GITLAB] = pipelines.gitlab(found)
    written = tuple(name for name, text in texts.items() if _put(root / name, text, force))
    if not written:
        names = ", ".join(texts)
        raise UsageError(
            msg("nothing to write: {names} exists already", names=names),
            hint=msg("--force to overwrite it, or sdlc gate run to use it"),
        )
    return Scaffold(
        root=root,
        written=written,
        kept=tuple(name for name in texts if name not in written),
        gates=active_gates(found),
        include=include,
        ci=ci,
    )


def describe(done: Scaffold) -> list[str]:
    """What was written and what comes next, a line each."""
    lines = [_("wrote {path}").format(path=done.root / name) for name in done.written]
    lines += [_("kept {path}, which exists").format(path=done.root / name) for name in done.kept]
    if FILE_NAME in done.written:
        lines.append(_("gates: {names}").format(names=", ".join(done.gates)))
    if done.include:
        how = _("next: add these lines to {file}:").format(file=pipelines.GITLAB)
        lines += [how, "  include:", f"    - local: {done.include}"]
    if done.ci:
        lines.append(_("next: tell the CI system where to install sdlc from: SDLC_SOURCE"))
    return [*lines, _("next: {command}").format(command="sdlc gate run")]


def active_gates(found: Survey) -> tuple[str, ...]:
    """The gates that the written file sets up: only what this repository can answer."""
    return tuple(name for name, (_text, active, _options) in _blocks(found).items() if active)


def gates_yaml(found: Survey) -> str:
    """gates.yaml for what was found; what is missing stands there as a comment."""
    lines = [
        *_comment(_("What this repository must pass. `sdlc gate run` reads it.")),
        *_comment(_("Commands in this file are run: change it with the care that code gets.")),
        "version: 1",
        "",
        *_comment(
            _("1 asks for a score of 70, 2 for 80 and 3 for 90, and each requires more gates.")
        ),
        "generation: 1",
        "",
    ]
    if found.foreign:
        lines += _comment(_("Code of other people is not judged."))
        lines += ["exclude:", *(f"  - {name}/" for name in found.foreign), ""]
    lines += _comment(_("A gate has a weight in the score and may have a minimum of its own."))
    lines.append("gates:")
    for name, (text, active, options) in _blocks(found).items():
        lines += _comment(text, indent=2)
        mark = "  " if active else "  # "
        head = f"{mark}{name}:" if options else f"{mark}{name}: {{}}"
        lines += [head, *(f"{mark}  {option}" for option in options), ""]
    return "\n".join(lines).rstrip() + "\n"


def _blocks(found: Survey) -> dict[str, tuple[str, bool, Sequence[str]]]:
    """For each gate: what it does, whether it is set up, and its lines."""
    return {
        "syntax": (_("Every file compiles and parses."), True, ()),
        "security": (_("bandit's findings, weighed by severity."), True, ()),
        "secrets": (_("No key or token in any text file."), True, ()),
        "maintainability": (
            _("Functions stay simple (cyclomatic complexity)."),
            found.python,
            ("max_complexity: 10",),
        ),
        "integration": _integration(found),
        "coverage": _coverage(found),
        "performance": _performance(found),
        "load": (
            _("A service under load: latency, errors, recovery."),
            False,
            ("command: python -m app --port 8000", "url: http://127.0.0.1:8000", "ready: /health"),
        ),
        "dependencies": _dependencies(found),
        "docs": (_("Public docstrings, and links to local files."), False, ()),
        "deploy": (
            _("Manifests, Dockerfiles, workflows and Terraform, held against rules."),
            False,
            ("path: .",),
        ),
        "budget": (
            _("What the model calls cost, held against the budgets of cost.yaml."),
            False,
            ("forecast: true",),
        ),
    }


def _integration(found: Survey) -> tuple[str, bool, Sequence[str]]:
    command = "pytest -q --cov --cov-report=xml" if found.pytest_cov else "pytest -q"
    if found.tests and found.pytest:
        text = _("The tests in {folder}, run in the project's own environment.")
        return text.format(folder=found.tests), True, (f"command: {command}",)
    if found.tests:
        text = _("There are tests in {folder}, but no sign of pytest: name your test command.")
        return text.format(folder=found.tests), False, ("command: python -m unittest",)
    return (
        _("No tests were found. Name the command that runs them."),
        False,
        (f"command: {command}",),
    )


def _coverage(found: Survey) -> tuple[str, bool, Sequence[str]]:
    if found.tests and found.pytest and found.pytest_cov:
        text = _("The share of lines that the tests run; the integration gate writes the report.")
        return text, True, ("report: coverage.xml",)
    if found.coverage_report:
        text = _("The share of lines that the tests run, as the report in the repository says.")
        return text, True, (f"report: {found.coverage_report}",)
    if found.coverage_config:
        text = _("Coverage is set up, but no report lies here: write one with `coverage xml`.")
    else:
        text = _("No coverage report was found: Cobertura XML, coverage.py JSON or LCOV.")
    return text, False, ("report: coverage.xml",)


def _performance(found: Survey) -> tuple[str, bool, Sequence[str]]:
    options = (
        "benchmarks:",
        "  - name: start-up",
        '    command: python -c "pass"',
        "    time: 500ms",
    )
    if found.benchmarks:
        text = _("There is a folder {folder}: name what to run, and its budget.")
        return text.format(folder=found.benchmarks), False, options
    return _("Commands with a budget of time and memory."), False, options


def _dependencies(found: Survey) -> tuple[str, bool, Sequence[str]]:
    if found.audit_report:
        text = _("Known vulnerabilities of dependencies, as the report says.")
        return text, True, (f"report: {found.audit_report}",)
    if found.lock:
        text = _("Dependencies are listed in {file}, but no report lies here: {command}")
        command = "pip-audit -f json -o pip-audit.json"
        return text.format(file=found.lock, command=command), False, ("report: pip-audit.json",)
    text = _("Known vulnerabilities of dependencies, from the JSON of pip-audit or osv-scanner.")
    return text, False, ("report: pip-audit.json",)


def _comment(text: str, indent: int = 0) -> list[str]:
    mark = " " * indent + "# "
    return [mark + line for line in wrap(text, _COLUMNS - len(mark))]


def _put(path: Path, text: str, force: bool) -> bool:
    """Write the file; False when it exists and is kept."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise WorkError(
            msg("{path} could not be written: {reason}", path=path, reason=error.strerror)
        ) from error
    return True
