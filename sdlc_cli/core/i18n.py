"""The user's language: which one, and sentences that know both English and their translation.

Two ways to say something:

* `_("…")`, `ngettext("…", "…", n)`: translated at once, for text that only a person reads;
* `msg("… {name}", name=…)`: an English `str` that machine formats print as it is, and that
  `local()` translates when a person reads it. Findings, reasons and errors use this one.
"""

import gettext as _gettext
import os
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

LANGUAGES = ("en", "es", "fr", "de", "ja", "zh")
PSEUDO = "en-XA"  # every translated letter gets an accent; see CONTRIBUTING.md
DOMAIN = "sdlc"
LOCALE_DIR = Path(__file__).parent / "locale"

_ACCENTED = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "ÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽåƀçðéƒĝĥîĵķļṁñöþǫŕšţûṽŵẋýž",
)


class _Pseudo(_gettext.NullTranslations):
    """Shows which words are translatable: accents on letters, braces left alone."""

    def gettext(self, message: str) -> str:
        return _accent(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return _accent(msgid1 if n == 1 else msgid2)


def _accent(message: str) -> str:
    out: list[str] = []
    depth = 0
    for letter in message:
        depth += letter == "{"
        out.append(letter if depth else letter.translate(_ACCENTED))
        depth -= letter == "}"
    return "".join(out)


_current: _gettext.NullTranslations = _gettext.NullTranslations()
_language = "en"


def use(language: str) -> None:
    """Switch all later translations to `language`; an unknown one means English."""
    global _current, _language
    _language = language
    if language == PSEUDO:
        _current = _Pseudo()
    elif language == "en":
        _current = _gettext.NullTranslations()
    else:
        _current = _gettext.translation(DOMAIN, LOCALE_DIR, [language], fallback=True)


def language() -> str:
    """The language in use."""
    return _language


def choose(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> str:
    """The language the user asked for: `--lang`, then `SDLC_LANG`, then `LC_ALL`, then `LANG`.

    A word that names no language of ours is passed over here; `--lang` itself is checked by
    the command line, which can say so.
    """
    wishes = [
        after if word == "--lang" else word[len("--lang=") :]
        for word, after in zip_longest(argv, argv[1:], fillvalue="")
        if word == "--lang" or word.startswith("--lang=")
    ]
    wishes += [environ.get(name, "") for name in ("SDLC_LANG", "LC_ALL", "LANG")]
    for wish in wishes:
        if wish == PSEUDO:
            return PSEUDO
        short = wish.replace("-", "_").split("_")[0].split(".")[0].lower()
        if short in LANGUAGES:
            return short
    return "en"


def _(message: str) -> str:
    """`message` in the user's language."""
    return _current.gettext(message) if message else ""


def ngettext(one: str, many: str, n: int) -> str:
    """`one` or `many`, in the user's language and by its rules for `n`."""
    return _current.ngettext(one, many, n)


class Message(str):
    """An English sentence that remembers its template, so that it can be translated later."""

    __slots__ = ("args", "template")

    template: str
    args: dict[str, object]

    def __reduce__(self) -> tuple[object, ...]:
        return (rebuild, (self.template, self.args))


def rebuild(template: str, args: dict[str, object]) -> Message:
    """The message of a template that `msg` made once, with these values."""
    message = Message(template.format(**args) if args else template)
    message.template = template
    message.args = args
    return message


def msg(template: str, /, **args: object) -> Message:
    """An English sentence for machines that `local` can translate for people.

    `template` uses `str.format` fields; a value that is itself a `Message` is translated too.
    """
    return rebuild(template, args)


def local(message: str) -> str:
    """`message` in the user's language, where it was made with `msg`; else as it is."""
    if not isinstance(message, Message):
        return message
    template = _(message.template)
    if not message.args:
        return template
    values = {k: local(v) if isinstance(v, Message) else v for k, v in message.args.items()}
    return template.format(**values)
