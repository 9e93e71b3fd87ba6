"""What a key opens and what it is bound to, and that a service with keys is never open again."""

from pathlib import Path
from typing import Any

from tests.serve.test_safety import CALL, command, new_key


def id_of(key: dict[str, str]) -> str:
    return key["Authorization"].split("_")[1]


def test_the_last_key_that_is_taken_back_opens_the_service_to_nobody(
    start: Any, tmp_path: Path, otlp: Any
) -> None:
    key = new_key(tmp_path, "admin")
    everywhere = start(tmp_path, "--host", "0.0.0.0")
    assert everywhere.get("/api/v1/budgets", **key).status == 200

    assert command(tmp_path, "keys", "--revoke", id_of(key)).returncode == 0

    otlp.until(lambda: everywhere.get("/api/v1/budgets", **key).status == 401)
    assert everywhere.get("/api/v1/cost/report").status == 401
    assert everywhere.track(CALL).status == 401
    assert everywhere.get("/health").status == 200
    everywhere.stop()
    here = start(tmp_path)
    assert here.get("/api/v1/cost/report").status == 401
    assert here.get("/api/v1/cost/report", **key).status == 401
    assert here.rows() == []
    here.stop()
    assert command(tmp_path, "--host", "0.0.0.0", "--port", "0").returncode == 2
