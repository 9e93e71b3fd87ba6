"""A value as each language writes it literally: what comes out can be read back as that value.

Templates may print nothing else: `render` refuses a value that did not go through one of these.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping

__all__ = ["FILTERS", "NotWritable", "Written"]

# What JSON leaves as it is, but YAML reads as a line's end or not at all.
_UNSEEN = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class NotWritable(ValueError):
    """The language has no way to write the value."""


class Written(str):
    """Text that is safe to print in the language that it was written for."""

    __slots__ = ()


def _quoted(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def yaml(value: object) -> Written:
    """Any JSON value as flow YAML, which JSON is: text always in quotes, numbers bare."""
    return Written(_quoted(value))


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
    return Written(text)


def sh(value: object) -> Written:
    """One word of a POSIX shell."""
    text = _plain(value)
    return Written(shlex.quote(text))


def docker(value: object) -> Written:
    """A double-quoted word of a Dockerfile, in which `$` and `\\` are literal."""
    text = _plain(value)
    return Written('"' + re.sub(r'([\\"$])', r"\\\1", text) + '"')


def actions(value: object) -> Written:
    """A YAML text of a GitHub workflow; `${{` in it is no expression."""
    text = _quoted(value)
    return Written(text.replace("${{", "${{ '${{' }}"))


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


def _plain(value: object) -> str:
    text = str(value)
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise NotWritable("control characters cannot be written here")
    return text


FILTERS: Mapping[str, Callable[[object], Written]] = {
    "yaml": yaml,
    "json": yaml,
    "hcl": hcl,
    "sh": sh,
    "docker": docker,
    "actions": actions,
    "go": go,
    "promql": promql,
    "markdown": markdown,
    "comment": comment,
    "name": name,
}
