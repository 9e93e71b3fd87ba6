"""From a test of one thing to a check of a whole set."""

import re
from collections.abc import Callable, Iterator

from sdlc_cli.deploy.rules.objects import Container, Object
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.rule import Hit

At = tuple[int, str]  # the line, and what of the subject
Check = Callable[[Parsed], Iterator[Hit]]

_SECRET = re.compile(
    r"(?:^|[_.-])(?:passw(?:or)?d|passphrase|pwd|secret|token|credentials?|api[_-]?key|"
    r"access[_-]?key|private[_-]?key|auth[_-]?key)$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[a-z]://[^/\s:@]{0,200}:(?![$<{%*])[^/\s@]{1,200}@", re.IGNORECASE)
_OBJECT = re.compile(r"[a-z]+(?:-[a-z]+)+")
_NO_SECRET = re.compile(
    r"\s*|true|false|none|null|changeme|\$\w+|\$\{[^}]*\}|\$\([^)]*\)|\{\{.*\}\}|<[^>]*>|/[\w./-]*",
    re.IGNORECASE,
)


def each_container(test: Callable[[Container], Iterator[At]]) -> Check:
    """Hold every container against `test`."""

    def check(parsed: Parsed) -> Iterator[Hit]:
        for one in parsed.objects.containers:
            for line, detail in test(one):
                yield Hit(one.owner.path, line or one.line(), one.subject, detail)

    return check


def each_server(test: Callable[[Container], Iterator[At]]) -> Check:
    """Hold every main container of a workload that serves for ever against `test`."""

    def check(parsed: Parsed) -> Iterator[Hit]:
        for one in parsed.objects.containers:
            if one.main and one.owner.kind not in ("Job", "CronJob", "Pod"):
                for line, detail in test(one):
                    yield Hit(one.owner.path, line or one.line(), one.subject, detail)

    return check


def each(*kinds: str) -> Callable[[Callable[[Object], Iterator[At]]], Check]:
    """Hold every object of these kinds against a test; without kinds, every workload."""

    def wrap(test: Callable[[Object], Iterator[At]]) -> Check:
        def check(parsed: Parsed) -> Iterator[Hit]:
            objects = parsed.objects
            for one in objects.of(*kinds) if kinds else objects.workloads:
                for line, detail in test(one):
                    yield Hit(one.path, line or one.line("metadata", "name"), one.subject, detail)

        return check

    return wrap


def names_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    return bool(_SECRET.search(name))


def is_secret(name: str, value: str) -> bool:
    """Whether the value written for this name is one: no reference, path or placeholder."""
    if _ADDRESS.search(value):
        return True
    if name.lower().endswith("secret") and _OBJECT.fullmatch(value):
        return False  # the name of a Secret
    return names_secret(name) and not _NO_SECRET.fullmatch(value)


def split_image(image: str) -> tuple[str, str, str]:
    """Repository, tag and digest of an image's reference."""
    rest, _at, digest = image.partition("@")
    last = rest.rpartition("/")[2]
    tag = last.partition(":")[2]
    return rest[: -len(tag) - 1] if tag else rest, tag, digest


_UNITS = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18} | {
    unit: 1024.0**power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)
}


def amount(text: str) -> float | None:
    """A Kubernetes quantity in its base unit; None for what is none."""
    digits = text.rstrip("mkMGTPEi")
    try:
        return float(digits) * _UNITS[text[len(digits) :]]
    except (ValueError, KeyError):
        return None
