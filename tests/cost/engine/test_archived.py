"""Sessions of Codex that were archived and still lie among the live ones."""

from pathlib import Path

from sdlc_cli.cost.engine.sources import find


def test_an_archived_session_that_is_still_live_is_left_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("sessions/2026/05/rollout-1", "archived_sessions/rollout-1", "sessions/rollout-3"):
        path = home / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n", encoding="utf-8")
    (home / "archived_sessions/rollout-2.jsonl").write_text("{}\n", encoding="utf-8")

    found = [Path(source.shown).relative_to(home).as_posix() for source in find([str(home)], home)]

    assert sorted(found) == [
        "archived_sessions/rollout-2.jsonl",
        "sessions/2026/05/rollout-1.jsonl",
        "sessions/rollout-3.jsonl",
    ]
