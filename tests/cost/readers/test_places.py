"""Where known tools keep their logs: what the environment says, and only what exists."""

from pathlib import Path

import pytest

from sdlc_cli.cost.readers.places import known


def found(environ: dict[str, str], home: Path) -> list[tuple[str, str]]:
    return [
        (place.folder.relative_to(home).as_posix(), place.format)
        for place in known({"HOME": str(home), **environ})
    ]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in (
        ".claude/projects",
        ".config/claude/projects",
        ".codex/sessions",
        ".codex/archived_sessions",
        "other/projects",
        "cx/sessions",
    ):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def test_the_usual_places(home: Path) -> None:
    assert found({}, home) == [
        (".config/claude/projects", "claude-code"),
        (".claude/projects", "claude-code"),
        (".codex/sessions", "codex"),
        (".codex/archived_sessions", "codex"),
    ]


def test_variables_replace_the_usual_places(home: Path) -> None:
    environ = {
        "CLAUDE_CONFIG_DIR": f"~/other, {home}/.claude/projects,{home}/missing",
        "CODEX_HOME": f"{home}/cx",
    }

    assert found(environ, home) == [
        ("other/projects", "claude-code"),
        (".claude/projects", "claude-code"),
        ("cx/sessions", "codex"),
    ]


def test_one_folder_under_two_names_is_one_place(home: Path) -> None:
    (home / "link").symlink_to(home / "other")

    places = found({"CLAUDE_CONFIG_DIR": f"{home}/other,{home}/link"}, home)

    assert [name for name, _ in places if "codex" not in name] == ["other/projects"]


def test_where_nothing_is_there_is_no_place(tmp_path: Path) -> None:
    assert known({"HOME": str(tmp_path)}) == ()
    assert known({}) == ()
