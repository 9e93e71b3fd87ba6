"""Drafts the `columns:` of cost.yaml from a sample of records in a layout that nobody knows."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sdlc_cli.core import config
from sdlc_cli.core.errors import ConfigError, NothingToDo
from sdlc_cli.core.i18n import Message, local, msg
from sdlc_cli.cost.config import CostFile
from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.options import Columns
from sdlc_cli.cost.readers import Record
from sdlc_cli.cost.readers.fields import moment

SAMPLE = 200  # records that are looked at
_DEPTH = 4  # levels of objects whose keys are columns, too
_MOST = 200  # columns that are looked at
_LONGEST = 100  # letters of a name that is shown
_EARLY = 10**8  # numbers below are no seconds of our days (1973), but an offset from some start

# Fields in the order in which they choose among the columns, with the words that a column's name
# has: the first pattern that fits any column wins. Names are in lower case, words joined by `_`.
_NAMES: tuple[tuple[str, str], ...] = (
    ("ts", r"(event_|request_|call_)?(timestamp|time|ts|date_?time)(_utc|_ms|_us|_ns|_s)?"),
    ("ts", r"(created|started|start|requested|logged)(_at|_time|_date|_on)?(_utc)?|date|day"),
    ("model", r"(response_|provided_|llm_)?model(_name|_id)?|deployment(_name)?|engine"),
    ("model", r"(request|req)_model|model_(alias|group|requested)"),
    ("provider", r"(llm_|ai_|custom_llm_)?(provider|vendor)(_name)?"),
    ("tier", r"(service_|pricing_)?tier"),
    ("project", r"project(_name|_id)?|app(lication)?(_name)?|service(_name)?|repo(sitory)?"),
    ("user", r"(end_?)?user(_id|_name|_email)?|customer(_id)?|email"),
    ("key", r"(api_)?key(_name|_id|_alias|_hash)?|api_token_(name|id)|team(_id|_name)?"),
    ("path", r"cwd|working_dir(ectory)?|workdir"),
    ("call_id", r"(request|call|response|completion|message|generation|trace)_?id|id|uuid"),
    ("status", r"status(_code)?|outcome|http_status"),
    ("calls", r"(num_)?(model_)?(calls|requests)|(request|call)_count|n_(calls|requests)"),
    ("cache_write_1h", r".*cache.*(1h|1_h|hour).*|.*(1h|1_h).*cache.*"),
    ("cache_write", r".*cache_?(d_)?(writ|creat).*|.*(creat|writ)\w*_cache.*"),
    ("audio_cached", r".*cache.*audio.*|.*audio.*cache.*"),
    ("cache_read", r".*cache.*"),
    ("reasoning", r".*(reasoning|thinking|thoughts?)(_output)?(_tokens?)?(_count)?"),
    ("audio_in", r"(input|prompt)_audio.*|audio_(input|in|prompt).*"),
    ("audio_out", r"(output|completion)_audio.*|audio_(output|out|completion).*"),
    ("image_in", r"(input|prompt)_image.*|image_(input|in|prompt).*"),
    ("image_out", r"(output|completion)_image.*|image_(output|out|completion).*"),
    ("input", r"(n_|num_|total_)?(input|prompt|context|in|request)_(tokens?|length|len)(_count)?"),
    ("input", r"tokens?_(in|input|prompt|sent)|prompt_eval_count|input|prompt_token_count"),
    ("output", r"(n_|num_|total_)?(output|completion|generated|out)_(tokens?|length|len)(_count)?"),
    ("output", r"tokens?_(out|output|completion|generated|received)|eval_count|output"),
    ("web_searches", r"web_search(es|_requests|_calls)?"),
    ("max_output", r"max_(output_|completion_|new_)?tokens"),
    ("cost_usd", r"(total_|response_|call_|request_)?(cost|spend|price)(_usd|_dollars)?|usd"),
    ("request_hash", r"(request|prompt|input)_hash|hash_ids|(request|prompt)_(sha256|digest)"),
    ("prefix_hash", r"(prefix|system|prompt_prefix)_hash"),
    ("prefix_tokens", r"(prefix|system)_(tokens|length)"),
)
_TAGS = re.compile(r"env(ironment)?|feature|endpoint|region|tenant|team(_name)?|tag|stage")
_TOTAL = re.compile(r"total_tokens?|tokens?_total|tokens")
_TEXTS = frozenset(("model", "provider", "tier", "project", "user", "key", "path", "status"))
_HASHES = frozenset(("request_hash", "prefix_hash"))
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028\u2029]")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_YAML_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A first map of columns. `yaml` is what belongs into cost.yaml, comments and all.

    `columns` is None where no column looks like a count of tokens: then all of `yaml` that would
    be the map is commented out.
    """

    columns: Columns | None
    yaml: str
    notes: tuple[Message, ...]


@dataclass(slots=True)
class _Column:
    name: str
    values: list[object]

    @property
    def plain(self) -> str:
        """The name as the patterns know it: the last key, its words joined by `_`."""
        last = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name[-_LONGEST:])
        return re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_")

    @property
    def last(self) -> str:
        """The name without the objects around it: `usage.input` is `input`."""
        return _Column(self.name.rpartition(".")[2], []).plain


def columns(sample: Sequence[Record]) -> Draft:
    """A draft from records of the file: rows of a table or objects of JSON lines.

    Values are only looked at to tell counts, times and texts apart; none is shown. Raises
    NothingToDo for a sample without a record.
    """
    found = _columns(sample[:SAMPLE])
    if not found:
        raise NothingToDo(
            msg("the sample has no column"), hint=msg("give a file with at least one call in it")
        )
    chosen = _chosen(found)
    notes: list[Message] = []
    flags = dict(_flags(chosen, found, notes))
    unit = _unit(chosen, notes)
    tags = {
        column.last: column.name
        for column in found
        if column not in chosen.values() and _TAGS.fullmatch(column.last) and _is_text(column)
    }
    if "model" not in chosen:
        notes.append(msg("no column names the model: write its name under `fixed`"))
    if "ts" not in chosen:
        notes.append(msg("no column is a time: calls will be on no day"))
    complete = "input" in chosen or "output" in chosen
    if not complete:
        notes.append(msg("no column looks like a count of tokens: fill in `input` and `output`"))
    yaml = _yaml(chosen, flags, unit, tags, found, notes, complete)
    return Draft(columns=_checked(yaml) if complete else None, yaml=yaml, notes=tuple(notes))


def _checked(yaml: str) -> Columns:
    """The map as cost.yaml's own reader takes it."""
    try:
        told = config.read("version: 1\n" + yaml, "draft", CostFile, None).columns
    except ConfigError as error:  # pragma: no cover - a property test holds that it cannot be
        raise AssertionError(str(error)) from error
    assert isinstance(told, Columns)
    return told


def _columns(sample: Sequence[Record]) -> list[_Column]:
    found: dict[str, _Column] = {}
    for record in sample:
        for name, value in _leaves(record, "", 0):
            if name in found:
                found[name].values.append(value)
            elif len(found) < _MOST and name.strip():
                found[name] = _Column(name, [value])
    return list(found.values())


def _leaves(record: Record, prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and depth < _DEPTH:
            yield from _leaves(value, name + ".", depth + 1)
        elif value is not None and value != "" and _writable(name):
            yield name, value


def _writable(name: str) -> bool:
    """Whether a column can be named in cost.yaml, which takes no control characters."""
    return len(name) <= 1_000 and _UNWRITABLE.search(name) is None


def _chosen(found: Sequence[_Column]) -> dict[str, _Column]:
    """A column for each field that one fits; a column serves one field only."""
    chosen: dict[str, _Column] = {}
    left = [column for column in found if column.plain]
    for field, pattern in _NAMES:
        if field in chosen:
            continue
        wanted = re.compile(pattern)
        fits = [column for column in left if _fits(field, column)]
        named = [column for column in fits if wanted.fullmatch(column.plain)]
        named += [column for column in fits if wanted.fullmatch(column.last)]
        if named:
            chosen[field] = named[0]
            left.remove(named[0])
    return chosen


def _fits(field: str, column: _Column) -> bool:
    if field == "ts":
        return all(_is_time(value) for value in column.values)
    if field in _TEXTS:
        return _is_text(column) or (field == "status" and _all(column, _is_count))
    if field == "call_id":
        return _is_text(column) or _all(column, _is_count)
    if field in _HASHES:
        return _is_text(column) or _all(column, lambda value: isinstance(value, list))
    if field == "cost_usd":
        return _all(column, _is_amount)
    return _all(column, _is_count)


def _all(column: _Column, test: Callable[[object], bool]) -> bool:
    return all(test(value) for value in column.values)


def _is_text(column: _Column) -> bool:
    return _all(column, lambda value: isinstance(value, str))


def _is_time(value: object) -> bool:
    value = value.isoformat() if isinstance(value, date) else value
    try:
        return moment(value, "ts") is not None
    except Rejected:
        return False


def _is_count(value: object) -> bool:
    return _number(value) is not None


def _number(value: object) -> int | None:
    if isinstance(value, str):
        found = re.fullmatch(r"([0-9]{1,15})(?:\.0*)?", value.strip(), re.ASCII)
        return int(found[1]) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return int(value) if 0 <= value < 2**53 and value == int(value) else None


def _is_amount(value: object) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"[0-9]{0,9}\.?[0-9]{0,20}(e-[0-9]{1,2})?", value.strip()) is not None
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and value >= 0


def _unit(chosen: Mapping[str, _Column], notes: list[Message]) -> str:
    """The unit of `ts` where its numbers do not tell it themselves."""
    if "ts" not in chosen:
        return ""
    numbers = [_number(value) for value in chosen["ts"].values]
    if any(number is None or number >= _EARLY for number in numbers):
        return ""
    last = chosen["ts"].last
    unit = next((u for u in ("ms", "us", "ns", "s") if last.endswith("_" + u)), "ms")
    name = _shown(chosen["ts"].name)
    notes.append(msg("{name} counts from a start of its own: check `ts_unit`", name=name))
    return unit


def _flags(
    chosen: Mapping[str, _Column], found: Sequence[_Column], notes: list[Message]
) -> Iterator[tuple[str, bool]]:
    """What contains what: by the numbers where they tell, else a guess that a note owns up to."""
    total = next((c for c in found if _TOTAL.fullmatch(c.last) and _all(c, _is_count)), None)
    for flag, whole, parts in (
        ("input_includes_cache", "input", ("cache_read", "cache_write", "cache_write_1h")),
        ("input_includes_audio", "input", ("audio_in", "audio_cached")),
        ("output_includes_reasoning", "output", ("reasoning",)),
        ("output_includes_audio", "output", ("audio_out",)),
    ):
        there = [chosen[part] for part in parts if part in chosen]
        if not there:
            continue
        told = _contains(chosen.get(whole), there, chosen, total)
        if told is None:
            names = ", ".join(_shown(column.name) for column in there)
            notes.append(
                msg("the numbers do not tell whether {flag}: check {names}", flag=flag, names=names)
            )
        yield flag, True if told is None else told


def _contains(
    whole: _Column | None,
    parts: Sequence[_Column],
    chosen: Mapping[str, _Column],
    total: _Column | None,
) -> bool | None:
    """Whether `whole` contains its parts; None where no record can tell."""
    if whole is None:
        return False
    wholes = [_number(value) or 0 for value in whole.values]
    columns = [[_number(value) or 0 for value in part.values] for part in parts]
    if any(len(column) != len(wholes) for column in columns):
        return None  # some records leave a column out: which value goes with which is not known
    inside = [sum(values) for values in zip(*columns, strict=True)]
    if any(part > all_ for part, all_ in zip(inside, wholes, strict=True)):
        return False
    ends = [chosen.get("input"), chosen.get("output")]
    if total is None or len(total.values) != len(wholes) or not all(ends):
        return None
    sums = [
        sum(_number(end.values[place]) or 0 for end in ends if end and place < len(end.values))
        for place in range(len(wholes))
    ]
    totals = [_number(value) for value in total.values]
    telling = [place for place, part in enumerate(inside) if part]
    if telling and all(totals[place] == sums[place] for place in telling):
        return True
    if telling and all(totals[place] == sums[place] + inside[place] for place in telling):
        return False
    return None


def _shown(name: str) -> str:
    """A column's name on one line, as YAML has it."""
    if _PLAIN.fullmatch(name) and name.lower() not in _YAML_WORDS:
        return name
    quoted = "".join(map(_letter, name))
    return f'"{quoted}"'.replace("${", "$${")  # else a variable in cost.yaml


def _letter(letter: str) -> str:
    """A letter inside double quotes in YAML."""
    if letter in '"\\':
        return "\\" + letter
    return letter if " " <= letter <= "~" else f"\\U{ord(letter):08x}"


def _yaml(
    chosen: Mapping[str, _Column],
    flags: Mapping[str, bool],
    unit: str,
    tags: Mapping[str, str],
    found: Sequence[_Column],
    notes: Sequence[Message],
    complete: bool,
) -> str:
    lines = [f"{field}: {_shown(chosen[field].name)}" for field in _fields() if field in chosen]
    lines += [f"ts_unit: {unit}"] if unit else []
    lines += [f"{flag}: {'true' if value else 'false'}" for flag, value in flags.items()]
    if tags:
        inner = ", ".join(f"{_shown(tag)}: {_shown(name)}" for tag, name in tags.items())
        lines.append(f"tags: {{{inner}}}")
    if not complete:
        lines = ["# " + line for line in (*lines, "input: …", "output: …")]
    if "model" not in chosen:
        lines.append("# fixed: {model: gpt-4o}")
    used = {column.name for column in chosen.values()} | set(tags.values())
    left = [column for column in found if column.name not in used]
    if left:
        lines.append("# " + local(msg("columns that are left out:")))
        lines += [f"#   {_shown(column.name)[:_LONGEST]}" for column in left]
    head = [f"# {local(note)}" for note in notes]
    key = "columns:" if complete else "# columns:"
    return "\n".join([*head, key, *("  " + line for line in lines)]) + "\n"


def _fields() -> tuple[str, ...]:
    return Columns.__struct_fields__
