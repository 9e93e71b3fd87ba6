"""How a configuration file's type says what its keys may be, apart from reading such a file.

Declaring is needed in every run, reading only where a file is: it loads PyYAML and takes as long
as looking up a thousand unchanged files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from sdlc_cli.core.i18n import Message

Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """For `Meta.extra["sections"]` on a `dict`: a key in `known` chooses its value's type.

    Any other key takes `other` if its value has the key `tag`, and must match `name`. `refuse`
    words the complaint about a key without `tag`, given the key and the nearest known one
    (or ""); `misnamed` the one about a key that does not match.
    """

    known: Mapping[str, type[msgspec.Struct]]
    other: type[msgspec.Struct]
    tag: str
    name: str
    refuse: Callable[[str, str], Message]
    misnamed: Callable[[str], Message]
