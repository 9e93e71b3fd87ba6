"""Templates: what they may print, what they may take, and that Jinja2 reads them the same."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import FileSystemLoader, StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy import escape, render, syntax, template
from sdlc_cli.deploy.model import DeploySpec
from sdlc_cli.deploy.template import For, If, Include, Printed

TEMPLATES = sorted(
    str(path.relative_to(render.TEMPLATES)) for path in render.TEMPLATES.rglob("*.j2")
)


def jinja(folder: Path) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(escape.FILTERS)
    return environment


def printed(text: str, **values: object) -> str:
    """What our reader makes of a template."""
    read = template.parse(text, "here")
    return template.Printer(lambda _: read).print("here", values)


def override(tmp_path: Path, text: str, *, name: str = "kubernetes/service.yaml.j2") -> Path:
    path = tmp_path / "templates" / name
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return tmp_path / "templates"


def test_jinja_prints_every_template_the_same(
    specs: tuple[DeploySpec, ...], awkward: DeploySpec
) -> None:
    environment = jinja(render.TEMPLATES)
    renderer = render.Renderer(None)
    used = set()

    for wanted in [*render.wanted(specs), *render.wanted([awkward])]:
        used.add(wanted.template)
        if wanted.form == "file":
            ours = renderer.artifact(wanted).text
            assert ours == environment.get_template(wanted.template).render(wanted.values)

    included = {
        node.name for name in TEMPLATES for node in nodes(name) if isinstance(node, Include)
    }
    assert used | included == set(TEMPLATES), "a template that nothing uses"


def nodes(name: str) -> list[template.Node]:
    """Everything in a template, whatever it stands in."""

    def within(body: list[template.Node]) -> list[template.Node]:
        found = list(body)
        for node in body:
            if isinstance(node, If):
                found += [one for _, branch in node.branches for one in within(branch)]
            elif isinstance(node, For):
                found += within(node.body)
        return found

    return within(template.parse((render.TEMPLATES / name).read_text("utf-8"), name).body)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_prints_nothing_without_a_filter(name: str) -> None:
    def filtered(expression: syntax.Expression) -> bool:
        if isinstance(expression, syntax.Choice):
            return filtered(expression.then) and filtered(expression.other)
        return isinstance(expression, syntax.Filter) and expression.name in escape.FILTERS

    bare = [
        node.line
        for node in nodes(name)
        if isinstance(node, Printed) and not filtered(node.of) and not pinned(node.of)
    ]

    assert bare == []


def pinned(expression: syntax.Expression) -> bool:
    """`uses["actions/checkout"]`: a line of the table of pins, Written where it is made."""
    return (
        isinstance(expression, syntax.Attribute)
        and isinstance(expression.of, syntax.Name)
        and expression.of.name == "uses"
    )


LIST = {"l": [1, 2, 3]}
LETTERS = {"a": 1, "b": 2, "c": 3, "d": [1]}
CASES = {"m": {"b": 1, "A": 2, "c": 3}}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a {{ b|yaml }} c\n", {"b": "x\n  hostNetwork: true"}),
        ("{% if a %}\nx\n{% elif b == 'y' %}\ny\n{% else %}\nz\n{% endif %}", {"a": 0, "b": "y"}),
        ("{% for k, v in m.items() %}\n{{ k|yaml }}: {{ v|yaml }}\n{% endfor %}", CASES),
        ("{% for x in l if x != 3 %}{{ x|yaml }}{% if loop.last %},{% endif %}{% endfor %}", LIST),
        ("a\n\n  {%- if a -%}  \n b {% endif %}\n\n\nc", {"a": True}),
        ("{# a {{ b }} #}\nx {# y #} z\n  {# w #}\n", {}),
        ("{{ ('a' ~ 1 + 0 ~ 'b')|yaml if a else 'n'|yaml }}", {"a": False}),
        ("{{ ['x', a.b, {'k': a['b']}, (1,), (a.b)]|yaml }}", {"a": {"b": 5}}),
        ("{{ (not a and b or c)|yaml }}{{ (a in d)|yaml }}{{ (a not in d)|yaml }}", LETTERS),
        ("{% for k, v in m|dictsort %}{{ k|yaml }}{% endfor %}", CASES),
        ("{% for k, v in m|dictsort(true) %}{{ k|yaml }}{% endfor %}", CASES),
        ("{% if s.startswith('a') %}{{ \"}}\"|yaml }}{% endif %}\n\n", {"s": "ab"}),
        ("x\t {% if a %} b {% endif %} c\n", {"a": 1}),
        ("{{ a|name|yaml }}{{- b|yaml -}}  \n d", {"a": "w", "b": 1}),
        ("{{ None|yaml }}{{ [none, True]|yaml }}{{ '{{ '|text }}{{ \"%}\"|text }}", {}),
        ("{{ a['items']|yaml }}{% if (1 if a['b'] else 0) %}x{% endif %}",
         {"a": {"items": 1, "b": 2}}),
    ],
)  # fmt: skip
def test_our_reader_and_jinja_agree(text: str, values: dict[str, object]) -> None:
    assert printed(text, **values) == jinja(Path()).from_string(text).render(values)


PIECES = st.sampled_from(
    [
        "x", " ", "  ", "\t", "\n", "\n\n", "{", "}", "%", "#", "'", '"',
        "{{ a|yaml }}", "{{- a|yaml }}", "{{ a|yaml -}}", "{{ '}}'|yaml }}", "{# a #}",
        "{# '%}' #}", "{{", "{%", "{#", "}}", "%}", "#}",
        "{% if a %}", "{%- if a %}", "{% if a -%}", "{% if not a %}", "{% if a %}\n  y\n",
    ]
)  # fmt: skip
ENDS = st.sampled_from(["{% endif %}", "{%- endif %}", "{% endif -%}", "\n{% endif %}\n"])


@given(pieces=st.lists(PIECES, max_size=12), data=st.data())
@settings(max_examples=300, derandomize=True)
def test_our_reader_and_jinja_leave_the_same_space(pieces: list[str], data: st.DataObject) -> None:
    text = ""
    for piece in pieces:
        text += piece + ("z" + data.draw(ENDS) if "if" in piece else "")

    expected: str | None
    ours: str | None
    try:
        expected = jinja(Path()).from_string(text).render(a="w")
    except TemplateSyntaxError:
        expected = None  # pieces that made half a tag together
    try:
        ours = printed(text, a="w")
    except template.Broken as error:
        ours = None if isinstance(error.__cause__, syntax.Beyond) else str(error)

    assert ours in (expected, None)  # None: Jinja2 prints it, or says what is wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% for x in app %}{{ x|name }}.{% endfor %}", "a.n.s.w.e.r.s."),
        ("{% for x in ports %}{{ loop.length|yaml }}{% endfor %}", "1"),
        ("{% if (app, nowhere) %}x{% endif %}", "x"),
        ("{% macro m(x) %}{{ x|name }}{% endmacro %}{% set y = app %}{{ y|name }}", "answers"),
        ("{% if {'a': 1}.items is defined %}x{% endif %}", "x"),
    ],
)
def test_what_ours_refuses_in_a_users_template_jinja_decides(
    spec: Callable[..., DeploySpec], tmp_path: Path, text: str, expected: str
) -> None:
    folder = override(tmp_path, text, name="docker/compose.yaml.j2")

    made = render.render([spec()], overrides=folder)

    assert {one.path: one.text for one in made}["compose.yaml"] == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{{ {'a': 1}.items|yaml }}", id="a method is no value"),
        pytest.param("{{ app|upper|yaml }}{{ app|dictsort }}", id="whatever Jinja2 raises"),
        pytest.param("{% if 1 if 2 else 3 %}{% endif %}", id="a choice in a tag has brackets"),
        pytest.param("{% if 1 in app %}{% endif %}", id="a number is in no text"),
    ],
)
def test_what_both_refuse_is_told_with_its_template(
    spec: Callable[..., DeploySpec], tmp_path: Path, text: str
) -> None:
    folder = override(tmp_path, text, name="docker/compose.yaml.j2")

    with pytest.raises(ConfigError, match=r"compose\.yaml\.j2, line 1"):
        render.render([spec()], overrides=folder)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ a }}", "printed without a filter: 'x'"),
        ("{{ 'text' }}", "printed without a filter: 'text'"),
        ("{{ b|yaml }}", "b is undefined"),
        ("{{ c.d|yaml }}", "there is no d in it"),
        ("{{ a.__class__|yaml }}", "there is no __class__ in it"),
        ("{{ a.upper|yaml }}", "there is no upper in it"),
        ("{% if b %}{% endif %}", "b is undefined"),
        ("{% for x in a %}{% endfor %}", "a loop over 'x'"),
        ("{{ '\ud800'|yaml }}", "half of a character"),
    ],
)
def test_a_template_fails_rather_than_print_what_it_should_not(text: str, problem: str) -> None:
    with pytest.raises(template.Broken, match=problem.replace("(", r"\(")):
        printed(text, a="x", c={})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{% for x in l %}{% for y in l %}{% endfor %}{% endfor %}", "too long"),
        ("{% for x in l %}{{ t|yaml }}{% endfor %}", "too large"),
        ("{% include 'here' %}", "includes itself"),
    ],
)  # fmt: skip
def test_a_template_takes_no_more_than_it_may(text: str, problem: str) -> None:
    with pytest.raises(template.Broken, match=problem):
        printed(text, l=list(range(2000)), t="x" * 10_000)


@pytest.mark.parametrize("name", ["../secret.txt", "a/../../secret.txt", "{root}/secret.txt"])
def test_a_template_is_never_read_outside_of_its_folder(
    spec: Callable[..., DeploySpec], tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    text = f"{{% include '{name.format(root=tmp_path)}' %}}"

    with pytest.raises(ConfigError, match="no such template"):
        render.render([spec()], overrides=override(tmp_path, text))


def test_a_link_out_of_the_folder_is_no_template(
    spec: Callable[..., DeploySpec], tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    folder = override(tmp_path, "", name="kubernetes/kustomization.yaml.j2")
    (folder / "own.j2").symlink_to(tmp_path / "secret.txt")

    for text in ("{% include 'own.j2' %}", "{% include 'o' ~ 'wn.j2' %}"):  # the last by Jinja2
        (folder / "kubernetes/kustomization.yaml.j2").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"own\.j2, line 1: there is no such template"):
            render.render([spec()], overrides=folder)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"\xff\xfe", "not UTF-8"), (b" " * (template.MOST_LETTERS + 1), "too large")],
)
def test_a_file_that_is_no_template_is_told(
    spec: Callable[..., DeploySpec], tmp_path: Path, content: bytes, problem: str
) -> None:
    folder = override(tmp_path, "")
    (folder / "kubernetes/service.yaml.j2").write_bytes(content)

    with pytest.raises(ConfigError, match=problem):
        render.render([spec()], overrides=folder)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\n{{ nothing|yaml }}\n", 2), ("a\n\n{% if app %}\n", 3), ("{{ app|nofilter }}", 1)],
)
def test_a_broken_template_of_a_user_is_named_with_its_line(
    spec: Callable[..., DeploySpec], tmp_path: Path, text: str, line: int
) -> None:
    with pytest.raises(ConfigError) as refused:
        render.render([spec()], overrides=override(tmp_path, text))

    assert f"kubernetes/service.yaml.j2, line {line}: " in str(refused.value)
    assert refused.value.hint == "sdlc deploy eject kubernetes/service.yaml.j2 --force"


def test_a_template_of_a_user_comes_before_ours(
    spec: Callable[..., DeploySpec], tmp_path: Path
) -> None:
    text = "kind: Service\nmetadata: {name: {{ app|yaml }}}\n"

    made = {a.path: a.text for a in render.render([spec()], overrides=override(tmp_path, text))}

    assert made["k8s/dev/service.yaml"] == 'kind: Service\nmetadata: {name: "answers"}\n'
    assert "name: {{ $.Values.app | toJson }}" in made["helm/answers/templates/service.yaml"]


def file(text: str) -> render.Wanted:
    return render.Wanted(
        template="own.j2", path="own.yaml", kind="kubernetes", about="", values={"a": ["x"], "n": 3}
    )


def test_a_template_of_a_user_may_use_all_of_jinja(tmp_path: Path) -> None:
    text = "{% set b = a + ['y'] %}{{ b|first|yaml }}{{ (n * 2)|yaml }}"
    folder = override(tmp_path, text, name="own.j2")

    assert render.Renderer(folder).artifact(file(text)).text == '"x"6'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{% set b = 1 %}{{ b }}", "line 1: printed without a filter"),
        ("\n{% set b = 1 %}{{ c|yaml }}", "line 2: "),
        ("{% set b = ().__class__.__bases__ %}{{ b|yaml }}", "unsafe"),
        ("{% set b = a.append(1) %}", "unsafe"),
        ("{% set b = 'x' * 9999999999 %}", "too much memory"),
        ("{% for i in range(99999) %}{{ ('x' * 999)|yaml }}{% endfor %}", "too large"),
        ("{% macro m() %}{{ m()|yaml }}{% endmacro %}{{ m()|yaml }}", "calls itself"),
        ("{% set b %}\n{% endif %}", "line 2: "),
    ],
)  # fmt: skip
def test_jinja_holds_a_template_of_a_user_to_the_same(
    tmp_path: Path, text: str, problem: str
) -> None:
    folder = override(tmp_path, text, name="own.j2")

    with pytest.raises(ConfigError, match=problem):
        render.Renderer(folder).artifact(file(text))


def test_jinja_gets_no_more_time_than_we_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    monkeypatch.setattr("sdlc_cli.deploy.jinja.MOST_SECONDS", 1.0)

    with pytest.raises(ConfigError, match="too long"):
        render.Renderer(override(tmp_path, text, name="own.j2")).artifact(file(text))


SAME = """
import hashlib, sys
from pathlib import Path
from sdlc_cli.deploy import config, render
specs = config.load(Path(sys.argv[1]), allow_placeholder=True).specs
for made in render.render(specs):
    print(made.path, hashlib.sha256(made.text.encode()).hexdigest(), made.about)
"""


@pytest.mark.parametrize("example", ["deploy.yaml", "awkward/deploy.yaml"])
def test_a_render_is_the_same_everywhere(example: str, tmp_path: Path) -> None:
    file = Path(__file__).parents[2] / "examples/deploy" / example
    places = (
        {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC"},
        {"PYTHONHASHSEED": "2", "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Tokyo", "SDLC_LANG": "de"},
    )

    said = [
        subprocess.run(
            [sys.executable, "-c", SAME, str(file)],
            cwd=cwd,
            env={**os.environ, **variables},
            capture_output=True,
            check=True,
        ).stdout
        for cwd, variables in zip((tmp_path, Path("/")), places, strict=True)
    ]

    assert said[0] == said[1]
    assert said[0].count(b"\n") > 40
