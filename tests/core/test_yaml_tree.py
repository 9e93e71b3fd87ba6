"""YAML text -> tree: PyYAML's two parsers alike, and what is refused is told in plain words."""

import pytest
import yaml

from sdlc_cli.core.yaml_tree import Listing, Scalar, Section, TreeError, compose, compose_all

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


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param('a:\n  b: "x\\0"', ("a", "b"), id="NUL"),
        pytest.param('a:\n- 1\n- {b: "\\0"}', ("a", 1, "b"), id="NUL in a list"),
        pytest.param("a: {b: !x y}", ("a", "b"), id="tag"),
        pytest.param("a: {b: !x {}}", ("a", "b"), id="tag of a section"),
        pytest.param("a: [{b: *c}]", ("a", 0, "b"), id="alias"),
        pytest.param('"\\0": 1', (), id="the key itself"),
        pytest.param("a:\n  b: x\0y", ("a", "b"), id="raw NUL"),
        pytest.param("a: [1, {b: 'x\x07'}]\nc: \0", ("a", 1, "b"), id="raw bell in a list"),
        pytest.param("a: {b\0: 1}", ("a",), id="raw NUL in a key"),
        pytest.param("a: x # \0", (), id="raw NUL in a comment"),
        pytest.param("a: [x\0", (), id="raw NUL in what is no YAML"),
        pytest.param("a: " + "{b: " * 200, (), id="too deep to follow"),
    ],
)
def test_a_value_that_is_not_read_is_told_by_its_path(
    text: str, path: tuple[str | int, ...]
) -> None:
    with pytest.raises(TreeError) as caught:
        compose(text)

    assert caught.value.path == path


@pytest.mark.parametrize("loader", LOADERS)
def test_an_alias_is_its_node_and_not_a_copy(loader: type[yaml.SafeLoader]) -> None:
    tree = compose("a: &x [1]\nb: *x", loader)

    assert isinstance(tree, Section)
    assert tree.pairs[0][1] is tree.pairs[1][1]


def test_many_values_are_refused_without_aliases_too() -> None:
    with pytest.raises(TreeError, match="more than 100,000 values"):
        compose("a: [" + "1," * 100_001 + "]")


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 10)}]\n"
    for old, new in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("text: a\npart:\n\tname: b", "3: a tab stands where YAML wants spaces",
                     id="tab"),
        pytest.param("part:\n  name: b\n\tsize: 1", "3: a tab stands where YAML wants spaces",
                     id="tab after spaces"),
        pytest.param("a: 1\nb: c: d", "2: a ':' too many, or the line is indented wrongly;"
                     " quote text that holds ': '", id="colon"),
        pytest.param("a: 1\n b: 2", "2: a ':' too many, or the line is indented wrongly;"
                     " quote text that holds ': '", id="indent"),
        pytest.param("a:\n  - 1\n - 2", "3: the line does not fit the lines above; is it indented"
                     " as they are?", id="outdent"),
        pytest.param("a: 'x\nb: 1\n", "1: the quote that opens here is never closed", id="quote"),
        pytest.param("b: 1\na: [1, 2\nc: 3", "2: the bracket that opens here is not closed, or"
                     " lacks a ','", id="bracket"),
        pytest.param("a: @x", "1: a value starts with a character that needs quotes around the"
                     " value", id="reserved character"),
        pytest.param("a: *x", "1: there is no anchor '&x' before this", id="no anchor"),
        pytest.param("a: &a\n  - *a", "2: the alias '*a' stands inside its own anchor and never"
                     " ends", id="recursive anchor"),
        pytest.param(BOMB, "5: holds more than 100,000 values, each alias counted as all it"
                     " stands for", id="billion laughs"),
        pytest.param("a: " + "[" * 101, "1: nested deeper than 100 levels", id="deep"),
        pytest.param("a: " + "[" * 500_000, "1: nested deeper than 100 levels", id="very deep"),
        pytest.param("a: !!python/object:os.system x", "1: the tag '!python/object:os.system' is"
                     " not supported", id="tag"),
        pytest.param("a: 1\n<<: 5", "2: '<<' merges a section of keys, or a list of them; this is"
                     " neither", id="merge"),
        pytest.param("a: 1\n---\nb: 2", "2: a second document starts here; keep one file for each",
                     id="two documents"),
        pytest.param("a: 1\nb: \x07", "2: holds the character U+0007, which YAML does not allow",
                     id="control character"),
        pytest.param("\ud800", "1: holds the character U+D800, which YAML does not allow",
                     id="half a pair"),
        pytest.param('a: "\\0"', "1: holds the character U+0000, written as \\…", id="NUL"),
    ],
)  # fmt: skip
def test_what_is_no_yaml_of_ours_is_told_in_plain_words(text: str, expected: str) -> None:
    with pytest.raises(TreeError) as caught:
        compose(text)

    assert f"{caught.value.line}: {caught.value.message}" == expected


def test_documents_come_one_by_one_with_their_first_line() -> None:
    found = list(compose_all("a: 1\n---\n# nothing\n---\n- b\n"))

    assert [(line, type(node)) for line, node in found] == [(1, Section), (2, Scalar), (4, Listing)]


def test_an_anchor_ends_with_its_document() -> None:
    with pytest.raises(TreeError) as error:
        list(compose_all("a: &x 1\n---\nb: *x\n"))

    assert error.value.line == 3
