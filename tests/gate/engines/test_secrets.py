"""Secrets are found by their shapes and their names, and never shown.

The keys here are put together at run time, so that no scanner takes this file for a leak.
"""

import dataclasses
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sdlc_cli.core.finding import Finding, Severity, fingerprint
from sdlc_cli.gate.engines.secrets import HALF, conclude, inspect, prepare
from sdlc_cli.gate.formula import density
from sdlc_cli.gate.model import Measurement, Outcome
from sdlc_cli.gate.options import AllowedSecret, Secrets
from sdlc_cli.gate.shapes import SHAPES
from sdlc_cli.gate.source import Unit, open_project, read

Tree = Callable[..., Path]


def noise(length: int, letters: str = "") -> str:
    """Letters that look random and are always the same."""
    letters = letters or "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    out = ""
    while len(out) < length:
        digest = hashlib.sha256(f"{length}{letters}{len(out)}".encode()).digest()
        out += "".join(letters[byte % len(letters)] for byte in digest)
    return out[:length]


HEX = "0123456789abcdef"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
JWT = f"eyJ{noise(30)}.eyJ{noise(60)}.{noise(43)}"
PEM = "\n".join(noise(64 - n) for n in range(10))

KEYS = {
    "aws-access-key": "AKIA" + noise(16, UPPER),
    "gcp-api-key": "AIza" + noise(35),
    "google-oauth": "GOCSPX-" + noise(28),
    "azure-storage-key": "AccountKey=" + noise(86) + "==",
    "azure-client-secret": "aB3" + "8Q~" + noise(34),
    "github-token": "gh" + "p_" + noise(36),
    "gitlab-token": "glpat" + "-" + noise(20),
    "anthropic-key": "sk-" + "ant-api03-" + noise(95),
    "openrouter-key": "sk-" + "or-v1-" + noise(64, HEX),
    "openai-key": "sk-" + "proj-" + noise(120),
    "huggingface-token": "hf" + "_" + noise(34),
    "groq-key": "gsk" + "_" + noise(52),
    "xai-key": "xai" + "-" + noise(80),
    "replicate-token": "r8" + "_" + noise(37),
    "perplexity-key": "pplx" + "-" + noise(48),
    "langsmith-key": "lsv2" + "_pt_" + noise(32, HEX) + "_" + noise(10, HEX),
    "slack-token": "xox" + "b-983745612098-" + noise(24),
    "slack-webhook": "https://hooks.slack" + ".com/services/T01ABCDEF/B01ABCDEF/" + noise(24),
    "stripe-key": "sk" + "_live_" + noise(24),
    "stripe-test-key": "rk" + "_test_" + noise(24),
    "stripe-webhook-secret": "whsec" + "_" + noise(32),
    "twilio-key": "twilio = SK" + noise(32, HEX),
    "sendgrid-key": "SG" + "." + noise(22) + "." + noise(43),
    "mailgun-key": "mailgun: key" + "-" + noise(32, HEX),
    "mailchimp-key": "mailchimp: " + noise(32, HEX) + "-us14",
    "npm-token": "npm" + "_" + noise(36),
    "pypi-token": "pypi" + "-AgEIcHlwaS5vcmc" + noise(80),
    "rubygems-key": "rubygems" + "_" + noise(48, HEX),
    "docker-token": "dckr" + "_pat_" + noise(27),
    "databricks-token": "dapi" + noise(32, HEX),
    "grafana-token": "glsa" + "_" + noise(32) + "_" + noise(8, HEX),
    "digitalocean-token": "dop" + "_v1_" + noise(64, HEX),
    "telegram-token": "1234509876" + ":AA" + noise(33),
    "discord-token": "discord: M" + noise(24) + "." + noise(6) + "." + noise(38),
    "discord-webhook": "discord.com/api" + "/webhooks/" + "1" * 10 + "2" * 8 + "/" + noise(64),
    "shopify-token": "shpat" + "_" + noise(32, HEX),
    "square-token": "sq0" + "atp-" + noise(22),
    "newrelic-key": "NRAK" + "-" + noise(27, UPPER),
    "vault-token": "hvs" + "." + noise(90),
    "terraform-token": noise(14) + ".atlas" + "v1." + noise(66),
    "linear-key": "lin" + "_api_" + noise(40),
    "postman-key": "PMAK" + "-" + noise(24, HEX) + "-" + noise(34, HEX),
    "sentry-token": "sntryu" + "_" + noise(64, HEX),
    "atlassian-token": "ATATT3" + noise(180),
    "doppler-token": "dp" + ".pt." + noise(43),
    "planetscale-token": "pscale" + "_tkn_" + noise(43),
    "age-key": "AGE-SECRET" + "-KEY-1" + noise(58, UPPER),
    "jwt": JWT,
    "private-key": "-----BEGIN RSA PRIVATE" + " KEY-----\n" + PEM,
    "gcp-service-account": '{"type": "service_account", "private_key": "-----BEGIN PRIVATE'
    " KEY-----\\n" + PEM.replace("\n", "\\n") + '\\n"}',
    "aws-secret-key": f'aws_secret_access_key = "{noise(40)}"',
    "database-url": "postgresql+psycopg2://app:" + noise(14) + "@db.corp.net:5432/prod",
    "basic-auth-url": "https://deploy:" + noise(14) + "@git.corp.net/repo.git",
    "http-authorization": 'headers["Authorization"] = "Bearer ' + noise(40) + '"',
    "hardcoded-secret": f'API_KEY = "{noise(32)}"',
}


def look(text: str | bytes, path: str = "app.py") -> tuple[Finding, ...]:
    outcome = inspect(None, Unit(path, text.encode() if isinstance(text, str) else text))
    assert outcome is not None
    return outcome.findings


def test_every_shape_has_an_example_here() -> None:
    assert {shape.rule for shape in SHAPES} <= set(KEYS)


@pytest.mark.parametrize(("rule", "text"), KEYS.items())
def test_a_key_is_found_by_its_shape_and_not_shown(rule: str, text: str) -> None:
    (finding,) = look(f"x = 1\n{text}\n")

    assert finding.rule == rule
    assert finding.location.line == 2
    secret = max(re.findall(r"[\w-]+", text.replace("\\n", " ")), key=len)
    shown = repr(dataclasses.asdict(finding))
    assert len(secret) >= 14
    assert not any(secret[at : at + 6] in shown for at in range(3, len(secret) - 6))


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        ("github-token", Severity.CRITICAL),
        ("private-key", Severity.CRITICAL),
        ("aws-secret-key", Severity.CRITICAL),
        ("jwt", Severity.HIGH),
        ("database-url", Severity.HIGH),
        ("stripe-test-key", Severity.MEDIUM),
        ("hardcoded-secret", Severity.MEDIUM),
    ],
)
def test_severity_goes_by_what_the_secret_opens(rule: str, severity: Severity) -> None:
    assert look(KEYS[rule])[0].severity == severity


def test_a_message_tells_kind_length_and_four_letters_at_most() -> None:
    (finding,) = look("key = " + KEYS["github-token"])

    assert finding.message == "GitHub token: ghp_**** (40 characters)"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("a.py", f'os.environ.get("DB_PASSWORD", "{noise(16)}9a")', id="a default"),
        pytest.param("a.py", f'api_key: str = "{noise(32)}"', id="an annotation"),
        pytest.param("a.py", f'config["secret"] = "{noise(32)}"', id="an item"),
        pytest.param("a.py", f'call(auth_token="{noise(32)}")', id="an argument"),
        pytest.param("a.js", f"const apiKey = '{noise(32)}';", id="JavaScript"),
        pytest.param("a.json", f'{{"clientSecret": "{noise(32)}"}}', id="JSON"),
        pytest.param("a.ipynb", f'"api_key = \\"{noise(32)}\\""', id="a notebook"),
        pytest.param(".env", f"export API_TOKEN={noise(32)}", id="a shell variable"),
        pytest.param("a.yaml", f"  - password: {noise(20)}7  # local", id="YAML"),
        pytest.param(".npmrc", f"//registry.corp.net/:_authToken={noise(36)}", id="npm"),
        pytest.param("a.py", 'password = "Gh7#' + 'kWz!92Lp"', id="a password"),
    ],
)
def test_a_value_is_found_by_its_name(path: str, text: str) -> None:
    assert [finding.rule for finding in look(text, path)] == ["hardcoded-secret"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("a.py", 'AWS = "AKIAIOSFODNN7' + 'EXAMPLE"', id="Amazon's example"),
        pytest.param("a.py", 'secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"', id="too"),
        pytest.param("a.py", 'key = "sk-ant-api03-' + "x" * 90 + '"', id="crosses"),
        pytest.param("a.py", 'token = "ghp_' + "1234567890" * 4 + '"', id="counting"),
        pytest.param("a.py", 'api_key = "your-api-key-goes-here-1"', id="yours"),
        pytest.param("a.py", 'api_key = "<API_KEY_0123>"', id="a gap"),
        pytest.param("a.yaml", "password: ${DB_PASSWORD_1}", id="a variable"),
        pytest.param("a.yaml", "token: ${{ secrets.DEPLOY_TOKEN_1 }}", id="a workflow's secret"),
        pytest.param("a.yaml", "password: '{{ vault_db_password1 }}'", id="a template"),
        pytest.param("a.py", 'password = os.environ["DB_PASSWORD_1"]', id="the environment"),
        pytest.param("a.py", 'password = "correct horse battery 9"', id="words"),
        pytest.param("a.py", 'password = "changeme123"', id="a stand-in"),
        pytest.param("a.py", 'SECRET_URL = "/api/v2/secrets/rotate1"', id="a path"),
        pytest.param("a.py", 'token_name = "' + noise(32) + '"', id="about a token"),
        pytest.param("a.py", 'password_hash = "' + noise(64, HEX) + '"', id="a hash"),
        pytest.param("a.py", 'api_key = "0b7d2a52-6a3e-4f0e-9d5e-5f0d8a1c2b3e"', id="a UUID"),
        pytest.param("a.py", 'REVISION = "' + noise(40, HEX) + '"', id="a commit"),
        pytest.param("a.txt", "a==1 --hash=sha256:" + noise(64, HEX), id="a requirement's hash"),
        pytest.param("package-lock.json", '"token": "' + noise(40) + '"', id="a lock file"),
        pytest.param("a.min.js", 'token:"' + noise(40) + '"', id="a minified file"),
        pytest.param("a.js", 'token:"' + noise(40) + '";' + "a" * 3000, id="a line nobody typed"),
        pytest.param("a.html", '<img src="data:image/png;base64,' + noise(500) + '">', id="image"),
        pytest.param("a.pem", "-----BEGIN CERTIFICATE-----\n" + PEM, id="a certificate"),
        pytest.param("a.pem", "-----BEGIN PUBLIC" + " KEY-----\n" + PEM, id="a public key"),
        pytest.param("a.py", '"-----BEGIN PRIVATE' + ' KEY-----" in text\n' + "x " * 90, id="PEM"),
        pytest.param("a.md", "postgresql://user:password@localhost/db", id="a tutorial's URL"),
        pytest.param("a.md", "https://user:${TOKEN}@host/x", id="a URL with a gap"),
        pytest.param("a.py", '"mysql://root:root@db/app"', id="a password that is none"),
        pytest.param("a.py", 'max_tokens = "4096_tokens_per_call"', id="tokens of another sort"),
    ],
)  # fmt: skip
def test_what_is_no_secret_is_no_finding(path: str, text: str) -> None:
    assert look(text, path) == ()


def test_a_password_for_the_own_machine_counts_little() -> None:
    url = "postgresql://app:" + noise(14) + "@%s:5432/app"

    assert look(url % "localhost")[0].severity == Severity.LOW
    assert look(url % "postgres")[0].severity == Severity.LOW
    assert look(url % "db.corp.net")[0].severity == Severity.HIGH


@pytest.mark.parametrize(
    ("path", "rule", "severity"),
    [
        ("tests/test_a.py", "basic-auth-url", Severity.LOW),
        ("pkg/test_a.py", "database-url", Severity.LOW),
        ("docs/a.md", "basic-auth-url", Severity.HIGH),
        ("tests/certs/ca.key", "private-key", Severity.MEDIUM),
        ("pkg/fixtures/ca.key", "private-key", Severity.MEDIUM),
        ("docs/ca.key", "private-key", Severity.CRITICAL),
        ("tests/a.json", "gcp-service-account", Severity.CRITICAL),
        ("tests/a.py", "github-token", Severity.CRITICAL),
    ],
)
def test_what_tests_need_to_hold_counts_less(path: str, rule: str, severity: Severity) -> None:
    (finding,) = look(KEYS[rule], path)

    assert (finding.rule, finding.severity) == (rule, severity)
    assert ("private key among tests" in finding.message) == (severity is Severity.MEDIUM)


def test_a_key_of_many_lines_is_told_from_its_first_line_to_its_last() -> None:
    key = KEYS["private-key"] + "\n-----END RSA PRIVATE" + " KEY-----\n"
    (found,) = look("# made here\n" + key + "# the end\n", "a.pem")
    (one_line,) = look(KEYS["github-token"] + "\n")

    assert (found.location.line, found.location.end_line) == (2, 2 + len(PEM.split("\n")))
    assert (one_line.location.line, one_line.location.end_line) == (1, 1)


def test_a_value_in_a_test_counts_little_but_a_known_key_counts_fully() -> None:
    text = KEYS["hardcoded-secret"] + "\n" + KEYS["github-token"]

    severities = [finding.severity for finding in look(text, "tests/test_a.py")]

    assert severities == [Severity.LOW, Severity.CRITICAL]


def test_a_secret_is_reported_once_by_its_most_telling_kind() -> None:
    text = 'github_token = "' + KEYS["github-token"] + '"'

    assert [finding.rule for finding in look(text)] == ["github-token"]


def test_a_new_secret_in_the_place_of_an_old_one_is_a_new_finding() -> None:
    before, after = (look("gh" + "p_" + noise(n)) for n in (36, 37))

    assert before[0].context != after[0].context


def test_a_guessable_password_leaves_no_digest_behind() -> None:
    one, other = (look(f'password = "Gh7#{word}"') for word in ("kWz!", "tRq!"))

    assert one[0].context == other[0].context


def test_a_column_counts_characters() -> None:
    (finding,) = look("# é\nx = 'ü'; y = '" + KEYS["github-token"] + "'")

    assert (finding.location.line, finding.location.column) == (2, 15)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8-sig"])
def test_text_in_other_encodings_is_read(encoding: str) -> None:
    text = ("é = '" + KEYS["github-token"] + "'").encode(encoding)

    assert [finding.rule for finding in look(text, "a.txt")] == ["github-token"]


@pytest.mark.parametrize("path", ["a.txt", "b.env", "c.yaml"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-32"])
def test_wide_text_is_read_without_a_mark_too(path: str, encoding: str) -> None:
    text = ("# ü\nkey = '" + KEYS["github-token"] + "'\n").encode(encoding)

    assert [(f.rule, f.location.line) for f in look(text, path)] == [("github-token", 2)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"KEY=%s\n\0", id="a NUL at the end"),
        pytest.param(b"\0\0\0\0\0\0\0\0KEY=%s\n", id="NULs first"),
        pytest.param(bytes(range(256)) * 40 + b"%s " + bytes(range(256)) * 40, id="in a binary"),
    ],
)
def test_a_nul_byte_hides_no_known_kind_of_key(data: bytes) -> None:
    key = KEYS["github-token"].encode()

    assert [f.rule for f in look(data.replace(b"%s", key), "b.env")] == ["github-token"]


def test_a_binary_file_without_a_key_is_not_judged() -> None:
    assert inspect(None, Unit("a.bin", bytes(range(256)) * 100)) is None


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("  # sdlc: allow-secret revoked in 2020", False),
        ("  # sdlc: allow-secret", True),
        ("  /* sdlc: allow-secret */", True),
        ("  <!-- sdlc: allow-secret shown in the manual -->", False),
        ("\n# sdlc: allow-secret another line", True),
    ],
)
def test_a_comment_allows_with_a_reason_only(comment: str, found: bool) -> None:
    assert bool(look(KEYS["github-token"] + comment)) is found


def measure(root: Path, *allow: AllowedSecret, base: str = "") -> Measurement:
    project = open_project(root=root, base=root / base, scope=root)
    options = Secrets(allow=allow)
    prepare(project, options)
    outcomes: list[tuple[str, Outcome]] = []
    for path in project.files:
        unit = read(project, path)
        assert isinstance(unit, Unit)
        if (outcome := inspect(None, unit)) is not None:
            outcomes.append((path, outcome))
    return conclude(project, options, outcomes)


LEAKS = {"src/a.py": KEYS["github-token"], "tests/b.py": KEYS["github-token"] + "\n" + JWT}


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        pytest.param({"path": "tests/"}, ["src/a.py"], id="a folder"),
        pytest.param({"path": "*.py"}, [], id="a glob"),
        pytest.param({"path": "b.py", "rule": "jwt"}, ["src/a.py", "tests/b.py"], id="a rule"),
    ],
)
def test_an_allowance_takes_findings_away(
    tree: Tree, entry: dict[str, str], left: list[str]
) -> None:
    measured = measure(tree(LEAKS), AllowedSecret(reason="test data", **entry))

    assert [finding.location.path for finding in measured.findings] == left


def test_an_allowance_may_name_one_secret_by_its_fingerprint(tree: Tree) -> None:
    root = tree(LEAKS)
    (first, *_) = measure(root).findings
    mark = fingerprint(first.rule, first.context)

    measured = measure(root, AllowedSecret(path="*", reason="r", fingerprint=mark))

    assert [finding.rule for finding in measured.findings] == ["jwt"]
    assert measured.metrics["allowed"] == 2


def test_an_allowance_is_relative_to_the_folder_of_gates_yaml(tree: Tree) -> None:
    root = tree({"src/a.py": JWT, "src/pkg/a.py": JWT})

    measured = measure(root, AllowedSecret(path="/a.py", reason="r"), base="src")

    assert {finding.location.path for finding in measured.findings} == {"src/pkg/a.py"}


def test_an_allowance_that_allows_nothing_is_named_and_costs_no_points(tree: Tree) -> None:
    measured = measure(tree({"a.py": "x = 1\n"}), AllowedSecret(path="gone.py", reason="r"))

    assert measured.score == 100
    assert [(f.rule, f.severity, f.message) for f in measured.findings] == [
        ("unused-allow", Severity.LOW, "the allowance for gone.py allows nothing: take it out")
    ]


def test_an_allowance_for_files_that_were_not_looked_at_is_not_unused(tree: Tree) -> None:
    root = tree(LEAKS)
    project = open_project(root=root, base=root, scope=root)
    options = Secrets(allow=(AllowedSecret(path="tests/", reason="r"),))

    measured = conclude(project, options, [("src/a.py", Outcome(numbers={"lines": 1}))])

    assert measured.findings == ()


def test_the_score_is_the_density_of_findings(tree: Tree) -> None:
    measured = measure(tree({"a.py": "#\n" * 1999 + KEYS["hardcoded-secret"]}))

    assert measured.score == pytest.approx(density([Severity.MEDIUM], 2000, HALF))


def test_without_a_text_file_there_is_nothing_to_judge(tree: Tree) -> None:
    assert measure(tree({"a.bin": b"\0"})).outcome == "skipped"


@pytest.mark.parametrize(
    "seed",
    [
        *('password="', 'a="', "token: ", "://a:b@", "eyJa-", "xoxb-", "sk-ant-", "-_", " ", "="),
        *("-----BEGIN PRIVATE" + " KEY-----", "authorization: bearer ", "sk-proj-", "dp.pt."),
    ],
)
def test_one_line_of_beginnings_takes_linear_time(seed: str) -> None:
    # A megabyte; quadratic time would be hours, linear time is a second on a slow machine.
    outcome = inspect(None, Unit(".env", (seed * (1_000_000 // len(seed))).encode()))

    assert outcome is not None
