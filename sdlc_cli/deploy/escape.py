"""A value as each language writes it literally: what comes out can be read back as that value.

Templates may print nothing else: `render` refuses a value that did not go through one of these.
"""

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping

__all__ = ["FILTERS", "NotWritable", "Written"]

_encode = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` makes one for each call
# What JSON leaves as it is, but YAML reads as a line's end or not at all.
_UNSEEN = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")

# Bare words that YAML 1.1 reads as something else than text.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

_HCL_ESCAPES = {"b": "\\u0008", "f": "\\u000c"}


class NotWritable(ValueError):
    """The language has no way to write the value."""


class Written(str):
    """Text that is safe to print in the language that it was written for."""

    __slots__ = ()


def _quoted(value: object, indent: int | None = None) -> str:
    pretty = indent is not None
    text = json.dumps(value, ensure_ascii=False, indent=indent) if pretty else _encode(value)
    if not text.isascii():
        _encoded(text)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def yaml(value: object) -> Written:
    """Any JSON value as flow YAML, which JSON is: text always in quotes, numbers bare."""
    return Written(_quoted(value))


def text(value: object) -> Written:
    """The text of a plain value as quoted YAML: true as "true", 5 as "5"."""
    plain = str(value).lower() if isinstance(value, bool) else str(value)
    return Written(_quoted(plain))


def block(value: object) -> Written:
    """Any JSON value as YAML of one line an entry, for people to read and edit."""
    return Written("".join(_lines(value, "")).removesuffix("\n"))


def pretty(value: object) -> Written:
    """Any JSON value as indented JSON."""
    return Written(_quoted(value, indent=2))


def variable(value: object) -> Written:
    """A name as the name of an environment variable: new-router as NEW_ROUTER.

    Raises NotWritable.
    """
    text = str(value).upper().replace("-", "_")
    if not re.fullmatch("[A-Z0-9_]+", text):
        raise NotWritable(f"not the name of a variable: {value!r}")
    return Written(text)


def digest(value: object) -> Written:
    """The SHA-256 of a JSON value, as a Helm chart computes it by `toJson | sha256sum`.

    Go writes mappings in sorted order without spaces, and five characters as escapes
    (https://pkg.go.dev/encoding/json#Marshal).
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    text = re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)
    return Written(hashlib.sha256(_encoded(text)).hexdigest())


def hcl(value: object) -> Written:
    """A JSON value as an HCL expression: templates in text (`${`, `%{`) are literal."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{hcl(str(key))} = {hcl(one)}" for key, one in value.items())
        return Written(f"{{ {inner} }}" if inner else "{}")
    if isinstance(value, list | tuple):
        return Written(f"[{', '.join(map(hcl, value))}]")
    text = _quoted(value)
    if isinstance(value, str):
        text = text.replace("${", "$${").replace("%{", "%%{")
        # JSON has two short escapes that HCL does not know.
        text = re.sub(r"\\(.)", lambda found: _HCL_ESCAPES.get(found[1], found[0]), text)
    return Written(text)


def compose(value: object) -> Written:
    """Any JSON value as YAML of a compose file, in which `$` would begin a variable."""
    return Written(_quoted(value).replace("$", "$$"))


def sh(value: object) -> Written:
    """One word of a POSIX shell."""
    text = _plain(value)
    return Written(shlex.quote(text))


def docker(value: object) -> Written:
    """A word of a Dockerfile in double quotes, in which `$` is literal.

    A backslash stands between two pairs of quotes: hadolint takes one before a quote for the
    escape of that quote, even where it is escaped itself.
    """
    text = re.sub(r'(["$])', r"\\\1", _plain(value).replace("\\", "\0"))
    return Written(
        '"' + re.sub("\0+", lambda found: '"' + "\\\\" * len(found[0]) + '"', text) + '"'
    )


def words(value: object) -> Written:
    """Words of a Dockerfile in JSON form, without a backslash before a quote (see `docker`)."""
    return Written(_quoted(value).replace("\\\\", "\\u005c"))


def actions(value: object) -> Written:
    """A YAML text of a GitHub workflow; `${{` in it is no expression."""
    text = _quoted(value)
    return Written(text.replace("${{", "${{ '${{' }}"))


def expression(value: object) -> Written:
    """An expression of GitHub Actions: `github.sha` as `${{ github.sha }}`. Raises NotWritable.

    Only for a template's own words: names, dots, calls. No text can stand in it.
    """
    text = str(value)
    if not re.fullmatch(r"!?[A-Za-z0-9_.()-]+", text):
        raise NotWritable(f"not a plain expression: {text!r}")
    return Written(f"${{{{ {text} }}}}")


def go(value: object) -> Written:
    """A YAML text that Go's templates read afterwards (Helm, alerts); `{{` in it is literal."""
    return Written(_quoted(value).replace("{{", "{{`{{`}}"))


def promql(value: object) -> Written:
    """A double-quoted text of PromQL."""
    return Written(_quoted(str(value)))


def markdown(value: object) -> Written:
    """Text of a Markdown page, without any markup in it."""
    text = " ".join(str(value).split())
    return Written(re.sub(r"([\\`*_{}\[\]<>()#+!|~&-])", r"\\\1", text))


def comment(value: object) -> Written:
    """One line of a comment that `#` begins."""
    return Written(" ".join("".join(c if c.isprintable() else "?" for c in str(value)).split()))


def name(value: object) -> Written:
    """A bare word: letters, digits, `-`, `_`, `.`, `/`, `:` and `@`. Raises NotWritable."""
    text = str(value)
    if not re.fullmatch(r"[A-Za-z0-9@_./:-]+", text):
        raise NotWritable(f"not a plain word: {text!r}")
    return Written(text)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NotWritable("half of a character (a lone surrogate) cannot be written") from error


def _lines(value: object, indent: str) -> Iterator[str]:
    """Lines of `value`, which is not empty where it is a list or a mapping."""
    if isinstance(value, Mapping) and value:
        for key, entry in value.items():
            yield from _entry(f"{indent}{_key(str(key))}:", entry, f"{indent}  ")
    elif isinstance(value, list | tuple) and value:
        for entry in value:
            yield from _item(entry, indent)
    else:
        yield f"{indent}{_quoted(value)}\n"


def _entry(start: str, value: object, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping | list | tuple) and value:
        yield f"{start}\n"
        yield from _lines(value, indent)
    else:
        yield f"{start} {_quoted(value)}\n"


def _item(value: object, indent: str) -> Iterator[str]:
    """An entry of a list: a mapping begins on the line of the dash."""
    lines = _lines(value, f"{indent}  ")
    yield f"{indent}- {next(lines).lstrip(' ')}"
    yield from lines


def _key(key: str) -> str:
    return key if key not in _WORDS and re.fullmatch(r"[a-z][a-z_]*", key) else _quoted(key)


def _plain(value: object) -> str:
    text = str(value)
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise NotWritable("control characters cannot be written here")
    return text


FILTERS: Mapping[str, Callable[[object], Written]] = {
    "yaml": yaml,
    "json": yaml,
    "text": text,
    "block": block,
    "pretty": pretty,
    "variable": variable,
    "digest": digest,
    "hcl": hcl,
    "compose": compose,
    "sh": sh,
    "docker": docker,
    "words": words,
    "actions": actions,
    "expression": expression,
    "go": go,
    "promql": promql,
    "markdown": markdown,
    "comment": comment,
    "name": name,
}
