"""Which of bandit's tests could say something about a node: the others need not run on it.

bandit calls nearly forty plug-ins for every function call in a file, and each looks at the
call's name first. Here that first look is taken once for each distinct name. A screen may let a
test through that then finds nothing; it may never hold back one that would find something. What
the screens rely on was compared with bandit for the versions in `TESTED`; a test without a screen
(from another package, or new in bandit) always runs.
"""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bandit.plugins.general_hardcoded_password import RE_CANDIDATES
from bandit.plugins.trojansource import BIDI_CHARACTERS

from sdlc_cli.gate.analysis.bandit_setup import Test, known

TESTED = ((1, 8, 0), (1, 9, 4))  # the first and last version whose findings were compared

NameScreen = Callable[[str, str, Any], bool]  # full name, last part of it, the test's options

_VERBS = {"get", "options", "head", "post", "put", "patch", "delete"}
_HTTP = _VERBS | {"request", "stream", "Client", "AsyncClient"}
_MARKUP = {"markupsafe.Markup", "flask.Markup"}
_SAFE_TEXT = {"mark_safe", "SafeText", "SafeUnicode", "SafeString", "SafeBytes"}
_DOWNLOADS = {
    "from_pretrained", "load_dataset", "hf_hub_download", "snapshot_download", "repository_id",
}  # fmt: skip
_SQL_WORD = re.compile(
    "select|delete|insert|update", re.IGNORECASE
)  # bandit's flag: U+0131 is an i
_MEMO = 20_000  # names remembered at most


def _http(full: str, last: str, _: Any) -> bool:
    return last in _HTTP and full.split(".", 1)[0] in ("requests", "httpx")


def _listed(*keys: str) -> NameScreen:
    """The name is in one of these lists of the options."""
    return lambda full, _, options: any(full in options[key] for key in keys)


def _last(*names: str) -> NameScreen:
    return lambda _full, last, _options: last in names


def _full(*names: str) -> NameScreen:
    return lambda full, _last, _options: full in names


CALLS: Mapping[str, NameScreen] = {
    "B102": _full("exec"),
    "B103": lambda _, last, __: "chmod" in last,
    "B106": lambda *_: False,  # keywords only
    "B113": _http,
    "B201": _last("run"),
    "B202": lambda _, last, __: "extractall" in last,
    "B324": lambda full, _, __: "hashlib" in full or "crypt" in full,
    "B501": _http,
    "B502": lambda *_: False,  # keywords only
    "B504": _full("ssl.wrap_socket"),
    "B505": lambda full, _, __: full.startswith(("cryptography.", "Crypto.", "Cryptodome.")),
    "B506": _last("load"),
    "B507": _last("set_missing_host_key_policy"),
    "B508": _full("pysnmp.hlapi.CommunityData"),
    "B509": _full("pysnmp.hlapi.UsmUserData"),
    "B601": _last("exec_command"),
    "B602": _listed("subprocess"),
    "B603": _listed("subprocess"),
    "B604": lambda *_: False,  # keywords only
    "B605": _listed("shell"),
    "B606": _listed("no_shell"),
    "B607": _listed("subprocess", "shell", "no_shell"),
    "B609": _listed("subprocess", "shell"),
    "B610": _last("extra"),
    "B611": _last("RawSQL"),
    "B612": _full("logging.config.listen"),
    "B614": _full("torch.load", "torch.serialization.load"),
    "B615": lambda _, last, __: last in _DOWNLOADS,
    "B701": _last("Environment"),
    "B702": _last("Template"),
    "B703": lambda _, last, __: last in _SAFE_TEXT,
    "B704": lambda full, _, options: full in _MARKUP or full in options["extend_markup_names"],
}
KEYWORDS: Mapping[str, Callable[[str], bool]] = {
    "B106": lambda word: RE_CANDIDATES.search(word) is not None,
    "B502": lambda word: word in ("method", "ssl_version"),
    "B604": lambda word: word == "shell",
}
STRINGS = {"B104", "B105", "B108", "B608"}
_IMPORTERS = {"__import__", "importlib.import_module", "importlib.__import__"}


class Screen:
    """Asked for each node; answers with the tests to run on it, in bandit's order."""

    def __init__(self, tests: Mapping[str, tuple[Test, ...]]) -> None:
        self.tests = tests
        self.foreign = any(not known(test) for plugins in tests.values() for test in plugins)
        self._names: dict[str, tuple[Test, ...]] = {}
        self._words: dict[str | None, frozenset[str]] = {None: frozenset()}
        self._calls = tests.get("Call", ())
        self._called = _blacklisted(self._calls, ("Call",))
        self._strings = tests.get("Str", ())
        ids = {_id(test) for test in self._strings}
        self.every_string = not ids <= STRINGS
        self.temporary = tuple(_temporary(self._strings))
        self._imported = tuple(
            _blacklisted(
                (*tests.get("Import", ()), *tests.get("ImportFrom", ())), ("Import", "ImportFrom")
            )
        )
        self._import_ids_known = all(
            _id(test) == "B001" for kind in ("Import", "ImportFrom") for test in tests.get(kind, ())
        )

    def call(self, node: ast.Call, name: str) -> tuple[Test, ...]:
        """Tests for a call of `name`, its aliases resolved."""
        tests = self._names.get(name)
        if tests is None:
            tests = self._by_name(name)
        if isinstance(node.func, ast.Name) and node.func.id == "__import__":
            return self._calls  # bandit looks at this name before its aliases
        for keyword in node.keywords:
            wanted = self._words.get(keyword.arg)
            if wanted is None:
                wanted = self._by_word(keyword.arg or "")
            if wanted:
                more = {id(test) for test in tests}
                tests = tuple(t for t in self._calls if id(t) in more or _id(t) in wanted)
        return tests

    def _by_name(self, name: str) -> tuple[Test, ...]:
        last = name.rsplit(".", 1)[-1]
        tests = tuple(test for test in self._calls if self._may_call(test, name, last))
        if len(self._names) >= _MEMO:
            self._names.clear()
        self._names[name] = tests
        return tests

    def _may_call(self, test: Test, name: str, last: str) -> bool:
        test_id = _id(test)
        if test_id == "B001":
            return name in self._called or name in _IMPORTERS
        screen = CALLS.get(test_id)
        if screen is None or not known(test):
            return True
        try:
            return screen(name, last, getattr(test, "_config", None))
        except (KeyError, TypeError):
            return True  # options of an unusual shape: let the test decide

    def _by_word(self, word: str) -> frozenset[str]:
        wanted = frozenset(test_id for test_id, screen in KEYWORDS.items() if screen(word))
        if len(self._words) >= _MEMO:
            self._words.clear()
        self._words[word] = wanted
        return wanted

    def string(self, parent: ast.AST, node: ast.Constant, in_sql: bool) -> tuple[Test, ...]:
        """Tests for a string; `in_sql` says that a concatenation around it may be SQL."""
        value: str = node.value  # type: ignore[assignment]
        if (
            in_sql
            or self.every_string
            or value == "0.0.0.0"
            or value.startswith(self.temporary)
            or _may_be_password(parent, value)
            or _may_be_sql(parent, node, value)
        ):
            return self._strings
        return ()

    def imported(self, node: ast.Import | ast.ImportFrom) -> bool:
        """True when a test may object to one of the names imported."""
        if not self._import_ids_known:
            return True
        module = getattr(node, "module", None)
        prefix = f"{module}." if module else ""
        return any((prefix + alias.name).startswith(self._imported) for alias in node.names)

    def handler(self, node: ast.ExceptHandler) -> bool:
        """True when the handler does nothing but `pass` or `continue`."""
        return len(node.body) == 1 and isinstance(node.body[0], ast.Pass | ast.Continue)


def may_be_trojan(text: str) -> bool:
    """True when the text holds characters that change the direction of writing."""
    return any(character in text for character in BIDI_CHARACTERS)


def concatenated(root: ast.BinOp) -> dict[int, str]:
    """The strings in a chain of operators, by id, when together they may be SQL; else none."""
    stack: list[ast.expr] = [root]
    strings: dict[int, str] = {}
    while stack:
        node = stack.pop()
        if isinstance(node, ast.BinOp):
            stack += (node.left, node.right)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings[id(node)] = node.value
    return strings if any(map(_has_sql_word, strings.values())) else {}


def work(parent: ast.AST, value: str) -> int:
    """About how many steps bandit's tests take for this string: some grow with the square."""
    if isinstance(parent, ast.Dict):
        return len(parent.keys)  # searched one by one for the string
    if isinstance(parent, ast.JoinedStr):
        return sql_work([p.value for p in parent.values if isinstance(p, ast.Constant)])
    return sql_work([value])


def sql_work(strings: Iterable[object]) -> int:
    """The steps of bandit's search for SQL: from each verb to the end of the text."""
    texts = [text for text in strings if isinstance(text, str)]
    verbs = sum(len(_SQL_WORD.findall(text)) for text in texts)
    return verbs * sum(map(len, texts))


def _has_sql_word(text: str) -> bool:
    return _SQL_WORD.search(text) is not None


def _may_be_password(parent: ast.AST, value: str) -> bool:
    if isinstance(parent, ast.Assign):
        return any(map(_names_password, parent.targets))
    if isinstance(parent, ast.Dict | ast.Subscript):
        return RE_CANDIDATES.search(value) is not None
    return isinstance(parent, ast.Compare) and _names_password(parent.left)


def _names_password(target: ast.expr) -> bool:
    name = getattr(target, "id", None) or getattr(target, "attr", None)
    return name is not None and RE_CANDIDATES.search(name) is not None


def _may_be_sql(parent: ast.AST, node: ast.Constant, value: str) -> bool:
    """For a string that is formatted; concatenations are judged as a whole, in `concatenated`."""
    if isinstance(parent, ast.Attribute):
        return parent.attr in ("format", "replace") and _has_sql_word(value)
    if not isinstance(parent, ast.JoinedStr) or _first_string(parent) is not node:
        return False  # bandit reports a formatted string at its first part
    parts = (part.value for part in parent.values if isinstance(part, ast.Constant))
    return _has_sql_word("".join(part for part in parts if isinstance(part, str)))


def _first_string(joined: ast.JoinedStr) -> ast.expr | None:
    strings = (p for p in joined.values if isinstance(p, ast.Constant) and isinstance(p.value, str))
    return next(strings, None)


def _id(test: Test) -> str:
    return str(test._test_id)  # type: ignore[attr-defined]


def _blacklisted(tests: Iterable[Test], kinds: tuple[str, ...]) -> frozenset[str]:
    """The names that bandit's blacklists hold for these kinds of node."""
    lists = [test._config for test in tests if _id(test) == "B001"]  # type: ignore[attr-defined]
    return frozenset(
        name
        for one in lists
        for kind in kinds
        for check in one.get(kind, ())
        for name in check["qualnames"]
    )


def _temporary(strings: Iterable[Test]) -> Iterable[str]:
    """The folders that B108 looks for; "" (which lets all through) for options it can't read."""
    for test in strings:
        if _id(test) == "B108":
            options = test._config  # type: ignore[attr-defined]
            folders = options.get("tmp_dirs") if isinstance(options, dict) else None
            good = isinstance(folders, list) and all(isinstance(f, str) for f in folders)
            yield from folders if good else ("",)  # type: ignore[misc]
