"""Every sentence for people can be translated: extracted, committed, and none left out."""

import ast
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from gettext import GNUTranslations
from pathlib import Path
from subprocess import CompletedProcess
from typing import Protocol

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import sdlc_cli
from sdlc_cli.core.i18n import LANGUAGES, LOCALE_DIR

PACKAGE = Path(sdlc_cli.__file__).parent
TEMPLATE = LOCALE_DIR / "sdlc.pot"
KEYWORDS = {"_": None, "ngettext": (1, 2), "msg": None}
OTHERS = [language for language in LANGUAGES if language != "en"]
# Where Typer is given text for people.
SHOWN = {"help", "short_help", "epilog", "rich_help_panel"}


Pseudo = Callable[..., CompletedProcess[str]]


class Walked(Protocol):
    """What the fixture `walked` gives."""

    @property
    def pages(self) -> Mapping[str, str]: ...

    def escaped(self, text: str, *more: str) -> list[str]: ...


def extracted() -> Catalog:
    """All strings of the package, sorted: no dates and no places, so that it rarely changes."""
    catalog = _catalog(None)
    found = extract_from_dir(PACKAGE, [("**.py", "python")], {}, KEYWORDS, ())
    for _name, _line, message, _comments, _context in sorted(found, key=lambda f: str(f[2])):
        catalog.add(message)
    return catalog


def _catalog(language: str | None) -> Catalog:
    return Catalog(
        locale=language, project="sdlc", header_comment="# Sentences of sdlc.", fuzzy=False
    )


def as_text(catalog: Catalog) -> str:
    out = io.BytesIO()
    write_po(out, catalog, omit_header=True, sort_output=True, width=100)
    header = ['msgid ""', 'msgstr ""', '"Content-Type: text/plain; charset=utf-8\\n"']
    if catalog.locale:
        header.append(f'"Language: {catalog.locale}\\n"')
        header.append(f'"Plural-Forms: {catalog.plural_forms}\\n"')
    return "\n".join(header) + "\n\n" + out.getvalue().decode()


def updated(language: str, template: Catalog) -> Catalog:
    """The committed catalogue of `language` with today's sentences; translations are kept."""
    path = po_file(language)
    old = _read(path) if path.exists() else _catalog(language)
    catalog = _catalog(language)
    for message in template:
        if message.id:
            before = old.get(message.id)
            catalog.add(message.id, before.string if before else None, flags=message.flags)
    return catalog


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def po_file(language: str) -> Path:
    return LOCALE_DIR / language / "LC_MESSAGES" / "sdlc.po"


def compiled(catalog: Catalog) -> bytes:
    out = io.BytesIO()
    text = as_text(catalog).encode()
    written = read_po(io.BytesIO(text))
    # Without a date of its own a catalogue gets the current minute, and never compiles alike.
    written.creation_date = written.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    # Babel would write the English singular for all numbers of a language without plurals.
    for message in [m for m in written if m.pluralizable and not all(m.string or [""])]:
        written.delete(message.id)
    write_mo(out, written)
    return out.getvalue()


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_not_translated_keeps_its_english_plural(language: str) -> None:
    catalog = _catalog(language)
    catalog.add(("{n} apple", "{n} apples"))

    sentences = GNUTranslations(io.BytesIO(compiled(catalog)))

    told = [sentences.ngettext("{n} apple", "{n} apples", n) for n in (0, 1, 2)]
    assert told == ["{n} apples", "{n} apple", "{n} apples"]


def hold(path: Path, wanted: bytes, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--accept"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wanted)
    assert path.exists(), f"{path.name} is missing: run pytest --accept"
    assert path.read_bytes() == wanted, f"{path} is behind the code: run pytest --accept"


def test_the_template_holds_the_sentences_of_the_code(request: pytest.FixtureRequest) -> None:
    hold(TEMPLATE, as_text(extracted()).encode(), request)


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_holds_the_sentences_of_the_template(
    language: str, request: pytest.FixtureRequest
) -> None:
    hold(po_file(language), as_text(updated(language, extracted())).encode(), request)


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_catalogue_is_that_of_its_source(
    language: str, request: pytest.FixtureRequest
) -> None:
    catalog = updated(language, extracted())
    hold(po_file(language).with_suffix(".mo"), compiled(catalog), request)


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_keeps_the_fields_of_its_sentence(language: str) -> None:
    if not po_file(language).exists():
        pytest.skip("no catalogue yet")
    broken = [m.id for m in _read(po_file(language)) if m.id and not _same_fields(m.id, m.string)]

    assert broken == []


def _same_fields(ids: object, strings: object) -> bool:
    def fields(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)", text))

    originals = ids if isinstance(ids, tuple | list) else (ids,)
    translations = strings if isinstance(strings, tuple | list) else (strings,)
    allowed = set().union(*(fields(str(one)) for one in originals))
    least = set.intersection(*(fields(str(one)) for one in originals))
    return all(not t or least <= fields(str(t)) <= allowed for t in translations)


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, ast.parse(path.read_bytes())


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else ""
            yield (function.id if isinstance(function, ast.Name) else name), node


def test_only_literal_sentences_are_translated() -> None:
    """What is put together before the look-up is in no catalogue, and nobody would notice."""
    wrong = [
        f"{path.relative_to(PACKAGE)}:{call.lineno}"
        for path, tree in modules()
        for name, call in calls(tree)
        for text in call.args[: {"_": 1, "msg": 1, "ngettext": 2}.get(name, 0)]
        if path.name != "i18n.py"
        and not (isinstance(text, ast.Constant) and isinstance(text.value, str))
    ]

    assert wrong == []


def test_no_bare_english_reaches_typer() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{keyword.value.lineno}"
        for path, tree in modules()
        if "typer" in path.read_text(encoding="utf-8") or path.parent.name == "cli"
        for _name, call in calls(tree)
        for keyword in call.keywords
        if keyword.arg in SHOWN and isinstance(keyword.value, ast.Constant | ast.JoinedStr)
        if not (isinstance(keyword.value, ast.Constant) and keyword.value.value in (None, ""))
        if not _only_fields(keyword.value)
    ]

    assert wrong == []


def _only_fields(text: ast.expr) -> bool:
    """True for an f-string that only joins texts which are translated already."""
    return isinstance(text, ast.JoinedStr) and not any(
        isinstance(part, ast.Constant) and any(c.isalpha() for c in str(part.value))
        for part in text.values
    )


def test_no_english_word_escapes_from_a_help_page(walked: Walked) -> None:
    escaped = {path: walked.escaped(page) for path, page in walked.pages.items()}

    assert len(escaped) > 4
    assert {path: words for path, words in escaped.items() if words} == {}


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        pytest.param(["gat"], 2, id="unknown command, near"),
        pytest.param(["xyzzy"], 2, id="unknown command"),
        pytest.param(["gate", "rum"], 2, id="unknown command in a group"),
        pytest.param(["gate"], 2, id="group alone"),
        pytest.param(["gate", "run", "--formt", "json"], 2, id="unknown option, near"),
        pytest.param(["gate", "run", "--xyzzy"], 2, id="unknown option"),
        pytest.param(["gate", "run", "-Z"], 2, id="unknown letter"),
        pytest.param(["gate", "run", "--format"], 2, id="value missing"),
        pytest.param(["gate", "run", "--format", "jsn"], 2, id="bad choice"),
        pytest.param(["gate", "run", "--jobs", "many"], 2, id="not a number"),
        pytest.param(["gate", "run", "--jobs", "-3"], 2, id="number too small"),
        pytest.param(["gate", "run", "nowhere"], 2, id="no such path"),
        pytest.param(["gate", "run", ".", "surplus"], 2, id="extra word"),
        pytest.param(["init", "--force=1"], 2, id="flag with a value"),
        pytest.param(["init", "--ci", "githb"], 2, id="bad CI system"),
        pytest.param(["--lang", "xx", "init"], 2, id="unknown language"),
        pytest.param(["init", "--lang"], 2, id="language missing"),
        pytest.param(["--quiet", "--verbose", "init"], 2, id="contradiction"),
        pytest.param(["schema", "gate"], 2, id="unknown schema"),
        pytest.param(["schema"], 0, id="schemas"),
        pytest.param(["init", "--ci", "github"], 0, id="init for GitHub"),
        pytest.param(["init", "--ci", "gitlab"], 0, id="init for GitLab"),
    ],
)
def test_no_english_word_escapes_from(
    words: list[str], exit_code: int, pseudo: Pseudo, walked: Walked
) -> None:
    done = pseudo(*words)

    assert done.returncode == exit_code, done.stderr
    assert done.stdout or done.stderr
    own = ("formt", "xyzzy", "jsn", "many", "nowhere", "surplus", "githb", "gat", "rum")
    assert walked.escaped(done.stdout + done.stderr, *own) == []


def test_no_english_word_escapes_from_doctor(pseudo: Pseudo, walked: Walked) -> None:
    found = json.loads(pseudo("doctor", "--format", "json").stdout)
    parts = (*found["packages"], *found["programs"])
    names = [word for part in parts for word in (part["name"], part["version"] or "")]
    names += [word for part in found["compiled"] for word in part["name"].split()]
    extras = [part["extra"] for part in found["packages"]]
    data = [found["platform"], found["encoding"], found["executable"], "Python", "sdlc-cli"]

    done = pseudo("doctor")

    assert done.returncode == 0, done.stdout
    assert walked.escaped(done.stdout + done.stderr, *names, *extras, *data) == []


@pytest.mark.parametrize("name", ["gates.yaml", ".github/workflows/gate.yml"])
def test_no_english_comment_escapes_from_a_file_of_init(
    name: str, pseudo: Pseudo, walked: Walked, tmp_path: Path
) -> None:
    pseudo("init", "--ci", "github")

    lines = (tmp_path / name).read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.lstrip().startswith("#")]
    code = [c for c in comments if c.isascii()]  # a line that is set up by removing the sign
    prose = [c for c in comments if c not in code]
    assert prose
    assert [c for c in code if not c.rstrip().endswith((":", "}")) and ": " not in c] == []
    assert walked.escaped("\n".join(prose)) == []
