"""Where a change left its base: which commit `--changed-since` compares with."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from sdlc_cli.core import git
from sdlc_cli.core.errors import SdlcError, UsageError, WorkError
from sdlc_cli.core.i18n import Message, msg
from sdlc_cli.core.regular import read_regular

AUTO = "auto"
_DEFAULTS = (
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
)
_EVENT_BYTES = 30_000_000  # GitHub's own limit of an event is 25 MB
_FIRST_PARENT = "HEAD^1"
_DEEPER = "git fetch --unshallow origin"


def find(root: Path, rev: str, environ: Mapping[str, str] = os.environ) -> str:
    """The commit at which HEAD and `rev` parted.

    `auto` is the base of the pull or merge request that CI names (GITHUB_BASE_REF,
    CI_MERGE_REQUEST_DIFF_BASE_SHA, CI_MERGE_REQUEST_TARGET_BRANCH_NAME), else the remote's
    default branch, else main or master. After a push to that branch it is what stood there before
    (`before` of GITHUB_EVENT_PATH, CI_COMMIT_BEFORE_SHA). Raises UsageError for a revision that is
    not there, WorkError where git cannot tell.
    """
    if not os.path.lexists(root / ".git"):
        raise WorkError(
            msg("{path} is in no git repository, so nothing says what changed", path=str(root)),
            hint=msg("run it in a clone, or leave out --changed-since"),
        )
    if not commit(root, "HEAD"):
        _explain_refusal(root)
        raise WorkError(
            msg("the repository has no commit yet, so nothing says what changed"),
            hint=msg("commit first, or leave out --changed-since"),
        )
    base = _automatic(root, environ) if rev == AUTO else _named(root, rev)
    done = git.ask(root, "merge-base", base, "HEAD")
    if done.returncode:
        raise _unrelated(root, rev)
    return done.stdout.decode("ascii").split()[0]


def commit(root: Path, rev: str) -> str:
    """The id of the commit that `rev` names, or "" when there is none."""
    if not rev or rev.startswith("-") or "\0" in rev:
        return ""
    done = git.ask(root, "rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}")
    return "" if done.returncode else done.stdout.decode("ascii").strip()


def is_shallow(root: Path) -> bool:
    """True for a clone that holds only the newest commits."""
    return git.ask(root, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"


def _named(root: Path, rev: str) -> str:
    if found := commit(root, rev):
        return found
    if is_shallow(root):
        raise WorkError(
            msg("this clone is shallow and does not hold {rev}", rev=rev),
            hint=_deeper(rev.removeprefix("origin/") if rev.startswith("origin/") else ""),
        )
    raise UsageError(
        msg("there is no revision '{rev}' in this repository", rev=rev),
        hint=msg("git fetch origin, then name a branch as origin/main; or --changed-since auto"),
    )


def _automatic(root: Path, environ: Mapping[str, str]) -> str:
    wanted = tuple(_asked_by_ci(environ))
    for rev in wanted or _DEFAULTS:
        if rev == _FIRST_PARENT and not commit(root, "HEAD^2"):
            continue  # not that merge: the workflow checked out something else
        if found := commit(root, rev):
            return found if wanted else _before_push(root, environ) or found
    if wanted:
        raise WorkError(
            msg("the request's base {rev} is not in this clone", rev=_plain(wanted[0])),
            hint=_deeper(_plain(wanted[0]).removeprefix("origin/"), shallow=is_shallow(root)),
        )
    if is_shallow(root):
        raise WorkError(
            msg("this clone is shallow and does not hold the branch that the change left"),
            hint=_deeper("*"),
        )
    raise UsageError(
        msg("nothing says what this change is based on: no origin, no main, no master"),
        hint="--changed-since REV",
    )


def _asked_by_ci(environ: Mapping[str, str]) -> Iterator[str]:
    """The revisions that may be a request's base, the surest first; none outside a request."""
    if branch := environ.get("GITHUB_BASE_REF"):
        yield f"refs/remotes/origin/{branch}"
        if environ.get("GITHUB_REF", "").startswith("refs/pull/"):
            yield _FIRST_PARENT  # GitHub checks out a merge of the request into its base
    if base := environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        yield base
    if branch := environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        yield f"refs/remotes/origin/{branch}"


def _before_push(root: Path, environ: Mapping[str, str]) -> str:
    """What HEAD's branch held before CI was told of a push to it; "" where HEAD is not its tip.

    Without it a push to the default branch would be compared with itself, and pass unseen.
    """
    if commit(root, "HEAD") not in {commit(root, rev) for rev in _DEFAULTS}:
        return ""  # a branch of its own is judged from where it left the default one
    before = environ.get("CI_COMMIT_BEFORE_SHA") or _before_in_event(environ)
    if not before.strip("0"):
        return ""  # a new branch has no past
    if found := commit(root, before):
        return found
    raise WorkError(
        msg("this clone does not hold {rev}, which the push came after", rev=before),
        hint=_deeper(shallow=is_shallow(root)),
    )


def _before_in_event(environ: Mapping[str, str]) -> str:
    if environ.get("GITHUB_EVENT_NAME") != "push":
        return ""
    with suppress(OSError, ValueError):
        event = json.loads(read_regular(environ.get("GITHUB_EVENT_PATH", ""), _EVENT_BYTES) or b"")
        if isinstance(event, dict):
            return str(event.get("before") or "")
    return ""


def _plain(rev: str) -> str:
    return rev.removeprefix("refs/remotes/")


def _deeper(branch: str = "", *, shallow: bool = True) -> Message:
    command = _DEEPER if shallow else "git fetch origin"
    if branch == "*":
        command = f"{command} '+refs/heads/*:refs/remotes/origin/*'"
    elif branch:
        command = f"{command} {branch}:refs/remotes/origin/{branch}"
    return msg(
        "{command} (GitHub: fetch-depth: 0 of actions/checkout; GitLab: GIT_DEPTH: 0)",
        command=command,
    )


def _unrelated(root: Path, rev: str) -> SdlcError:
    if is_shallow(root):
        return WorkError(
            msg("this clone is shallow and does not hold the commit where {rev} and HEAD parted",
                rev=rev),
            hint=_deeper(),
        )  # fmt: skip
    return WorkError(
        msg("{rev} and HEAD share no commit: their histories are unrelated", rev=rev),
        hint=msg("name a revision that HEAD was made from"),
    )


def _explain_refusal(root: Path) -> None:
    """Raises WorkError when git does not want to look at the repository at all."""
    done = git.ask(root, "rev-parse", "--git-dir")
    if not done.returncode:
        return
    if b"dubious ownership" in done.stderr:
        raise WorkError(
            msg("git does not trust {path}: it belongs to another user", path=str(root)),
            hint=f"git config --global --add safe.directory {root}",
        )
    raise WorkError(
        msg("git cannot read the repository: {why}", why=said(done.stderr)),
        hint=msg("check the clone with: git status"),
    )


def said(stderr: bytes) -> str:
    """The first thing that git complained about, for an error."""
    rows = [row.strip() for row in stderr.decode("utf-8", "replace").splitlines() if row.strip()]
    first = next((row for row in rows if row.startswith(("fatal:", "error:"))), rows[:1])
    words = first if isinstance(first, str) else "".join(first)
    return words.removeprefix("fatal:").removeprefix("error:").strip()[:300]
