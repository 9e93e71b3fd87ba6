"""A template of ours as a template of a Helm chart: the same text, with Helm's own expressions.

`{{ replicas|yaml }}` becomes `{{ .Values.replicas | toJson }}`, `{% for %}` becomes `range`, and so
on, so the chart follows every change of the manifests. Only what both languages can say the same
way is taken; anything else raises NotInChart.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jinja2 import Environment, nodes

# A filter of ours, and the end of the pipeline that does the same in Helm.
PIPES: Mapping[str, str] = {
    "yaml": " | toJson",
    "json": " | toJson",
    "name": "",
    "text": " | toString | toJson",
    "variable": ' | upper | replace "-" "_"',
    "digest": " | toJson | sha256sum",
}
_COMPARED: Mapping[str, str] = {"eq": "eq", "ne": "ne"}


class NotInChart(ValueError):
    """Helm has no way to say it that we know of. `line` is that of the template."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(f"line {line}: a chart cannot say {what}")
        self.line = line


def translate(environment: Environment, source: Callable[[str], str], template: str) -> str:
    """The chart's text for `template`; `source` gives the text of a template by its name."""
    parsed = environment.parse(source(template), template)
    return _Translator(environment=environment, source=source).body(parsed.body, {}, fresh=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Translator:
    environment: Environment
    source: Callable[[str], str]

    def body(self, body: list[nodes.Node], local: Mapping[str, str], *, fresh: bool) -> str:
        """`local` holds the loops' variables; `fresh` says that a line begins here."""
        text = ""
        for node in body:
            text += self._node(node, local, alone=text.endswith("\n") if text else fresh)
        return text

    def _node(self, node: nodes.Node, local: Mapping[str, str], *, alone: bool) -> str:
        """`alone`: it began a line, so it had the line to itself and leaves none behind."""
        if isinstance(node, nodes.Output):
            return "".join(self._printed(part, local) for part in node.nodes)
        if isinstance(node, nodes.If):
            return self._if(node, local, alone=alone)
        if isinstance(node, nodes.For):
            return self._for(node, local, alone=alone)
        if isinstance(node, nodes.Include) and isinstance(node.template, nodes.Const):
            name = str(node.template.value)
            body = self.environment.parse(self.source(name), name).body
            return self.body(body, local, fresh=alone)
        raise NotInChart(f"{type(node).__name__.lower()!r}", node.lineno)

    def _printed(self, node: nodes.Expr, local: Mapping[str, str]) -> str:
        if isinstance(node, nodes.TemplateData):
            return node.data.replace("{{", '{{ "{{" }}')
        if isinstance(node, nodes.Filter) and node.name in PIPES and node.node is not None:
            return f"{{{{ {self._expression(node.node, local, bare=True)}{PIPES[node.name]} }}}}"
        raise NotInChart(f"this: {type(node).__name__.lower()}", node.lineno)

    def _if(self, node: nodes.If, local: Mapping[str, str], *, alone: bool) -> str:
        text = _tag(f"if {self._expression(node.test, local, bare=True)}", alone=alone)
        text += self.body(node.body, local, fresh=alone)
        for branch in node.elif_:
            test = self._expression(branch.test, local, bare=True)
            text += _tag(f"else if {test}", alone=alone) + self.body(
                branch.body, local, fresh=alone
            )
        if node.else_:
            text += _tag("else", alone=alone) + self.body(node.else_, local, fresh=alone)
        return text + _tag("end", alone=alone)

    def _for(self, node: nodes.For, local: Mapping[str, str], *, alone: bool) -> str:
        if node.else_ or node.test or node.recursive:
            raise NotInChart("a loop with a condition", node.lineno)
        over: nodes.Node = node.iter
        pairs = False
        if isinstance(over, nodes.Call) and isinstance(over.node, nodes.Getattr):
            pairs = over.node.attr == "items" and not over.args
            over = over.node.node
        targets = node.target.items if isinstance(node.target, nodes.Tuple) else [node.target]
        found = [one.name for one in targets if isinstance(one, nodes.Name)]
        if len(found) != len(targets) or len(found) != (2 if pairs else 1):
            raise NotInChart("a loop over anything but a list or items()", node.lineno)
        inside = {**local, **{name: f"${name}" for name in found}}
        head = ", ".join(inside[name] for name in found)
        listed = self._expression(over, local, bare=True)
        text = _tag(f"range {head} := {listed}", alone=alone)
        return text + self.body(node.body, inside, fresh=alone) + _tag("end", alone=alone)

    def _expression(self, node: nodes.Node, local: Mapping[str, str], *, bare: bool = False) -> str:
        """`bare`: it is all there is, and needs no brackets of its own."""
        said = self._call(node, local)
        if said is not None:
            return said if bare else f"({said})"
        if isinstance(node, nodes.Name):
            return local.get(node.name) or f"$.Values.{node.name}"
        if isinstance(node, nodes.Getattr):
            return f"{self._expression(node.node, local)}.{node.attr}"
        if isinstance(node, nodes.Const) and isinstance(node.value, str | bool | int):
            return json.dumps(node.value)
        raise NotInChart(f"this: {type(node).__name__.lower()}", node.lineno)

    def _call(self, node: nodes.Node, local: Mapping[str, str]) -> str | None:
        """A function and its arguments, where Helm has one for the node."""
        if isinstance(node, nodes.Not):
            return f"not {self._expression(node.node, local)}"
        if isinstance(node, nodes.And | nodes.Or):
            sides = (self._expression(one, local) for one in (node.left, node.right))
            return " ".join((type(node).__name__.lower(), *sides))
        if isinstance(node, nodes.List):
            return " ".join(("list", *(self._expression(one, local) for one in node.items)))
        if isinstance(node, nodes.Compare) and len(node.ops) == 1:
            (operand,) = node.ops
            if operand.op in _COMPARED:
                sides = (self._expression(one, local) for one in (node.expr, operand.expr))
                return " ".join((_COMPARED[operand.op], *sides))
        return None


def _tag(inside: str, *, alone: bool) -> str:
    """A tag on a line of its own takes the line's end before it along."""
    return f"{{{{- {inside} }}}}\n" if alone else f"{{{{ {inside} }}}}"
