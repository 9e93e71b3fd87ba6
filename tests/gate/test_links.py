import pytest

from sdlc_cli.gate.links import github_slug, markdown_anchors, markdown_links, rst_links


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[a](b.md)", ["b.md"], id="plain"),
        pytest.param("![a](b.png)", ["b.png"], id="image"),
        pytest.param("[![badge](b.svg)](c.md)", ["b.svg", "c.md"], id="image in a link"),
        pytest.param('[a](b.md "Title (x)")', ["b.md"], id="title"),
        pytest.param("[a](<b c.md>)", ["b c.md"], id="angled"),
        pytest.param("[a](b_(c).md)", ["b_(c).md"], id="parentheses"),
        pytest.param("[a](b\\_c.md)", ["b_c.md"], id="escaped"),
        pytest.param("[a](b.md?x=1&amp;y=2)", ["b.md?x=1&y=2"], id="entity"),
        pytest.param("[a]\n\n[a]: b.md 'x'", ["b.md"], id="definition"),
        pytest.param("[^1]: note", [], id="footnote"),
        pytest.param('<a href="b.md">x</a> <img src=\'c.png\'>', ["b.md", "c.png"], id="tag"),
        pytest.param("`[a](b.md)`", [], id="code"),
        pytest.param("`` `[a](b.md)` ``", [], id="code with a backtick"),
        pytest.param("`open [a](b.md)", ["b.md"], id="a lone backtick"),
        pytest.param("\\`[a](b.md)`", ["b.md"], id="an escaped backtick"),
        pytest.param("```\n[a](b.md)\n```\n[c](d.md)", ["d.md"], id="fence"),
        pytest.param("~~~~ py\n```\n~~~\n[a](b.md)\n~~~~\n[c](d.md)", ["d.md"], id="long fence"),
        pytest.param("- x\n  ```sh\n  [a](b.md)\n  ```\n", [], id="fence in a list"),
        pytest.param("```\n[a](b.md)", [], id="fence that never ends"),
        pytest.param("x\n\n    [a](b.md)\n\ny", [], id="indented"),
        pytest.param("- x\n\n    [a](b.md)\n", ["b.md"], id="indented in a list"),
        pytest.param("<!-- [a](b.md)\n -->[c](d.md)", ["d.md"], id="comment"),
        pytest.param("\\[a\\](b.md)", [], id="escaped brackets"),
        pytest.param("f(x)[0](y)", ["y"], id="as Markdown reads it"),
    ],
)  # fmt: skip
def test_markdown_links(text: str, expected: list[str]) -> None:
    assert [link.target for link in markdown_links(text)] == expected


def test_links_know_their_lines() -> None:
    text = "# t\n\n<!--\n\n-->\n[a](b)\n```\n[x](y)\n```\n`c\nd` [e](f)\n"

    assert [(link.target, link.line) for link in markdown_links(text)] == [("b", 6), ("f", 11)]


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("Hello World", "hello-world"),
        ("What's *new* in 2.0?", "whats-new-in-20"),
        ("`sdlc gate run`", "sdlc-gate-run"),
        ("A & B", "a--b"),
        ("snake_case and _emphasis_", "snake_case-and-emphasis"),
        ("[Link](x.md) here", "link-here"),
        ("Über größe 日本語", "über-größe-日本語"),
        ("a - b", "a---b"),
        (":rocket: Start", "rocket-start"),
        ("Tom &amp; Jerry", "tom--jerry"),
    ],
)
def test_github_slugs(heading: str, slug: str) -> None:
    assert github_slug(heading) == slug


def test_anchors_of_all_kinds() -> None:
    text = (
        "# One #\n\nTwo\n===\n\n## One\n\n### Mine {#my-own}\n\n"
        '<a name="Old"></a>\n<h2 id="html">x</h2>\n```\n# not a heading\n```\n#no heading\n'
    )

    anchors = markdown_anchors(text)

    assert {"one", "one-1", "two", "my-own", "mine", "old", "html"} <= anchors
    assert "not-a-heading" not in anchors
    assert "no-heading" not in anchors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("`a <b.rst>`_ and `c <d.rst>`__", ["b.rst", "d.rst"], id="embedded"),
        pytest.param("`a <other_>`_", [], id="another link's name"),
        pytest.param(".. _a: b.txt", ["b.txt"], id="target"),
        pytest.param(".. _a:\n\ntext", [], id="internal target"),
        pytest.param(".. image:: a.png\n   :alt: x", ["a.png"], id="image"),
        pytest.param(".. |logo| image:: a.png", ["a.png"], id="substitution"),
        pytest.param("x::\n\n    `a <b.rst>`_\n\n`c <d.rst>`_", ["d.rst"], id="literal block"),
        pytest.param(".. code-block:: rst\n\n   .. image:: a.png\n", [], id="code directive"),
        pytest.param(".. note::\n\n   `a <b.rst>`_", ["b.rst"], id="another directive"),
        pytest.param(".. a comment\n   `a <b.rst>`_", [], id="comment"),
        pytest.param("``.. image:: a`` ``<b>`_``", [], id="inline literal"),
    ],
)
def test_rst_links(text: str, expected: list[str]) -> None:
    assert [link.target for link in rst_links(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "`" * 200_000,
        "` `` " * 50_000,
        "](" * 100_000,
        "[a](" + "(" * 200_000,
        "<a " * 60_000,
        "[" * 200_000,
        "<!--" * 50_000,
        "# " + "[" * 200_000,
        "`<" * 100_000,
        "![" * 100_000 + "](x",
        "# " + "_a" * 100_000,
    ],
    ids=range(11),
)
def test_hostile_texts_end_in_time(text: str) -> None:
    for read in (markdown_links, markdown_anchors, rst_links):
        assert len(read(text)) < 200_000
