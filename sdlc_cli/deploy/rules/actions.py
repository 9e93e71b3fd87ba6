"""Rules on GitHub Actions workflows: what they may do, run and let through."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.pins import PINS
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.parsed import Document, Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.values import Mapped

_COMMIT = re.compile(r"[0-9a-f]{40}")
# Text that strangers choose. https://docs.github.com/actions/concepts/security/script-injections
_EXPRESSION = re.compile(r"\$\{\{([^}]{1,500})\}\}")
_ALWAYS_FOREIGN = re.compile(r"\bgithub\.(?:head_ref|event\.client_payload\.)")
_FOREIGN = re.compile(
    r"\bgithub\.event\.(?:issue|pull_request|discussion|comment|review|review_comment|head_commit|"
    r"commits|pages|workflow_run)\b"
)
_FREE_TEXT = re.compile(
    r"\.(?:title|body|name|message|email|label|ref|page_name|default_branch|head_branch|"
    r"description)\b"
)
# Gaps have a bound, so that no script takes longer than its length.
_APPLIES = re.compile(
    r"\bkubectl\b[^\n]{0,300}\b(?:apply|set\s+image|replace)\b|"
    r"\bhelm\b[^\n]{0,300}\bupgrade\b|\bterraform\b[^\n]{0,300}\bapply\b"
)
_WATCHES = re.compile(
    r"\brollout\s+status\b|--wait\b|--atomic\b|--rollback-on-failure\b|\bkubectl\s+wait\b"
)
_SETS_IMAGE = re.compile(r"\bset\s+image\b")
_SETS_TAG = re.compile(r"--set(?:-string)?[ =]\S{0,100}image\.tag=\S{0,100}")
_KEYS = ("aws-access-key-id", "aws-secret-access-key", "credentials_json", "creds")


@dataclass(frozen=True)
class _Job:
    document: Document
    name: str
    root: Mapped

    @property
    def subject(self) -> str:
        return f"{self.document.path.rpartition('/')[2]}, job {self.name}"

    def steps(self) -> list[Mapped]:
        return list(values.sections(self.root, "steps"))

    def hit(self, line: int, detail: str = "") -> Hit:
        return Hit(self.document.path, line or self.root.line, self.subject, detail)

    @property
    def commands(self) -> str:
        return "\n".join(values.text(step, "run").replace("\\\n", " ") for step in self.steps())


def _jobs(parsed: Parsed) -> Iterator[_Job]:
    for document in parsed.workflows:
        jobs = values.section(document.root, "jobs")
        for name in jobs:
            yield _Job(document, name, values.section(jobs, name))


def _uses(parsed: Parsed) -> Iterator[tuple[_Job, int, str]]:
    """Every action and reusable workflow, with its line."""
    for job in _jobs(parsed):
        for one in (job.root, *job.steps()):
            if name := values.text(one, "uses"):
                yield job, values.line(one, "uses"), name


def _unpinned(parsed: Parsed) -> Iterator[Hit]:
    for job, line, name in _uses(parsed):
        if name.startswith("./") or (name.startswith("docker://") and "@sha256:" in name):
            continue
        if not _COMMIT.fullmatch(name.rpartition("@")[2]):
            yield job.hit(line, name)


def _triggers(document: Document) -> set[str]:
    on = document.root.get("on")
    return set(on) if isinstance(on, dict) else set(values.words(document.root, "on"))


def _permissions(parsed: Parsed) -> Iterator[Hit]:
    for document in parsed.workflows:
        name = document.path.rpartition("/")[2]
        if "permissions" not in document.root:
            open_ = [job for job in _jobs(parsed) if job.document is document
                     and "permissions" not in job.root]  # fmt: skip
            if open_:
                yield Hit(document.path, document.line, name)
            continue
        line = values.line(document.root, "permissions")
        granted = document.root["permissions"]
        if granted == "write-all":
            yield Hit(document.path, line, name, "write-all")
        wide = [key for key in values.section(granted) if values.text(granted, key) == "write"]
        if wide:
            yield Hit(document.path, line, name, ", ".join(f"{key}: write" for key in wide))
    for job in _jobs(parsed):
        if job.root.get("permissions") == "write-all":
            yield job.hit(values.line(job.root, "permissions"), "write-all")


def _credentials(parsed: Parsed) -> Iterator[Hit]:
    for job in _jobs(parsed):
        for step in job.steps():
            if values.text(step, "uses").startswith("actions/checkout@"):
                kept = values.at(step, "with", "persist-credentials")
                if str(kept).lower() != "false":
                    yield job.hit(values.line(step, "uses"))


def _no_timeout(parsed: Parsed) -> Iterator[Hit]:
    for job in _jobs(parsed):
        if "timeout-minutes" not in job.root and "uses" not in job.root:
            yield job.hit(job.root.line)


def _no_concurrency(parsed: Parsed) -> Iterator[Hit]:
    for document in parsed.workflows:
        jobs = [job for job in _jobs(parsed) if job.document is document]
        if "concurrency" in document.root or any("concurrency" in job.root for job in jobs):
            continue
        if _triggers(document) != {"workflow_call"}:  # the caller's holds
            yield Hit(document.path, document.line, document.path.rpartition("/")[2])


def _foreign(script: str) -> str:
    """The first expression in a script that holds what strangers choose; '' for none."""
    for match in _EXPRESSION.finditer(script):
        inner = match[1]
        if _ALWAYS_FOREIGN.search(inner) or (_FOREIGN.search(inner) and _FREE_TEXT.search(inner)):
            return match[0]
    return ""


def _injection(parsed: Parsed) -> Iterator[Hit]:
    for job in _jobs(parsed):
        for step in job.steps():
            if found := _foreign(values.text(step, "run")):
                yield job.hit(values.line(step, "run"), found)
            if found := _foreign(values.text(step, "with", "script")):
                yield job.hit(values.line(step, "with", "script"), found)


def _target(parsed: Parsed) -> Iterator[Hit]:
    for job in _jobs(parsed):
        if not _triggers(job.document) & {"pull_request_target", "workflow_run"}:
            continue
        for step in job.steps():
            ref = values.text(step, "with", "ref") + values.text(step, "with", "repository")
            if values.text(step, "uses").startswith("actions/checkout@") and "head" in ref:
                yield job.hit(values.line(step, "with", "ref"), ref)


def _unreviewed(parsed: Parsed) -> Iterator[Hit]:
    for job in _jobs(parsed):
        if _APPLIES.search(job.commands) and "environment" not in job.root:
            yield job.hit(job.root.line)


def _unwatched(parsed: Parsed) -> Iterator[Hit]:
    for job in _jobs(parsed):
        match = _APPLIES.search(job.commands)
        if match and "terraform" not in match[0] and not _WATCHES.search(job.commands):
            yield job.hit(job.root.line, " ".join(match[0].split())[:60])


def _tagged(script: str) -> str:
    """What in a script names an image by its tag; a variable may hold a digest."""
    if match := _SETS_TAG.search(script):
        return match[0]
    for row in script.replace("\\\n", " ").splitlines():
        if "kubectl" in row and _SETS_IMAGE.search(row):
            for word in row.split():
                image = word.partition("=")[2].strip("\"'")
                if not word.startswith("-") and re.search(r"[:/]", image) and "@" not in image:
                    return word
    return ""


def _by_tag(parsed: Parsed) -> Iterator[Hit]:
    for job in _jobs(parsed):
        for step in job.steps():
            if found := _tagged(values.text(step, "run")):
                yield job.hit(values.line(step, "run"), found[:80])


def _static_keys(parsed: Parsed) -> Iterator[Hit]:
    for job in _jobs(parsed):
        for step in job.steps():
            for key in _KEYS:
                if "secrets." in values.text(step, "with", key):
                    yield job.hit(values.line(step, "with", key), key)


def _pushes(document: Document, jobs: list[_Job]) -> int:
    """The line where an image is pushed; 0 where none is."""
    for job in jobs:
        for step in job.steps():
            uses, pushed = values.text(step, "uses"), values.at(step, "with", "push")
            if uses.startswith("docker/build-push-action@") and str(pushed).lower() == "true":
                return values.line(step, "uses")
            if re.search(
                r"\bdocker\s+push\b|\bbuildx\s+build\b[^\n]{0,500}--push", values.text(step, "run")
            ):
                return values.line(step, "run")
    return 0


_BILL = re.compile(r"sbom|syft|cyclonedx", re.IGNORECASE)
_PROOF = re.compile(r"attest|provenance|cosign", re.IGNORECASE)


def _unattested(parsed: Parsed) -> Iterator[Hit]:
    for document in parsed.workflows:
        jobs = [job for job in _jobs(parsed) if job.document is document]
        line = _pushes(document, jobs)
        lacking = _lacking(document, jobs) if line else []
        if lacking:
            yield Hit(document.path, line, document.path.rpartition("/")[2], ", ".join(lacking))


def _lacking(document: Document, jobs: list[_Job]) -> list[str]:
    """What a workflow that pushes an image does not make of it."""
    every = "\n".join(text for _line, text in values.texts(document.root))
    inputs = [values.section(step, "with") for job in jobs for step in job.steps()]
    on = {key for one in inputs for key in one if one[key] not in (None, False, "false")}
    found = {
        "SBOM": _BILL.search(every) or "sbom" in on,
        "attestation": _PROOF.search(every) or "provenance" in on,
    }
    return [word for word, there in found.items() if not there]


def _unknown_needs(parsed: Parsed) -> Iterator[Hit]:
    for job in _jobs(parsed):
        known = values.section(job.document.root, "jobs")
        for name in values.words(job.root, "needs"):
            if name not in known:
                yield job.hit(values.line(job.root, "needs"), name)


def _inherited(parsed: Parsed) -> Iterator[Hit]:
    for job in _jobs(parsed):
        if job.root.get("secrets") == "inherit":
            yield job.hit(values.line(job.root, "secrets"))


def _invented(parsed: Parsed) -> Iterator[Hit]:
    """A commit that is not the one of the version beside it, or that nobody ever drew."""
    for job, line, name in _uses(parsed):
        action, _at, commit = name.rpartition("@")
        lines = parsed.sources.get(job.document.path, [])
        written = lines[line - 1] if 0 < line <= len(lines) else ""
        version = written.partition(name)[2].strip(" \t'\"").removeprefix("#").strip()
        pin = PINS.get(action)
        wrong = pin is not None and version == pin.version and commit != pin.commit
        # 40 random digits with fewer than 8 kinds among them: once in a billion.
        drawn = len(set(commit)) >= 8
        if _COMMIT.fullmatch(commit) and (wrong or not drawn):
            yield job.hit(line, f"{action}@{commit} {version}".strip())


RULES = (
    Rule(
        id="actions-unpinned",
        severity=Severity.HIGH,
        title=msg("an action is not pinned to a commit"),
        why=msg("Whoever takes over its repository moves the tag, and runs in your pipeline."),
        fix=msg("Write the 40 digits of the commit, and the version in a comment behind it."),
        same_as=("zizmor unpinned-uses", "CKV_GHA_7"),
        check=_unpinned,
    ),
    Rule(
        id="actions-permissions",
        severity=Severity.MEDIUM,
        title=msg("the workflow's token may do more than its jobs need"),
        why=msg("Every step of every job has the token, and an action that is taken over uses it."),
        fix=msg("Write `permissions: {}` at the top, and what each job needs in the job."),
        same_as=("zizmor excessive-permissions", "CKV2_GHA_1"),
        check=_permissions,
    ),
    Rule(
        id="actions-credentials",
        severity=Severity.MEDIUM,
        title=msg("checkout leaves the token on disk"),
        why=msg("Later steps can read it, and an artifact of the folder carries it away."),
        fix=msg("Set `persist-credentials: false`."),
        same_as=("zizmor artipacked",),
        check=_credentials,
    ),
    Rule(
        id="actions-no-timeout",
        severity=Severity.LOW,
        title=msg("the job may run for six hours"),
        why=msg("A step that hangs keeps a runner and the deployments behind it."),
        fix=msg("Set `timeout-minutes`."),
        check=_no_timeout,
    ),
    Rule(
        id="actions-no-concurrency",
        severity=Severity.LOW,
        title=msg("two runs of the workflow may overlap"),
        why=msg("The older of two deployments may end last, and stay."),
        fix=msg("Set `concurrency` with a group; do not cancel a deployment in progress."),
        same_as=("zizmor concurrency-limits",),
        check=_no_concurrency,
    ),
    Rule(
        id="actions-injection",
        severity=Severity.CRITICAL,
        title=msg("text that others choose is put into a script"),
        why=msg("A title or a branch's name with a quote in it becomes a command."),
        fix=msg("Hand it over in `env`, and use the variable in quotes."),
        same_as=("zizmor template-injection", "CKV_GHA_2"),
        check=_injection,
    ),
    Rule(
        id="actions-untrusted-checkout",
        severity=Severity.HIGH,
        title=msg("code of a pull request runs with the repository's secrets"),
        why=msg("pull_request_target and workflow_run run for strangers with full rights."),
        fix=msg("Use `pull_request`, or do not check out the head."),
        same_as=("zizmor dangerous-triggers",),
        check=_target,
    ),
    Rule(
        id="actions-no-environment",
        severity=Severity.MEDIUM,
        title=msg("a job deploys without an environment"),
        why=msg("Without one there are no reviewers, no limits by branch and no own secrets."),
        fix=msg("Set `environment`, and reviewers for it in the repository's settings."),
        check=_unreviewed,
    ),
    Rule(
        id="actions-no-rollout-check",
        severity=Severity.MEDIUM,
        title=msg("nothing waits for the deployment to succeed"),
        why=msg("The pipeline is green while the new pods crash."),
        fix=msg("Add `kubectl rollout status --timeout`, or `helm upgrade --atomic`."),
        check=_unwatched,
    ),
    Rule(
        id="actions-deploy-by-tag",
        severity=Severity.MEDIUM,
        title=msg("the image is deployed by its tag"),
        why=msg("What was tested and what is deployed may differ: tags move."),
        fix=msg("Hand on the digest that the build printed."),
        check=_by_tag,
    ),
    Rule(
        id="actions-static-keys",
        severity=Severity.HIGH,
        title=msg("the pipeline holds keys of a cloud that do not expire"),
        why=msg("They work from anywhere, for whoever gets them, until somebody notices."),
        fix=msg("Let the job assume a role by OIDC: `id-token: write` and `role-to-assume`."),
        check=_static_keys,
    ),
    Rule(
        id="actions-no-attestation",
        severity=Severity.MEDIUM,
        title=msg("an image is pushed without an SBOM or an attestation"),
        why=msg("Nobody can tell later what is in it, or which commit it was built from."),
        fix=msg("Write an SBOM and attest the digest in the job that pushes."),
        same_as=("CKV_GHA_5", "CKV_GHA_6"),
        check=_unattested,
    ),
    Rule(
        id="actions-unknown-job",
        severity=Severity.HIGH,
        title=msg("a job waits for one that is not in the workflow"),
        why=msg("GitHub refuses the whole file, and nothing runs."),
        fix=msg("Correct the name under `needs`."),
        same_as=("actionlint",),
        check=_unknown_needs,
    ),
    Rule(
        id="actions-inherited-secrets",
        severity=Severity.MEDIUM,
        title=msg("a called workflow gets every secret"),
        why=msg("It needs a few of them, and a change of it can read all."),
        fix=msg("List the secrets that it needs."),
        same_as=("zizmor secrets-inherit",),
        check=_inherited,
    ),
    Rule(
        id="actions-unlikely-commit",
        severity=Severity.HIGH,
        title=msg("the commit of an action is made up, or not that of the version beside it"),
        why=msg("No checker asks whether a commit exists: the run fails, or worse."),
        fix=msg("Look it up with `git ls-remote` in the action's repository."),
        check=_invented,
    ),
)  # fmt: skip
