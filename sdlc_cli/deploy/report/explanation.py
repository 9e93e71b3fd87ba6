"""What rules look for, as text or JSON."""

import json
from collections.abc import Sequence

from sdlc_cli.core.columns import columns, wrap
from sdlc_cli.core.finding import WORDS
from sdlc_cli.core.i18n import _, local
from sdlc_cli.core.view import DEFAULT, View
from sdlc_cli.deploy.report import SCHEMA_VERSION
from sdlc_cli.deploy.rules import Rule


def one(rule: Rule, form: str, view: View = DEFAULT) -> str:
    """One rule in full."""
    if form == "json":
        return _dumped({"schema_version": SCHEMA_VERSION, **_body(rule)})
    head = f"{rule.id} ({local(WORDS[rule.severity])}): {local(rule.title)}"
    parts = [head, local(rule.why), f"{_('What to do')}: {local(rule.fix)}"]
    if rule.same_as:
        parts.append(_("Elsewhere: {rules}").format(rules=", ".join(rule.same_as)))
    return "\n\n".join("\n".join(wrap(part, view.width)) for part in parts) + "\n"


def every(rules: Sequence[Rule], form: str, view: View = DEFAULT) -> str:
    """All rules, a line each."""
    if form == "json":
        bodies = [_body(rule) for rule in rules]
        return _dumped({"schema_version": SCHEMA_VERSION, "rules": bodies})
    widest = max((columns(rule.id) for rule in rules), default=0)
    lines: list[str] = []
    for rule in rules:
        text = f"{local(rule.title)} ({local(WORDS[rule.severity])})"
        if view.width - widest < 40:
            lines += [rule.id, *(f"  {line}" for line in wrap(text, view.width - 2))]
            continue
        first, *rest = wrap(text, view.width - widest - 2)
        lines.append(f"{rule.id:{widest}}  {first}")
        lines += [" " * (widest + 2) + line for line in rest]
    return "\n".join(lines) + "\n"


def _body(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "severity": str(rule.severity),
        "title": str(rule.title),
        "why": str(rule.why),
        "fix": str(rule.fix),
        "same_as": list(rule.same_as),
    }


def _dumped(body: dict[str, object]) -> str:
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"
