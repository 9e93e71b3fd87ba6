"""Looks for keys, tokens and passwords in one text file."""

import codecs
import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sdlc_cli.core.finding import Finding, Location, Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.gate import entropy
from sdlc_cli.gate.analysis.literals import Literals
from sdlc_cli.gate.model import Outcome
from sdlc_cli.gate.shapes import DATABASES, GCP_ACCOUNT, PRIVATE_KEY, SHAPES, URL_PASSWORD
from sdlc_cli.gate.source import Unit

MOST = 1000  # findings of one file; after so many nobody reads on
GENERIC = "hardcoded-secret"
HTTP_AUTH = "http-authorization"
SHOWN = 4  # leading characters of a secret that may be shown; they name its kind
HELP = msg(
    "revoke it where it was issued, then read it from the environment or a secret store; if it is"
    " none, allow it in gates.yaml (gates.secrets.allow) or by a comment on its line:"
    " sdlc: allow-secret REASON"
)

_LITERALS = Literals(literal for shape in SHAPES for literal in shape.literals)
# `NAME = "VALUE"`, `"NAME": 'VALUE'`, `get("NAME", "VALUE")`: the value; the name is to the
# left, and read from right to left, so that it is found at once.
_QUOTED = re.compile(rb"""[=:,]>?[ \t]{0,8}[rbfu]?\\?(["'`])([^"'`\s\\]{8,200})\\?\1""")
_EMAN = re.compile(
    rb"""[ \t]{0,8}[=!:]?(?:[ \t]{0,8}[\w.\[\]| ]{1,30}:)?[ \t]{0,8}"""
    rb"""\]?["'`]?\\?([\w.-]{1,79}[A-Za-z_])"""
)
_QUOTED_EMAN = re.compile(rb"""[ \t]{0,8}\\?["'`]\\?([\w.-]{1,79}[A-Za-z_])\\?["'`]""")
_NAME_LENGTH = 130  # bytes to the left that are looked at
_UNQUOTED = re.compile(
    rb"""^[ \t]*(?:-[ \t]+)?(?:export[ \t]+|ENV[ \t]+|ARG[ \t]+|//[\w.:/-]{1,80}:)?"""
    rb"""([A-Za-z_][\w.-]{1,79})[ \t]{0,8}[=:][ \t]{0,8}([^\s"'#]{8,200})"""
    rb"""(?:[ \t]+(?:\#[^\n]*)?)?\r?$""",
    re.MULTILINE,
)
_UNQUOTED_FILES = re.compile(
    r"(?:^|/)(?:\.env[^/]*|[^/]*\.(?:env|ini|cfg|conf|properties|ya?ml|sh|bash|zsh|tfvars|envrc)"
    r"|\.(?:npmrc|pypirc|netrc|pgpass|s3cfg)|[^/]*Dockerfile[^/]*|credentials)$"
)
_KEY_LINE = re.compile(rb"[A-Za-z0-9+/=]{32,64}")
_DIGIT = re.compile(rb"[0-9]")
_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]{1,30})\Z")
_AUTHORIZATION = re.compile(
    rb"""(?i:authorization)["']?\]?[ \t]{0,8}[:=,][ \t]{0,8}[fbr]?["']?"""
    rb"""(?i:bearer|basic|token)[ \t]{1,8}([\w.~+/=-]{16,512}+)"""
)
# What tools write, full of hashes and shortened names: only known shapes are looked for.
_MADE_BY_TOOLS = re.compile(
    r"(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|go\.sum|[^/]+\.lock"
    r"|[^/]+\.min\.(?:js|css)|[^/]+\.(?:map|svg|po|pot|csv|tsv|snap|lockb))$"
)
_TESTS = re.compile(
    r"(?:^|/)(?:tests?|testing|spec|specs|fixtures?|testdata|examples?|samples?|docs?)/"
    r"|(?:^|/)(?:test_[^/]*|[^/]*_test\.\w+|[^/]*\.(?:test|spec)\.\w+|conftest\.py)$"
)
_TEST_FOLDERS = re.compile(r"(?:^|/)(?:tests?|testing|fixtures?|testdata)/")
_TEST_NAMES = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test\.\w+|conftest\.py)$")
_AWS_SECRET = re.compile(r"[A-Za-z0-9/+]{40}")
_AWS_NAME = re.compile(r"aws.*secret|secret_?access_?key")
_LONG_LINE = 2000  # characters; nobody types these
_INLINE = re.compile(rb"sdlc:[ \t]*allow-secret\b[ \t:]*([^\r\n]*)")
_LOCAL_HOST = re.compile(
    r"localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|host\.docker\.internal|[^.]+"
    r"|.*\.(?:local|localhost|test|invalid|example|internal)|(?:.*\.)?example\.(?:com|org|net)"
)

BINARY_BYTES = 1_000_000  # of a binary file; further in, no known kind of key is looked for
SAMPLE = 8192  # bytes that tell what a file is
_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_NULS = {  # which of four bytes are NUL where the text is ASCII
    "utf-16-le": (1, 3), "utf-16-be": (0, 2), "utf-32-le": (1, 2, 3), "utf-32-be": (0, 1, 2),
}  # fmt: skip
_NO_TEXT = bytes(set(range(32)) - set(b"\t\n\r\f\v\b\x1b")) + b"\x7f"
_HIGH = bytes(range(128, 256))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    """A secret at `start` to `end` of the file's bytes. `strong`: nobody could guess it."""

    rule: str
    what: str
    severity: Severity
    start: int
    end: int
    name: str = ""
    shown: int = 0
    strong: bool = True


def look(unit: Unit) -> Outcome | None:
    """What is in the file; None for one that is neither text nor holds a known kind of key."""
    text = _as_utf8(unit)
    data = unit.data[:BINARY_BYTES] if text is None else text
    found = _hits(unit.path, data) if text is not None else _known_kinds(unit.path, data)
    hits = list(islice(_without_overlaps(found), MOST))
    hits.sort(key=lambda hit: hit.start)
    if text is None and not hits:
        return None
    findings = tuple(_findings(unit.path, data, hits))
    return Outcome(findings=findings, numbers={"lines": unit.line_count})


def _as_utf8(unit: Unit) -> bytes | None:
    """The file as UTF-8; None for a binary one. A NUL byte alone makes none of a text."""
    data = unit.data
    if encoding := _wide_encoding(data):
        return data.decode(encoding, "replace").encode()
    return data if unit.kind != "binary" or _is_mostly_text(data[:SAMPLE]) else None


def _wide_encoding(data: bytes) -> str:
    """UTF-16 or UTF-32, by its mark or by where the NUL bytes of its ASCII lie; else ""."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    sample = data[:SAMPLE]
    if b"\0" not in sample:
        return ""
    shares = [sample[at::4].count(0) * 4 / len(sample) for at in range(4)]
    for name, nuls in _NULS.items():
        if all((share > 0.6) if at in nuls else (share < 0.1) for at, share in enumerate(shares)):
            return name
    return ""


def _is_mostly_text(sample: bytes) -> bool:
    """True when hardly a byte is one that text has not; what is compressed has 10 % of them."""
    return len(sample.translate(None, _NO_TEXT)) > 0.95 * len(sample) and (
        len(sample.translate(None, _HIGH)) > 0.7 * len(sample)
    )


def _hits(path: str, data: bytes) -> Iterator[_Hit]:
    """All hits, the most telling kinds first."""
    yield from _known_kinds(path, data)
    if b"://" in data:
        yield from _urls(data, bool(_TEST_FOLDERS.search(path) or _TEST_NAMES.search(path)))
    if _MADE_BY_TOOLS.search(path):
        return
    in_tests = bool(_TESTS.search(path))
    if b"uthorization" in data or b"UTHORIZATION" in data:
        yield from _authorizations(data, in_tests)
    yield from _assignments(path, data, in_tests)


def _known_kinds(path: str, data: bytes) -> Iterator[_Hit]:
    yield from _known(data)
    if PRIVATE_KEY.literals[0] in data:
        yield from _private_keys(data, bool(_TEST_FOLDERS.search(path)))


def _known(data: bytes) -> Iterator[_Hit]:
    present = _LITERALS.within(data)
    if not present:
        return
    for shape in SHAPES:
        if present.isdisjoint(shape.literals):
            continue
        if shape.beside and shape.beside not in data.lower():
            continue
        for match in shape.pattern.finditer(data):
            group = "secret" if "secret" in shape.pattern.groupindex else 0
            if not entropy.stands_in(_text(match[group])):
                start, end = match.span(group)
                yield _Hit(
                    rule=shape.rule, what=shape.what, severity=shape.severity,
                    start=start, end=end, shown=0 if group else SHOWN,
                )  # fmt: skip


def _private_keys(data: bytes, in_tests: bool) -> Iterator[_Hit]:
    shape = GCP_ACCOUNT if b'"service_account"' in data else PRIVATE_KEY
    what, severity = shape.what, shape.severity
    if in_tests and shape is PRIVATE_KEY:  # made for the tests, as a rule; nobody can see that
        what, severity = msg("private key among tests"), Severity.MEDIUM
    for match in shape.pattern.finditer(data):
        line = _KEY_LINE.search(match["secret"])
        if line and entropy.looks_random(_text(line[0])) and not entropy.stands_in(_text(line[0])):
            yield _Hit(
                rule=shape.rule, what=what, severity=severity,
                start=match.start(), end=match.end(),
            )  # fmt: skip


def _urls(data: bytes, in_tests: bool) -> Iterator[_Hit]:
    for match in URL_PASSWORD.finditer(data):
        scheme = re.search(
            rb"([A-Za-z][A-Za-z0-9+.-]{1,30})\Z", data[max(match.start() - 32, 0) : match.start()]
        )
        if not scheme:
            continue
        severity = _url_severity(_text(match["secret"]), _text(match["host"]))
        if severity is None:
            continue
        database = _text(scheme[1]).lower().split("+")[0] in DATABASES
        yield _Hit(
            rule="database-url" if database else "basic-auth-url",
            what=msg("password in a database URL") if database else msg("password in a URL"),
            severity=Severity.LOW if in_tests else severity,
            start=match.start("secret"),
            end=match.end("secret"),
            name=_text(match["host"]),
            strong=entropy.looks_random(_text(match["secret"])),
        )


def _url_severity(password: str, host: str) -> Severity | None:
    """High; low on the developer's own machine; None for what opens nothing."""
    if entropy.is_reference(password) or entropy.stands_in(password) or entropy.is_weak(password):
        return None
    return Severity.LOW if _LOCAL_HOST.fullmatch(host.lower()) else Severity.HIGH


def _authorizations(data: bytes, in_tests: bool) -> Iterator[_Hit]:
    for match in _AUTHORIZATION.finditer(data):
        value = _text(match[1])
        if entropy.looks_random(value) and not entropy.stands_in(value):
            yield replace(_generic(match, 1, "Authorization", in_tests), rule=HTTP_AUTH)


def _assignments(path: str, data: bytes, in_tests: bool) -> Iterator[_Hit]:
    for match in _QUOTED.finditer(data):
        if _DIGIT.search(match[2]):
            before = data[max(match.start() - _NAME_LENGTH, 0) : match.start()][::-1]
            comma = data[match.start()] == ord(",")
            name = (_QUOTED_EMAN if comma else _EMAN).match(before)
            if name and _is_secret(_text(name[1][::-1]), _text(match[2]), data, match.start()):
                yield _generic(match, 2, _text(name[1][::-1]), in_tests)
    if _UNQUOTED_FILES.search(path):
        for match in _UNQUOTED.finditer(data):
            if _is_secret(_text(match[1]), _text(match[2]), data, match.start()):
                yield _generic(match, 2, _text(match[1]), in_tests)


def _is_secret(name: str, value: str, data: bytes, at: int) -> bool:
    if not entropy.calls_a_secret(name):
        return False
    if entropy.stands_in(value) or entropy.is_reference(value):
        return False
    random = entropy.looks_random(value) or (
        entropy.calls_a_password(name)
        and not entropy.is_weak(value)
        and entropy.looks_like_a_password(value)
    )
    return random and not _in_long_line(data, at)


def _in_long_line(data: bytes, at: int) -> bool:
    begin, end = (
        data.rfind(b"\n", max(at - _LONG_LINE, 0), at),
        data.find(b"\n", at, at + _LONG_LINE),
    )
    if begin < 0 and at < _LONG_LINE:
        begin = 0
    if end < 0 and len(data) < at + _LONG_LINE:
        end = len(data)
    return begin < 0 or end < 0 or end - begin > _LONG_LINE


def _generic(match: re.Match[bytes], group: int, name: str, in_tests: bool) -> _Hit:
    value = _text(match[group])
    hit = _Hit(
        rule=GENERIC,
        what=msg("value of {name} that looks like a secret", name=name),
        severity=Severity.LOW if in_tests else Severity.MEDIUM,
        start=match.start(group),
        end=match.end(group),
        name=name,
        strong=entropy.looks_random(value),
    )
    if _AWS_SECRET.fullmatch(value) and _AWS_NAME.search(name.lower()):
        return replace(hit, rule="aws-secret-key", severity=Severity.CRITICAL)
    return hit


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _without_overlaps(hits: Iterator[_Hit]) -> Iterator[_Hit]:
    """The first kind that claims a stretch of bytes has it."""
    starts, ends = [-1], [-1]
    for hit in hits:
        at = bisect_right(starts, hit.start)
        if ends[at - 1] <= hit.start and (at == len(starts) or hit.end <= starts[at]):
            starts.insert(at, hit.start)
            ends.insert(at, hit.end)
            yield hit


def _findings(path: str, data: bytes, hits: Sequence[_Hit]) -> Iterator[Finding]:
    line, counted = 1, 0
    for hit in hits:
        line += data.count(b"\n", counted, hit.start)
        counted = hit.start
        begin = data.rfind(b"\n", 0, hit.start) + 1
        end = data.find(b"\n", hit.start)
        allowed = _INLINE.search(data, begin, len(data) if end < 0 else end)
        if not allowed or not _reason(allowed[1]):
            secret = data[hit.start : hit.end]
            place = Location(
                path=path,
                line=line,
                column=len(_text(data[begin : hit.start])) + 1,
                end_line=line + secret.rstrip().count(b"\n"),
            )
            yield _finding(hit, secret, place)


def _reason(comment: bytes) -> bytes:
    for end in (b"-->", b"*/", b"#}", b"%}"):
        comment = comment.removesuffix(end).rstrip()
    return comment.strip()


def _finding(hit: _Hit, secret: bytes, place: Location) -> Finding:
    length = len(_text(secret))
    masked = f"{_text(secret[: hit.shown])}****" if hit.shown else "****"
    message = msg(
        "{what}: {masked} ({length} characters)", what=hit.what, masked=masked, length=length
    )
    # A new secret in an old one's place has to be a new finding. A short digest tells them
    # apart; of what somebody could guess, even that would tell too much.
    digest = hashlib.blake2b(secret, digest_size=4).hexdigest() if hit.strong else str(length)
    return Finding(
        rule=hit.rule,
        severity=hit.severity,
        message=message,
        location=place,
        help=HELP,
        context=f"{hit.rule} {hit.name} {masked} {digest}",
    )


def rule_texts() -> dict[str, str]:
    """Each rule id with what it finds."""
    shapes = (*SHAPES, PRIVATE_KEY, GCP_ACCOUNT)
    known = {shape.rule: shape.what for shape in shapes}
    return known | {
        "aws-secret-key": msg("AWS secret access key"),
        "database-url": msg("password in a database URL"),
        "basic-auth-url": msg("password in a URL"),
        HTTP_AUTH: msg("credentials in an Authorization header"),
        GENERIC: msg("value that looks like a secret, by its name and its entropy"),
    }
