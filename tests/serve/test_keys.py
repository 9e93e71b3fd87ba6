"""What a key opens and what it is bound to, and that a service with keys is never open again."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.serve.test_safety import CALL, JSON, command, new_key


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


@pytest.mark.parametrize("project", ["", " ", "blog\nshop", "blog\r", "\x1b[31mblog"])
def test_a_key_is_bound_to_a_project_with_a_name(tmp_path: Path, project: str) -> None:
    done = command(tmp_path, "keys", "--new", "ingest", "--project", "ok", "--project", project)

    assert done.returncode == 2
    assert "is no name of a project" in done.stderr
    assert done.stdout == ""


RULES = """version: 1
attribute:
  - {match: {tag: {owner: shop}}, project: shop, team: sales}
  - {match: {user: alice}, project: shop}
  - {match: {model: gpt-4o, project: blog}, project: blog, team: writers}
"""


def test_rules_give_no_call_of_a_key_to_a_project_that_it_is_not_for(
    start: Any, tmp_path: Path, otlp: Any
) -> None:
    (tmp_path / "cost.yaml").write_text(RULES)
    blog = new_key(tmp_path, "ingest", "read", project="blog")
    shop = new_key(tmp_path, "ingest", "read", project="shop")
    service = start(tmp_path, "--cache-seconds", "0")
    tagged = {**CALL, "tags": {"owner": "shop"}}

    refused = service.track([CALL, tagged], **blog)
    assert refused.status == 400
    assert "not for project 'shop'" in refused.json["error"]["message"]
    assert service.track({**CALL, "user": "alice"}, **blog).status == 400
    assert service.track(CALL, **blog).status == 200
    spans = (
        otlp.span(number, otlp.chat(f"r-{number}", **more))
        for number, more in enumerate(({"user.id": "alice"}, {}), 1)
    )
    body = json.dumps(otlp.export(*spans))
    answer = service.ask("POST", "/v1/traces", body, {**JSON, **blog})
    assert answer.json["partialSuccess"]["rejectedSpans"] == "1"

    theirs = service.get("/api/v1/cost/report?by=project", **shop).data["groups"]
    mine = service.get("/api/v1/cost/report?by=project", **blog).data["groups"]
    assert theirs == []
    assert [(group["keys"]["project"], group["calls"]) for group in mine] == [("blog", 2)]
    assert service.track(tagged, **shop).status == 200


BUDGETS = """version: 1
budgets:
  - {name: of blog, project: blog, limit_usd: 1000}
  - {name: of shop, project: shop, limit_usd: 0.001}
  - {name: of alice, user: alice, limit_usd: 0.001}
  - {name: of all, limit_usd: 0.001}
route:
  ladders:
    chat: {primary: gpt-4o, fallback: gpt-4o-mini, emergency: gpt-4.1-nano}
"""


def test_the_way_of_a_call_tells_nothing_of_other_budgets(start: Any, tmp_path: Path) -> None:
    (tmp_path / "cost.yaml").write_text(BUDGETS)
    admin = new_key(tmp_path, "admin")
    blog = new_key(tmp_path, "read", project="blog")
    search = new_key(tmp_path, "read", project="search")
    both = _key_of_two(tmp_path)
    service = start(tmp_path, "--cache-seconds", "0")
    service.track({**CALL, "project": "shop", "user": "alice"}, **admin)

    def asked(key: dict[str, str], **words: str) -> Any:
        body = json.dumps({"model": "gpt-4o", **words})
        return service.ask("POST", "/api/v1/route", body, {**JSON, **key})

    assert asked(admin, project="blog").data["budget"] == "of all"
    for words in ({"project": "blog", "user": "alice"}, {"user": "alice"}, {}):
        told = asked(blog, **words).data
        assert (told["budget"], told["step"]) == ("of blog", "primary"), words
    assert asked(search, user="alice").data["budget"] in (None, "")
    assert asked(both).status == 400
    assert asked(both, project="blog", user="alice").data["budget"] == "of blog"
    assert asked(blog, project="shop").status == 403


def _key_of_two(folder: Path) -> dict[str, str]:
    done = command(folder, "keys", "--new", "read", "--project", "blog", "--project", "search")
    return {"Authorization": f"Bearer {done.stdout.strip()}"}
