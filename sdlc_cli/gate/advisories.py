"""Reads what audit tools say of a project's dependencies: pip-audit's JSON, osv-scanner's JSON."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from sdlc_cli.core.finding import Severity

Format = str  # "pip-audit" or "osv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """One known vulnerability of one package, whatever number of names it has.

    `source` is the lock file it was found through, as the tool wrote it, or "".
    """

    id: str
    aliases: tuple[str, ...]
    package: str
    version: str
    severity: Severity
    fixed_in: tuple[str, ...]
    summary: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What one report says. `packages` counts those looked at; `skipped` are (name, reason)."""

    format: Format
    packages: int
    advisories: tuple[Advisory, ...]
    skipped: tuple[tuple[str, str], ...]
    made_at: datetime | None


class _Vulnerability(Struct):
    id: str
    fix_versions: list[str] | None = None
    aliases: list[str] | None = None
    description: str | None = None


class _Dependency(Struct):
    name: str
    version: str | None = None
    vulns: list[_Vulnerability] | None = None
    skip_reason: str | None = None


class _Score(Struct):
    score: str | float = ""
    type: str = ""


class _Range(Struct):
    type: str = ""
    events: list[dict[str, str]] | None = None


class _Named(Struct):
    name: str = ""
    version: str = ""
    ecosystem: str = ""


class _Affected(Struct):
    package: _Named | None = None
    ranges: list[_Range] | None = None


class _Record(Struct):
    id: str
    aliases: list[str] | None = None
    summary: str | None = None
    severity: list[_Score] | None = None
    database_specific: dict[str, object] | None = None
    affected: list[_Affected] | None = None


class _Group(Struct):
    ids: list[str] | None = None
    aliases: list[str] | None = None
    max_severity: str | None = None


class _Package(Struct):
    package: _Named
    vulnerabilities: list[_Record] | None = None
    groups: list[_Group] | None = None


class _Source(Struct):
    path: str = ""


class _Result(Struct):
    source: _Source = msgspec.field(default_factory=_Source)
    packages: list[_Package] | None = None


class _Stamped(Struct):
    generated_at: str | None = None
    timestamp: str | None = None
    created: str | None = None


class _PipAudit(_Stamped):
    dependencies: list[_Dependency] = msgspec.field(default_factory=list)


class _Osv(_Stamped):
    results: list[_Result] | None = None


def read(data: bytes) -> Audit:
    """The audit in `data`; its form is told by its content.

    Raises ValueError with what is wrong when it is neither form.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        whole: object = msgspec.json.decode(data)
        if isinstance(whole, list):  # pip-audit before 2.0
            return _pip_audit(msgspec.convert({"dependencies": whole}, _PipAudit))
        if isinstance(whole, dict) and "dependencies" in whole:
            return _pip_audit(msgspec.convert(whole, _PipAudit))
        if isinstance(whole, dict) and "results" in whole:
            return _osv(msgspec.convert(whole, _Osv))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error
    raise ValueError("neither `dependencies` nor `results` in it")


def _pip_audit(report: _PipAudit) -> Audit:
    found: list[Advisory] = []
    skipped: list[tuple[str, str]] = []
    for dependency in report.dependencies:
        if dependency.skip_reason is not None:
            skipped.append((dependency.name, dependency.skip_reason))
        elif dependency.vulns is None:
            raise ValueError(f"`{dependency.name}` has neither `vulns` nor `skip_reason`")
        found += [_pip_advisory(dependency, v) for v in dependency.vulns or ()]
    return Audit(
        format="pip-audit",
        packages=len(report.dependencies) - len(skipped),
        advisories=merge(found),
        skipped=tuple(sorted(skipped)),
        made_at=_made_at(report),
    )


def _pip_advisory(dependency: _Dependency, vulnerability: _Vulnerability) -> Advisory:
    return Advisory(
        id=vulnerability.id,
        aliases=tuple(vulnerability.aliases or ()),
        package=dependency.name,
        version=dependency.version or "",
        severity=Severity.HIGH,  # pip-audit does not tell
        fixed_in=tuple(vulnerability.fix_versions or ()),
        summary=_first_line(vulnerability.description),
    )


def _osv(report: _Osv) -> Audit:
    found: list[Advisory] = []
    packages = 0
    for result in report.results or ():
        for package in result.packages or ():
            packages += 1
            source = result.source.path
            found += [_osv_advisory(r, package, source) for r in package.vulnerabilities or ()]
    return Audit(
        format="osv",
        packages=packages,
        advisories=merge(found),
        skipped=(),
        made_at=_made_at(report),
    )


def _osv_advisory(record: _Record, package: _Package, source: str) -> Advisory:
    groups = [g for g in package.groups or () if record.id in (g.ids or ())]
    names = set(record.aliases or ())
    for group in groups:
        names |= {*(group.ids or ()), *(group.aliases or ())}
    return Advisory(
        id=record.id,
        aliases=tuple(sorted(names - {record.id})),
        package=package.package.name,
        version=package.package.version,
        severity=_severity(record, [g.max_severity or "" for g in groups]),
        fixed_in=tuple(sorted(_fixed_in(record, package.package.name), key=_version_key)),
        summary=_first_line(record.summary),
        source=source,
    )


def _fixed_in(record: _Record, package: str) -> set[str]:
    fixed: set[str] = set()
    for affected in record.affected or ():
        if affected.package is not None and affected.package.name != package:
            continue
        for span in affected.ranges or ():
            if span.type != "GIT":  # there, `fixed` is a commit
                fixed |= {event["fixed"] for event in span.events or () if "fixed" in event}
    return fixed


def merge(advisories: Iterable[Advisory]) -> tuple[Advisory, ...]:
    """One advisory for each vulnerability of a package version, sorted.

    Two are the same when they share an id or an alias; the worst severity of them stays.
    """
    groups: dict[tuple[str, str], list[list[Advisory]]] = {}
    for advisory in advisories:
        key = (re.sub(r"[-_.]+", "-", advisory.package).lower(), advisory.version)
        known = groups.setdefault(key, [])
        same = [group for group in known if _names(advisory) & set().union(*map(_names, group))]
        groups[key] = [group for group in known if group not in same]
        groups[key].append([advisory, *(other for group in same for other in group)])
    in_order = (sorted(groups[key], key=_first) for key in sorted(groups))
    return tuple(_one(group) for some in in_order for group in some)


def _one(same: list[Advisory]) -> Advisory:
    first = min(same, key=lambda a: _id_key(a.id))
    names = set().union(*(_names(a) for a in same)) - {first.id}
    return Advisory(
        id=first.id,
        aliases=tuple(sorted(names)),
        package=first.package,
        version=first.version,
        severity=max((a.severity for a in same), key=lambda s: s.rank),
        fixed_in=tuple(sorted({v for a in same for v in a.fixed_in}, key=_version_key)),
        summary=first.summary or next((a.summary for a in same if a.summary), ""),
        source=min(a.source for a in same),
    )


def _first(group: list[Advisory]) -> tuple[int, str]:
    return min(_id_key(advisory.id) for advisory in group)


def _names(advisory: Advisory) -> set[str]:
    return {advisory.id, *advisory.aliases}


def _id_key(name: str) -> tuple[int, str]:
    """PYSEC before CVE before the rest, as pip-audit prefers them."""
    order = {"PYSEC": 0, "CVE": 1, "GHSA": 2}
    return order.get(name.split("-", 1)[0], 3), name


def _version_key(version: str) -> tuple[tuple[int, int | str], ...]:
    parts = re.findall(r"[0-9]+|[A-Za-z]+", version)
    return tuple((1, int(p)) if p.isdigit() else (0, p) for p in parts)


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n", 1)[0][:200]


def _made_at(report: _Stamped) -> datetime | None:
    for text in (report.generated_at, report.timestamp, report.created):
        try:
            moment = datetime.fromisoformat(text or "")
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


_WORDS = {
    "low": Severity.LOW,
    "moderate": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "important": Severity.HIGH,
    "high": Severity.HIGH,
    "critical": Severity.CRITICAL,
}


def _severity(record: _Record, group_scores: list[str]) -> Severity:
    """The database's own word, else the CVSS score, else high: unknown is not harmless."""
    word = (record.database_specific or {}).get("severity")
    if isinstance(word, str) and word.lower() in _WORDS:
        return _WORDS[word.lower()]
    texts = [*group_scores, *(str(s.score) for s in record.severity or ())]
    scores = [score for text in texts if (score := cvss_score(text)) is not None]
    return rate(max(scores)) if scores else Severity.HIGH


def rate(score: float) -> Severity:
    """The severity of a CVSS base score, by CVSS v3.1's qualitative scale (section 5).

    0.0, "none" there, counts as low.
    """
    for least, severity in ((9, Severity.CRITICAL), (7, Severity.HIGH), (4, Severity.MEDIUM)):
        if score >= least:
            return severity
    return Severity.LOW


_METRICS: Mapping[str, Mapping[str, float]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0},
    "I": {"H": 0.56, "L": 0.22, "N": 0},
    "A": {"H": 0.56, "L": 0.22, "N": 0},
}
_PRIVILEGES = {
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}


def cvss_score(text: str) -> float | None:
    """The base score of a number (`7.5`) or of a CVSS v3 vector; None for anything else.

    The equations are those of the CVSS v3.1 specification, section 7.1 (FIRST). Vectors of
    version 2 and 4 are not computed.
    """
    if re.fullmatch(r"(10(\.0)?|[0-9](\.[0-9]+)?)", text, re.ASCII):
        return float(text)
    if not text.startswith(("CVSS:3.0/", "CVSS:3.1/")):
        return None
    parts = dict(part.partition(":")[::2] for part in text.split("/")[1:])
    try:
        value = {name: weights[parts[name]] for name, weights in _METRICS.items()}
        scope = parts["S"]
        privileges = _PRIVILEGES[scope][parts["PR"]]
    except KeyError:
        return None
    base = 1 - (1 - value["C"]) * (1 - value["I"]) * (1 - value["A"])
    changed = scope == "C"
    impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 if changed else 6.42 * base
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * value["AV"] * value["AC"] * privileges * value["UI"]
    return _round_up(min((impact + exploitability) * (1.08 if changed else 1), 10))


def _round_up(number: float) -> float:
    """To one decimal, upwards; on integers, as the specification's appendix A has it."""
    whole = round(number * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10
