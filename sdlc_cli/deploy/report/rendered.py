"""What a render did, as text or JSON: its files, what the rules said of them, what comes next."""

import json as _json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sdlc_cli.core.columns import columns, wrap
from sdlc_cli.core.i18n import _, local, ngettext
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.deploy.after import Command, Need
from sdlc_cli.deploy.difference import states
from sdlc_cli.deploy.folder import digest
from sdlc_cli.deploy.lock import Plan, State, Step
from sdlc_cli.deploy.model import Artifact
from sdlc_cli.deploy.report import SCHEMA_VERSION, Verdict, json, words
from sdlc_cli.deploy.report import text as verdicts

_WRITTEN: tuple[State, ...] = ("new", "changed", "edited", "foreign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A render: what was to become of each file, whether it did, and the commands that follow."""

    app: str
    environments: tuple[str, ...]
    out: Path
    plan: Plan
    verdict: Verdict
    written: bool
    next: tuple[Command, ...]
    needs: tuple[Need, ...] = ()

    @property
    def artifacts(self) -> tuple[tuple[Step, Artifact], ...]:
        """What was rendered, each with what became of it."""
        return tuple((step, step.artifact) for step in self.plan.steps if step.artifact)


def as_json(done: Done) -> str:
    """For machines, in English."""
    verdict = json.body(done.verdict)
    body: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "passed": done.verdict.passed,
        "exit_code": done.verdict.exit_code,
        "fail_on": verdict["fail_on"],
        "written": done.written,
        "app": done.app,
        "environments": list(done.environments),
        "artifacts": [_artifact(step, artifact) for step, artifact in done.artifacts],
        "removed": list(done.plan.paths("stale")),
        "findings": verdict["findings"],
        "needs": [{"environments": list(one.environments), "what": one.what} for one in done.needs],
        "next": [
            {"environment": one.environment, "command": one.command, "instead": one.instead}
            for one in done.next
        ],
    }
    return _json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def _artifact(step: Step, artifact: Artifact) -> dict[str, object]:
    return {
        "path": artifact.path,
        "sha256": digest(artifact.text.encode()),
        "kind": artifact.kind,
        "environment": artifact.environment,
        "about": artifact.about,
        "executable": artifact.executable,
        "state": step.state,
    }


def as_text(done: Done, view: View = DEFAULT) -> str:
    """For people."""
    return "\n".join(_lines(done, view)) + "\n"


def _lines(done: Done, view: View) -> Iterator[str]:
    if not done.written:
        yield from verdicts.render(done.verdict, view).rstrip("\n").split("\n")
        yield ""
        yield from wrap(_("Nothing was written."), view.width)
        return
    yield from wrap(_headline(done), view.width)
    yield from wrap(words.headline(done.verdict), view.width)
    yield from _files(done, view)
    if done.verdict.checked.findings:
        yield ""
        yield from verdicts.render(done.verdict, view).rstrip("\n").split("\n")
    if done.needs:
        yield ""
        yield _title(_("Needed before the first apply"), view)
        yield from _needed(done, view)
    if done.next:
        yield ""
        yield _title(_("Next"), view)
        yield from _commands(done)


def _commands(done: Done) -> Iterator[str]:
    """Those of several environments one after the other, each below its name."""
    several, last = len(done.environments) > 1, ""
    for one in done.next:
        if several and one.environment != last:
            yield f"  {one.environment}"
            last = one.environment
        yield f"  {'  ' * several}{_('or') + ': ' if one.instead else ''}{one.command}"


def _title(text: str, view: View) -> str:
    return f"\x1b[1m{text}\x1b[0m" if view.color else text


def _needed(done: Done, view: View) -> Iterator[str]:
    """One line a need; whose it is where it is not everybody's."""
    for one in done.needs:
        whose = "" if one.environments == done.environments else ", ".join(one.environments)
        text = f"{whose}: {local(one.what)}" if whose else local(one.what)
        yield from (f"  {line}" for line in wrap(text, view.width - 2, hang=2))


def _headline(done: Done) -> str:
    total = len(done.artifacts)
    rendered = ngettext(
        "Rendered {app} for {environments}: {n} file",
        "Rendered {app} for {environments}: {n} files",
        total,
    ).format(app=done.app, environments=", ".join(done.environments), n=f"{total:,}")
    facts = [
        (_("{n} written"), len(done.plan.paths(*_WRITTEN))),
        (_("{n} unchanged"), len(done.plan.paths("unchanged"))),
        (_("{n} removed"), len(done.plan.paths("stale"))),
    ]
    told = ", ".join(words_.format(n=f"{count:,}") for words_, count in facts if count)
    return f"{rendered} ({told})"


def _files(done: Done, view: View) -> Iterator[str]:
    yield ""
    if view.verbose:
        told = states()
        yield from (f"{artifact.path}: {told[step.state]}" for step, artifact in done.artifacts)
        return
    rows = _groups([artifact.path for _step, artifact in done.artifacts])
    widest = max((columns(name) for name, _text in rows), default=0)
    for name, text in rows:
        if widest + 2 + columns(text) <= view.width:
            yield f"{name:{widest}}  {text}".rstrip()
        else:
            yield from wrap(f"{name} {text}", view.width, hang=2)


def _groups(paths: Sequence[str]) -> list[tuple[str, str]]:
    """`k8s/prod/  18 files` for what a folder holds; files beside the folders together."""
    groups: dict[str, int] = {}
    for path in paths:
        parts = path.split("/")
        if len(parts) > 1:
            deep = 2 if parts[0] in ("k8s", "helm", ".github") and len(parts) > 2 else 1
            name = "/".join(parts[:deep]) + "/"
            groups[name] = groups.get(name, 0) + 1
        else:
            groups[path] = 1
    rows: list[tuple[str, str]] = []
    for name, count in groups.items():
        rows.append((name, ngettext("{n} file", "{n} files", count).format(n=f"{count:,}")))
    return rows


def drift_json(plan: Plan, environments: Sequence[str], *, interrupted: bool) -> str:
    """The files that are not what a render would write, for machines."""
    body = {
        "schema_version": SCHEMA_VERSION,
        "drifted": plan.differs or interrupted,
        "interrupted": interrupted,
        "environments": list(environments),
        "files": [
            {"path": step.path, "state": step.state}
            for step in plan.steps
            if step.state != "unchanged"
        ],
    }
    return _json.dumps(body, indent=1) + "\n"


def drift_text(plan: Plan) -> str:
    """The same for people; of a file that a render would add, that it is missing."""
    told = states() | {"new": _("missing"), "changed": _("would change")}
    rows = [f"{step.path}: {told[step.state]}" for step in plan.steps if step.state != "unchanged"]
    if not rows:
        total = len(plan.steps)
        return (
            ngettext(
                "No drift: {n} file is what deploy.yaml renders",
                "No drift: {n} files are what deploy.yaml renders",
                total,
            ).format(n=f"{total:,}")
            + "\n"
        )
    line = ngettext(
        "Drift: {n} file is not what deploy.yaml renders",
        "Drift: {n} files are not what deploy.yaml renders",
        len(rows),
    )
    return "\n".join([line.format(n=f"{len(rows):,}"), *(f"  {row}" for row in rows)]) + "\n"
