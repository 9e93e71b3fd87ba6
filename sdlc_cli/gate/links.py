"""Finds the links in Markdown and reStructuredText, and the anchors of Markdown headings.

Every pass over a text is linear: each pattern is bounded or can match in one way only.
"""

import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link as it is written, without its decoration: `docs/a%20b.md#top`."""

    target: str
    line: int


_FENCE = re.compile(r"[ \t>]*(?:[-*+][ \t]+|\d{1,9}[.)][ \t]+)?(`{3,}|~{3,})([^\n]*)")
_LIST_ITEM = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_INLINE = re.compile(
    r"(?<!\\)\]\([ \t]*\n?[ \t]*"
    r"(?:<(?P<angled>[^<>\n]{0,2000})>|(?P<bare>[^\s()<]{1,2000}(?:\([^\s()]{0,500}\)[^\s()]{0,500}){0,9}))"
    r"(?:[ \t\n]{1,9}(?:\"[^\"]{0,500}\"|'[^']{0,500}'|\([^()]{0,500}\)))?[ \t\n]{0,9}\)"
)
_DEFINITION = re.compile(
    r"^[ >]{0,6}\[(?!\^)[^\]\n]{1,500}\]:[ \t]{0,9}(?:<([^<>\n]{1,2000})>|(\S{1,2000}))", re.M
)
_TAG = re.compile(
    r"<(?:a|img|source)\s[^<>]{0,1000}?\b(?:href|src)\s{0,9}=\s{0,9}[\"']([^\"'<>\n]{1,2000})[\"']",
    re.I,
)
_NAMED = re.compile(
    r"<[a-z][^<>]{0,500}?\s(?:id|name)\s{0,9}=\s{0,9}[\"']([^\"'<>\n]{1,500})[\"']", re.I
)
_ATX = re.compile(r"[ ]{0,3}#{1,6}(?:[ \t]+(.*))?")
_SETEXT = re.compile(r"[ ]{0,3}(?:=+|-+)[ \t]*")
_HEADING_ID = re.compile(r"\{:?[^{}]{0,200}?#([^\s{}]{1,200})[^{}]{0,200}\}[ \t]*$")


def markdown_links(text: str) -> list[Link]:
    """Links, images, reference definitions and HTML's `href` and `src`; nothing inside code."""
    plain = blank_inline_code(blank_comments(blank_blocks(text)))
    found = [(m.start(), m["angled"] or m["bare"] or "") for m in _INLINE.finditer(plain)]
    found += [(m.start(), m[1] or m[2]) for m in _DEFINITION.finditer(plain)]
    found += [(m.start(1), m[1]) for m in _TAG.finditer(plain)]
    return _numbered(plain, ((place, _unescaped(target)) for place, target in found))


def markdown_anchors(text: str) -> frozenset[str]:
    """All anchors, in lower case: headings by GitHub's rules and by Python-Markdown's, and ids.

    GitHub's: https://github.com/gjtorikian/html-pipeline (table of contents filter).
    """
    plain = blank_comments(blank_blocks(text))
    anchors = {match[1].lower() for match in _NAMED.finditer(plain)}
    seen: dict[str, int] = defaultdict(int)
    for heading in _headings(plain):
        own = _HEADING_ID.search(heading)
        if own:
            anchors.add(own[1].lower())
            heading = heading[: own.start()].rstrip()
        for slug in {github_slug(heading), _python_markdown_slug(heading)}:
            number = seen[slug]
            seen[slug] += 1
            anchors |= {f"{slug}-{number}", f"{slug}_{number}"} if number else {slug}
    return frozenset(anchors)


def github_slug(heading: str) -> str:
    """What GitHub makes of a heading: `What's *new*?` becomes `whats-new`."""
    kept = (c for c in _rendered(heading).lower() if c in " -_" or _is_word(c))
    return "".join(kept).strip().replace(" ", "-")


def _is_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNM"


def _python_markdown_slug(heading: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", _rendered(heading)).encode("ascii", "ignore")
    words = re.sub(r"[^\w\s-]", "", ascii_only.decode()).strip().lower()
    return re.sub(r"[-\s]+", "-", words)


def _rendered(heading: str) -> str:
    """The heading's text as a reader sees it."""
    heading = heading[:1000]
    heading = re.sub(r"!\[[^\[\]]*\]\([^()]*\)", "", heading)
    heading = re.sub(r"\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])?", r"\1", heading)
    heading = re.sub(r"</?[A-Za-z][^<>]*>", "", heading)
    heading = re.sub(r"(?<!\w)(_{1,2})(?=\S)([^_]+)\1(?!\w)", r"\2", heading)
    return html.unescape(heading).strip()


def _headings(text: str) -> Iterator[str]:
    before = ""
    for line in text.split("\n"):
        atx = _ATX.fullmatch(line)
        if atx:
            title = (atx[1] or "").rstrip()
            without = title.rstrip("#")
            yield (without if without != title and without.endswith((" ", "\t")) else title).strip()
        elif before.strip() and _SETEXT.fullmatch(line):
            yield before.strip()
        before = "" if atx else line


def blank_blocks(text: str) -> str:
    """The text with code blocks, fenced or indented, as empty lines."""
    lines = text.split("\n")
    _blank_fences(lines)
    _blank_indented(lines)
    return "\n".join(lines)


def _blank_fences(lines: list[str]) -> None:
    fence = ""
    for number, line in enumerate(lines):
        match = _FENCE.match(line)
        if fence:
            lines[number] = ""
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match and not (match[1][0] == "`" and "`" in match[2]):
            lines[number] = ""
            fence = match[1]


def _blank_indented(lines: list[str]) -> None:
    """In a list, four spaces are only the item's own indentation."""
    in_list = in_code = False
    blank = True
    for number, line in enumerate(lines):
        if not line.strip():
            blank = True
            continue
        in_code = line.startswith(("    ", "\t")) and not in_list and (blank or in_code)
        if in_code:
            lines[number] = ""
        elif _LIST_ITEM.match(line):
            in_list = True
        elif blank and not line.startswith((" ", "\t")):
            in_list = False
        blank = False


def blank_comments(text: str) -> str:
    """The text without HTML comments; line ends stay."""
    out: list[str] = []
    place = 0
    while (start := text.find("<!--", place)) >= 0:
        end = text.find("-->", start)
        end = len(text) if end < 0 else end + 3
        out += [text[place:start], "\n" * text.count("\n", start, end)]
        place = end
    return "".join([*out, text[place:]])


def blank_inline_code(text: str) -> str:
    """The text with `code` between backticks as spaces, paragraph by paragraph."""
    paragraphs = re.split(r"(\n[ \t]*\n)", text)
    return "".join(_without_code(p) if "`" in p else p for p in paragraphs)


def _without_code(text: str) -> str:
    runs = [(m.start(), m.end()) for m in re.finditer("`+", text)]
    later: dict[int, list[int]] = defaultdict(list)  # by length, the last one first
    for index in range(len(runs) - 1, -1, -1):
        later[runs[index][1] - runs[index][0]].append(index)
    out: list[str] = []
    place = index = 0
    while index < len(runs):
        start, end = runs[index]
        same = later[end - start]
        while same and same[-1] <= index:
            same.pop()
        if same and not text.endswith("\\", 0, start):
            index = same[-1]
            close = runs[index][1]
            out += [text[place:start], re.sub(r"[^\n]", " ", text[start:close])]
            place = close
        index += 1
    return "".join([*out, text[place:]])


def _unescaped(target: str) -> str:
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", target))


def _numbered(text: str, found: Iterator[tuple[int, str]]) -> list[Link]:
    links: list[Link] = []
    line, place = 1, 0
    for start, target in sorted(found):
        line += text.count("\n", place, start)
        place = start
        links.append(Link(target=target, line=line))
    return links


_RST_EMBEDDED = re.compile(r"`[^`<]{0,500}<([^<>`\n]{1,2000})>`_")
_RST_TARGET = re.compile(
    r"^[ \t]*\.\. _(?:`[^`\n]{1,500}`|[^:\n`]{1,500}):[ \t]+(\S{1,2000})[ \t]*$", re.M
)
_RST_FILE = re.compile(
    r"^[ \t]*\.\. (?:\|[^|\n]{1,200}\| )?(?:image|figure|include|literalinclude)::"
    r"[ \t]+(\S{1,2000})[ \t]*$",
    re.M,
)
_RST_CODE = re.compile(
    r"[ \t]*\.\. "
    r"(?:code|code-block|sourcecode|parsed-literal|doctest|testcode|prompt|math|raw)::"
)
_RST_DIRECTIVE = re.compile(r"[ \t]*\.\. (?:\S.*::|_|\[|\|)")


def rst_links(text: str) -> list[Link]:
    """`` `text <target>`_ ``, `.. _name: target`, images, figures and includes; nothing in code."""
    plain = re.sub(r"``[^\n]{0,500}?``", lambda m: " " * len(m[0]), _rst_without_code(text))
    found = [
        (match.start(), match[1])
        for pattern in (_RST_EMBEDDED, _RST_TARGET, _RST_FILE)
        for match in pattern.finditer(plain)
        if not match[1].endswith("_")  # another link's name
    ]
    return _numbered(plain, (one for one in found))


def _rst_without_code(text: str) -> str:
    """Literal blocks, code directives and comments as empty lines."""
    out: list[str] = []
    hidden = -1  # the indentation that the hidden block is deeper than
    for line in text.expandtabs().split("\n"):
        indent = len(line) - len(line.lstrip())
        if hidden >= 0 and line.strip():
            if indent > hidden:
                out.append("")
                continue
            hidden = -1
        if _RST_CODE.match(line):
            hidden = indent
        elif line.lstrip().startswith(".. ") and not _RST_DIRECTIVE.match(line):
            hidden = indent
            line = ""
        elif line.rstrip().endswith("::") and not line.lstrip().startswith(".. "):
            hidden = indent
        out.append(line)
    return "\n".join(out)
