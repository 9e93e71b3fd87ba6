"""A template of ours as a template of a Helm chart: the same text, with Helm's own expressions.

`{{ replicas|yaml }}` becomes `{{ .Values.replicas | toJson }}`, `{% for %}` becomes `range`, and so
on, so the chart follows every change of the manifests. Only what both languages can say the same
way is taken; anything else is Broken.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy import syntax
from sdlc_cli.deploy.syntax import Beyond, Expression
from sdlc_cli.deploy.template import Broken, For, If, Include, Node, Printed, Template, Text

# A filter of ours, and the end of the pipeline that does the same in Helm.
PIPES: Mapping[str, str] = {
    "yaml": " | toJson",
    "json": " | toJson",
    "name": "",
    "text": " | toString | toJson",
    "variable": ' | upper | replace "-" "_"',
    "digest": " | toJson | sha256sum",
}
_WORDS: Mapping[str, str] = {"==": "eq", "!=": "ne", "and": "and", "or": "or"}

Local = Mapping[str, str]  # variables of loops, and what they are called in the chart


def translate(load: Callable[[str], Template], name: str) -> str:
    """The chart's text for the template; `load` gives one by its name. Raises Broken."""
    return _Translator(load=load, name=name).body(_loaded(load, name).body, {}, fresh=True)


def _loaded(load: Callable[[str], Template], name: str) -> Template:
    try:
        return load(name)
    except Broken as error:
        if isinstance(error.__cause__, Beyond):
            raise _refused(error.__cause__, error.template, error.line) from error
        raise


def _refused(error: Beyond, template: str, line: int) -> Broken:
    problem = msg("a Helm chart cannot say it: {problem}", problem=error.problem)
    return Broken(problem, template, line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Translator:
    load: Callable[[str], Template]
    name: str

    def body(self, body: Iterable[Node], local: Local, *, fresh: bool) -> str:
        """`fresh` says that a line begins here."""
        text = ""
        for node in body:
            alone = text.endswith("\n") if text else fresh
            if isinstance(node, Text):
                text += node.text.replace("{{", '{{ "{{" }}')
                continue
            try:
                text += self._node(node, local, alone=alone)
            except Beyond as error:
                raise _refused(error, self.name, node.line) from error
        return text

    def _node(self, node: Printed | If | For | Include, local: Local, *, alone: bool) -> str:
        """`alone`: it began a line, so it had the line to itself and leaves none behind."""
        if isinstance(node, Printed):
            return self._printed(node.of, local)
        if isinstance(node, If):
            return self._if(node, local, alone=alone)
        if isinstance(node, For):
            return self._for(node, local, alone=alone)
        inner = _Translator(load=self.load, name=node.name)
        return inner.body(_loaded(self.load, node.name).body, local, fresh=alone)

    def _printed(self, of: Expression, local: Local) -> str:
        if isinstance(of, syntax.Filter) and of.name in PIPES:
            return f"{{{{ {_bare(of.of, local)}{PIPES[of.name]} }}}}"
        name = of.name if isinstance(of, syntax.Filter) else type(of).__name__.lower()
        raise Beyond(msg("{what} is none of {known}", what=name, known=", ".join(PIPES)))

    def _if(self, node: If, local: Local, *, alone: bool) -> str:
        text, word = "", "if"
        for test, body in node.branches:
            head = f"{word} {_bare(test, local)}" if test is not None else "else"
            text += _tag(head, alone=alone) + self.body(body, local, fresh=alone)
            word = "else if"
        return text + _tag("end", alone=alone)

    def _for(self, node: For, local: Local, *, alone: bool) -> str:
        over = node.over
        pairs = isinstance(over, syntax.Method) and over.name == "items"
        if node.test is not None or len(node.names) != (2 if pairs else 1):
            raise Beyond(msg("a loop goes over a list or items()"))
        listed = _bare(over.of if isinstance(over, syntax.Method) else over, local)
        inside = {**local, **{name: f"${name}" for name in node.names}}
        text = _tag(f"range {', '.join(f'${n}' for n in node.names)} := {listed}", alone=alone)
        return text + self.body(node.body, inside, fresh=alone) + _tag("end", alone=alone)


def _tag(inside: str, *, alone: bool) -> str:
    """A tag on a line of its own takes the line's end before it along."""
    return f"{{{{- {inside} }}}}\n" if alone else f"{{{{ {inside} }}}}"


def _bare(node: Expression, local: Local) -> str:
    """All of a pipeline or of a tag, which needs no brackets of its own."""
    return _call(node, local) or _word(node, local)


def _inner(node: Expression, local: Local) -> str:
    """An argument of a function."""
    said = _call(node, local)
    return f"({said})" if said else _word(node, local)


def _call(node: Expression, local: Local) -> str:
    """A function and its arguments, where Helm has one for the node; else nothing."""
    if isinstance(node, syntax.Not):
        return f"not {_inner(node.of, local)}"
    if isinstance(node, syntax.Both) and node.word in _WORDS:
        return f"{_WORDS[node.word]} {_inner(node.left, local)} {_inner(node.right, local)}"
    if isinstance(node, syntax.Sequenced):
        return " ".join(("list", *(_inner(one, local) for one in node.entries)))
    return ""


def _word(node: Expression, local: Local) -> str:
    if isinstance(node, syntax.Name):
        return local.get(node.name) or f"$.Values.{node.name}"
    if isinstance(node, syntax.Attribute):
        return f"{_inner(node.of, local)}.{node.name}"
    if isinstance(node, syntax.Constant) and isinstance(node.constant, str | bool | int):
        return json.dumps(node.constant)
    what = node.word if isinstance(node, syntax.Both) else type(node).__name__.lower()
    raise Beyond(msg("{what} is none of {known}", what=what, known=", ".join(_WORDS)))
