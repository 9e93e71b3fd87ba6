"""Both of PyYAML's parsers give the same tree and refuse the same texts."""

import pytest
import yaml

from sdlc_cli.core.yaml_tree import Listing, Scalar, Section, TreeError, compose

LOADERS = [
    pytest.param(yaml.SafeLoader, id="python"),
    pytest.param(
        getattr(yaml, "CSafeLoader", None),
        id="libyaml",
        marks=pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML without libyaml"),
    ),
]


@pytest.mark.parametrize("loader", LOADERS)
def test_nodes_know_their_line(loader: type[yaml.SafeLoader]) -> None:
    tree = compose("# c\na: 'x'\nb:\n- 1\n-\n", loader)

    assert tree == Section(
        2,
        (
            (Scalar(2, "a", True), Scalar(2, "x", False)),
            (
                Scalar(3, "b", True),
                Listing(4, (Scalar(4, "1", True), Scalar(5, "", True))),
            ),
        ),
    )


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("a:\n\tb: 1", 2, "a tab", id="tab"),
        pytest.param("\ta: 1", 1, "a tab", id="tab at the start"),
        pytest.param("a: |\n\tx\n", 2, "a tab", id="tab in a block of text"),
        pytest.param("a: b: c", 1, "a ':' too many", id="colon"),
        pytest.param("a: [1, 2\nb: 3", 1, "the bracket", id="bracket"),
        pytest.param("a: 1\nb: 'x\n", 2, "the quote", id="quote"),
        pytest.param("a:\n  - 1\n - 2", 3, "does not fit the lines above", id="outdent"),
        pytest.param("- a\nb: 1", 2, "does not fit the lines above", id="key in a list"),
        pytest.param("a: `x", 1, "needs quotes", id="reserved"),
        pytest.param('a: "\\q"', 1, "is not YAML: found unknown escape", id="escape"),
        pytest.param("%YAML 3.0\n---\na", 1, "is not YAML: found incompatible", id="version"),
        pytest.param("a: !x y", 1, "the tag '!x' is not", id="tag"),
        pytest.param("a: !x [y]", 1, "the tag '!x' is not", id="tag of a list"),
        pytest.param("a: *b", 1, "there is no anchor", id="alias"),
        pytest.param("a: " + "{b: " * 200, 1, "nested deeper", id="deep"),
    ],
)
def test_what_cannot_be_read_is_told_alike(
    loader: type[yaml.SafeLoader], text: str, line: int, words: str
) -> None:
    with pytest.raises(TreeError) as caught:
        compose(text, loader)

    assert caught.value.line == line
    assert words in caught.value.message


@pytest.mark.parametrize("loader", LOADERS)
def test_an_alias_is_its_node_and_not_a_copy(loader: type[yaml.SafeLoader]) -> None:
    tree = compose("a: &x [1]\nb: *x", loader)

    assert isinstance(tree, Section)
    assert tree.pairs[0][1] is tree.pairs[1][1]


def test_many_values_are_refused_without_aliases_too() -> None:
    with pytest.raises(TreeError, match="more than 100,000 values"):
        compose("a: [" + "1," * 100_001 + "]")
