"""CI files that run the gates: GitHub Actions and GitLab. Least rights, pinned actions."""

from sdlc_cli.core.columns import wrap
from sdlc_cli.core.i18n import _
from sdlc_cli.gate.survey import Survey

GITHUB = ".github/workflows/gate.yml"
GITLAB = ".gitlab-ci.yml"
GITLAB_PART = "sdlc-gate.gitlab-ci.yml"  # where a .gitlab-ci.yml exists

# A tag can be moved, a commit cannot: https://docs.github.com/actions/security-for-github-actions
_CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
_PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0"
_UV = "astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1"
_USUAL = "3.12"  # for projects that declare no version
_OLDEST = (3, 11)  # that sdlc itself runs on


def github(found: Survey) -> str:
    """A workflow for pull requests and the main branch."""
    lines = [
        "name: gate",
        "",
        '"on":',
        "  pull_request:",
        "  push:",
        "    branches: [main, master]",
        "",
        "permissions: {}",
        "",
        "concurrency:",
        "  group: gate-${{ github.ref }}",
        "  cancel-in-progress: true",
        "",
        "env:",
        *_source(2),
        "  SDLC_SOURCE: ${{ vars.SDLC_SOURCE }}",
        "",
        "jobs:",
        "  gate:",
        "    runs-on: ubuntu-latest",
        "    timeout-minutes: 30",
        "    permissions:",
        "      contents: read",
        "    steps:",
        f"      - uses: {_CHECKOUT}",
        "        with:",
        "          fetch-depth: 0",
        "          persist-credentials: false",
        f"      - uses: {_PYTHON}",
        "        with:",
        f'          python-version: "{_python(found)}"',
    ]
    if found.lock == "uv.lock":
        lines.append(f"      - uses: {_UV}")
    install = _project(found)
    if install:
        lines += ["      - name: Install the project", "        run: |"]
        lines += [f"          {line}" for line in install]
    lines += ["      - name: Install sdlc", "        run: |"]
    lines += [f"          {line}" for line in _sdlc()]
    lines += ["      - name: Run the gates", "        run: sdlc gate run --format github"]
    return "\n".join(lines) + "\n"


def gitlab(found: Survey) -> str:
    """A job for merge requests and the default branch."""
    install = [*_project(found), *_sdlc()]
    if found.lock == "uv.lock":
        install.insert(0, "python -m pip install uv")
    return "\n".join(
        [
            *_source(0),
            "gate:",
            f'  image: "python:{_python(found)}"',
            "  rules:",
            "    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'",
            "    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
            "  variables:",
            '    GIT_DEPTH: "0"',
            "  timeout: 30 minutes",
            "  script:",
            *(f"    - {_quoted(line)}" for line in install),
            "    - sdlc gate run --report gitlab=gate-quality.json --report junit=gate-junit.xml",
            "  artifacts:",
            "    when: always",
            "    reports:",
            "      codequality: gate-quality.json",
            "      junit: gate-junit.xml",
            "",
        ]
    )


def _python(found: Survey) -> str:
    if not found.python_version:
        return _USUAL
    declared = tuple(map(int, found.python_version.split(".")))
    return ".".join(map(str, max(declared, _OLDEST)))


def _quoted(line: str) -> str:
    return "'" + line.replace("'", "''") + "'"


def _source(indent: int) -> list[str]:
    text = _(
        "SDLC_SOURCE says where to install sdlc from: anything that pip install takes. Set it as "
        "a variable of the CI system; until then the job fails and says so."
    )
    mark = " " * indent + "# "
    return [mark + line for line in wrap(text, 88 - len(mark))]


def _sdlc() -> list[str]:
    """Its own environment, so that its packages never meet the project's."""
    return [
        'test -n "$SDLC_SOURCE" || { echo "SDLC_SOURCE is not set" >&2; exit 2; }',
        'python -m pip install "$SDLC_SOURCE"',
    ]


def _project(found: Survey) -> list[str]:
    """What puts the project and its tests into .venv, where the integration gate looks."""
    if not (found.tests and found.pytest):
        return []  # nothing of it is run
    if found.lock == "uv.lock":
        more = [] if found.pytest_named else ["uv pip install pytest"]
        return ["uv sync --locked", *more]
    lines = ["python -m venv .venv"]
    if found.lock == "requirements.txt":
        lines.append(".venv/bin/python -m pip install -r requirements.txt")
    if found.installable:
        extra = f"[{found.extra}]" if found.extra else ""
        lines.append(f".venv/bin/python -m pip install '.{extra}'")
    if not found.pytest_named:
        lines.append(".venv/bin/python -m pip install pytest")
    return lines if len(lines) > 1 else []
