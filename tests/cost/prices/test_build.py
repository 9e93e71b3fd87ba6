"""The committed catalogue is the pinned genai-prices, and nothing else."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import pytest
from genai_prices import types

from sdlc_cli.core.errors import WorkError
from sdlc_cli.cost.prices import build, load


def test_the_committed_catalogue_is_what_the_pinned_release_compiles_to() -> None:
    made = build.compiled()

    assert load.catalogue() == made
    assert build.written(made) == load.FILE.read_bytes(), "run sdlc cost prices --update"


def test_the_catalogue_names_its_release_and_its_content() -> None:
    document = json.loads(load.FILE.read_bytes())
    content = json.dumps(document["providers"], sort_keys=True, separators=(",", ":"))

    assert document["version"] == version("genai-prices")
    assert document["sha256"] == hashlib.sha256(_as_msgspec(content)).hexdigest()


def _as_msgspec(text: str) -> bytes:
    import msgspec

    return msgspec.json.encode(msgspec.json.decode(text), order="sorted")


def test_each_model_has_a_line_of_its_own_and_the_file_is_small() -> None:
    text = load.FILE.read_text(encoding="utf-8")
    models = sum(len(provider.models) for provider in load.catalogue().providers)

    assert sum(line.startswith('{"id":') and '"match":' in line for line in text.splitlines()) >= (
        models
    )
    assert load.FILE.stat().st_size < 1_000_000


def test_update_writes_the_catalogue_anew(tmp_path: Path) -> None:
    made = build.update(tmp_path / "new.json")

    assert load.read(tmp_path / "new.json") == made


def test_update_says_where_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match=r"cannot write .*No such file"):
        build.update(tmp_path / "missing" / "new.json")


def test_a_new_way_of_matching_stops_the_build() -> None:
    class ClauseSoundsLike:
        pass

    with pytest.raises(TypeError, match="something new"):
        build._clause(ClauseSoundsLike())


def test_hours_are_told_in_utc() -> None:
    from datetime import time, timedelta, timezone

    beijing = timezone(timedelta(hours=8))
    hours = types.TimeOfDateConstraint(time(0, 30, tzinfo=beijing), time(16, 30))

    assert build._when(hours) == (None, (16 * 60 + 30, 16 * 60 + 30))
