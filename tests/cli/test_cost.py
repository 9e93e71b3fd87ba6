"""`sdlc cost` as a user and a CI file meet it: real app, real logs."""

import contextlib
import csv
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sdlc_cli.core import charts

Tree = Callable[..., Path]
Done = subprocess.CompletedProcess[str]
EXAMPLES = Path(__file__).parents[2] / "examples" / "cost"
START = 1_767_225_600  # 2026-01-01T00:00:00Z


def call(n: int, *, day: int = 0, model: str = "gpt-4o", tokens: int = 1_000, **more: Any) -> str:
    """An OpenAI chat completion in a team's own line: what is logged, and the answer."""
    body = {
        "id": f"chatcmpl-{n}",
        "object": "chat.completion",
        "created": START + day * 86_400 + n,
        "model": model,
        "usage": {
            "prompt_tokens": tokens,
            "completion_tokens": 100,
            "total_tokens": tokens + 100,
        },
    }
    return json.dumps({"ts": body["created"], "response": body, **more})


# gpt-4o costs $2.50 in and $10 out for a million tokens: $0.0035 for 1,000 in and 100 out.
LOG = "\n".join(
    [call(n, project="shop", user="anna@mail.example") for n in range(4)]
    + [call(n, day=1, project="lab", user="ben") for n in range(4, 6)]
    + [call(5, day=1, project="lab", user="ben"), call(6, day=2, model="house-1")]
)
BAD = "\n".join([call(1), "{", '{"ts": 1, "response": {"usage": {"prompt_tokens": -1}}}'])
CONFIG = """\
version: 1
sources: [logs/]
prices: [{model: house-1, input: 1, output: 1}]
attribute: [{match: {project: shop}, project: store, team: web}]
budgets:
  - {name: all, limit_usd: 0.02}
  - {name: store, project: store, limit_usd: 0.015, warn_at: 90%}
route: {ladders: {chat: {primary: gpt-4o, fallback: gpt-4o-mini, swap_at: 50%}}}
"""


def sdlc(*words: str | Path, cwd: Path, stdin: str | None = None, **environ: str) -> Done:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SDLC_", "LC_", "CLAUDE"))}
    return subprocess.run(
        [sys.executable, "-m", "sdlc_cli", *map(str, words)],
        cwd=cwd,
        env=clean
        | {"LANG": "C.UTF-8", "COLUMNS": "100", "SDLC_CACHE_DIR": str(cwd.parent / "cache")}
        | {"HOME": str(cwd.parent / "home")}
        | environ,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def cost(*words: str | Path, cwd: Path, **more: str) -> Done:
    return sdlc("cost", *words, cwd=cwd, **more)


def result(*words: str | Path, cwd: Path, code: int = 0, **more: str) -> dict[str, Any]:
    done = cost(*words, "--format", "json", cwd=cwd, **more)
    assert done.returncode == code, done.stderr
    body = json.loads(done.stdout)
    assert isinstance(body, dict)
    return body


@pytest.fixture
def logs(tree: Tree) -> Path:
    return tree({"logs/usage.jsonl": LOG})


@pytest.fixture
def project(tree: Tree) -> Path:
    return tree({"logs/usage.jsonl": LOG, "cost.yaml": CONFIG})


class TestReport:
    def test_every_call_is_counted_once_and_priced(self, logs: Path) -> None:
        body = result("report", "logs", cwd=logs)

        assert (body["calls"], body["duplicates"]) == (7, 1)
        assert body["totals"]["cost_usd"] == "0.021"
        assert body["unpriced"][0]["model"] == "house-1"
        assert body["priced_coverage"] == pytest.approx(6 / 7, abs=1e-6)
        assert {g["keys"]["model"]: g["cost_usd"] for g in body["groups"]} == {
            "gpt-4o": "0.021",
            "house-1": "0.00",
        }

    def test_results_go_to_stdout_and_the_rest_to_stderr(self, logs: Path) -> None:
        done = cost("report", "logs", cwd=logs)

        assert done.stdout.startswith("$0.0210 for 7 calls, 2026-01-01 to 2026-01-03 (UTC)")
        assert done.stderr == "read logs/usage.jsonl: envelope, 8 records\n"
        assert cost("--quiet", "report", "logs", cwd=logs).stderr == ""

    @pytest.mark.parametrize(
        ("words", "keys"),
        [
            (["--by", "day"], [{"day": f"2026-01-0{day}"} for day in (1, 2, 3)]),
            (["--by", "project"], [{"project": "shop"}, {"project": "lab"}, {"project": ""}]),
            (["--by", "week"], [{"week": "2026-W01"}]),
            (["--by", "month", "--until", "2026-01-01"], [{"month": "2026-01"}]),
            (
                ["--by", "project", "--by", "day", "--since", "2026-01-02", "--where",
                 "project=lab"],
                [{"project": "lab", "day": "2026-01-02"}],
            ),
        ],
    )  # fmt: skip
    def test_calls_are_grouped_and_chosen(
        self, words: list[str], keys: list[dict[str, str]], logs: Path
    ) -> None:
        body = result("report", "logs", *words, cwd=logs)

        assert [group["keys"] for group in body["groups"]] == keys

    def test_days_begin_where_the_user_says(self, logs: Path) -> None:
        words = ("report", "logs", "--by", "day", "--timezone", "America/New_York")

        body = result(*words, cwd=logs)

        assert [group["keys"]["day"] for group in body["groups"]] == [
            "2025-12-31",
            "2026-01-01",
            "2026-01-02",
        ]

    def test_without_a_path_the_sources_of_the_file_are_read(self, project: Path) -> None:
        (project / "deep").mkdir()

        body = result("report", "--by", "project", "--by", "team", cwd=project)

        assert [tuple(g["keys"].values()) for g in body["groups"]] == [
            ("store", "web"),
            ("lab", ""),
            ("", ""),
        ]
        assert body["unpriced"] == []
        assert body["price_sources"]["cost.yaml:3"] == 1
        assert (body["unattributed"], body["unattributed_cost_usd"]) == (1, "0.0011")

    def test_a_file_of_prices_comes_over_those_of_the_configuration(self, project: Path) -> None:
        file = project / "prices.yaml"
        file.write_text("version: 1\nprices: [{model: 'gpt-4o*', free: true}]\n")

        body = result("report", "--prices", file.name, cwd=project)

        assert body["totals"]["cost_usd"] == "0.0011"

    def test_standard_input_is_a_log(self, logs: Path) -> None:
        done = cost("report", "-", "--format", "csv", cwd=logs, stdin=call(1))

        assert done.stdout.splitlines()[1].startswith("gpt-4o,1,1000,")

    def test_standard_input_that_is_named_twice_is_read_once(self, logs: Path) -> None:
        done = sdlc("cost", "report", "-", "-", cwd=logs, stdin=LOG)

        assert done.returncode == 0
        assert "7 calls" in done.stdout

    def test_a_second_run_says_the_same(self, logs: Path) -> None:
        first, second = (cost("report", "logs", "-f", "csv", cwd=logs).stdout for _ in range(2))

        assert first == second != ""
        assert cost("report", "logs", "-f", "csv", "--no-cache", cwd=logs).stdout == first

    @pytest.mark.parametrize("form", ["table", "json", "csv", "markdown", "html", "focus"])
    def test_every_form_goes_to_a_file(self, form: str, logs: Path) -> None:
        done = cost("report", "logs", "--format", form, "--output", "out", cwd=logs)

        assert (done.returncode, done.stdout) == (0, "")
        assert (logs / "out").read_text(encoding="utf-8")
        assert "wrote out" in done.stderr

    def test_the_bars_of_a_page_are_split_unless_there_are_too_many_pieces(
        self, logs: Path
    ) -> None:
        if not charts.installed():
            pytest.skip("the extra charts is not installed")
        split = cost("report", "logs", "--by", "user", "--format", "html", cwd=logs).stdout
        far = call(90, day=9_000, user="zoe") + "\n"
        many = "\n".join(call(n, user=f"u{n}") for n in range(100, 120))
        (logs / "logs" / "many.jsonl").write_text(far + many)
        whole = cost("report", "logs", "--by", "user", "--format", "html", cwd=logs).stdout

        assert '<ul class="legend">' in split
        assert "2026-01-01, anna@mail.example: $0.0140" in split
        assert '<ul class="legend">' not in whole
        assert '<svg class="chart"' in whole

    def test_focus_rows_add_up_to_the_cost(self, logs: Path) -> None:
        done = cost("report", "logs", "--format", "focus", cwd=logs)
        rows = list(csv.DictReader(io.StringIO(done.stdout)))

        assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal("0.021")
        assert {row["ProviderName"] for row in rows} == {"openai", "unknown"}


class TestLoad:
    def test_a_store_answers_as_its_logs_do(self, project: Path) -> None:
        loaded = result("load", "sqlite:///usage.db", "logs", cwd=project)
        again = result("load", "sqlite:///usage.db", "logs", cwd=project)

        words = ("--by", "project", "--config", "cost.yaml")
        stored = result("report", "sqlite:///usage.db", *words, cwd=project)
        logged = result("report", "logs", *words, cwd=project)

        assert (loaded["records"], again["records"]) == (8, 8)
        assert stored["groups"] == logged["groups"]
        assert stored["totals"] == logged["totals"]
        assert (logged["duplicates"], stored["duplicates"]) == (1, 9)

    def test_what_is_refused_is_told_and_the_rest_loaded(self, tree: Tree) -> None:
        root = tree({"a.jsonl": BAD})
        words = ("load", "sqlite:///usage.db", "a.jsonl", "--rejects", "bad.jsonl")

        done = cost(*words, cwd=root)

        assert done.returncode == 0
        assert "records added to sqlite:///usage.db: 1" in done.stdout
        assert "a.jsonl:2: not counted" in done.stderr
        assert len((root / "bad.jsonl").read_text().splitlines()) == 2

    def test_records_without_an_id_are_told(self, tree: Tree) -> None:
        answer = json.loads(call(1))["response"]
        del answer["id"]
        root = tree({"a.jsonl": json.dumps(answer)})

        done = cost("load", "sqlite:///usage.db", "a.jsonl", cwd=root)

        assert "records without an id: 1; loaded again, they count again" in done.stdout

    @pytest.mark.parametrize(
        ("words", "code", "says"),
        [
            (["usage.db", "a.jsonl"], 2, "'usage.db' is no address of a store"),
            (["sqlite:///u.db", "sqlite:///v.db"], 2, "is a store, not a log"),
            (["sqlite:///u.db", "bad.jsonl"], 3, "no record could be counted: 1 were rejected"),
            (["sqlite:///u.db", "odd.jsonl"], 2, "is in no known log format"),
            (["sqlite:///u.db", "nowhere"], 2, "there is no file or folder nowhere"),
            (["sqlite:///u.db", "a.jsonl", "--source-format", "x"], 2, "no log format 'x'"),
            (["sqlite:///a.jsonl", "a.jsonl"], 3, "SQLite says"),
            pytest.param(
                ["postgresql://127.0.0.1:1/x", "a.jsonl"], 3, "PostgreSQL", marks=pytest.mark.dev
            ),
        ],
    )
    def test_what_is_wrong_is_told(
        self, words: list[str], code: int, says: str, tree: Tree
    ) -> None:
        bad = json.dumps({"object": "chat.completion", "usage": {"prompt_tokens": -1}})
        root = tree({"a.jsonl": call(1), "bad.jsonl": bad, "odd.jsonl": '{"a": 1}'})

        done = cost("load", *words, cwd=root)

        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert says in done.stderr


class TestNamesOfFiles:
    def test_what_a_terminal_would_obey_is_shown_instead(self, tree: Tree) -> None:
        root = tree({"a\x1b[31m\nwarning: b.jsonl": LOG, "c\x1b[2J.jsonl": "nothing"})

        done = cost("report", ".", cwd=root)

        assert "\x1b" not in done.stdout + done.stderr
        assert "read ./a\\x1b[31m\\nwarning: b.jsonl: envelope" in done.stderr.replace(
            "read a", "read ./a"
        )
        assert "c\\x1b[2J.jsonl: not read" in done.stderr

    def test_beside_a_link_to_logs_elsewhere_the_configuration_is_found(
        self, project: Path, tmp_path: Path
    ) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "a.jsonl").write_text(call(1, model="house-1"))
        (project / "linked").symlink_to(elsewhere)

        ours = result("report", "linked", cwd=project)
        (elsewhere / "cost.yaml").write_text("version: 1\n")
        theirs = result("report", "linked", cwd=project)

        assert [len(ours["unpriced"]), len(theirs["unpriced"])] == [0, 1]


class TestWithoutACache:
    """No folder can be had to remember in: the answer is the same, and nothing is said."""

    @pytest.mark.parametrize(
        "place",
        [
            pytest.param({"SDLC_CACHE_DIR": "{root}/a.jsonl/x"}, id="below a file"),
            pytest.param({"SDLC_CACHE_DIR": "{root}/locked"}, id="not writable"),
            pytest.param({"SDLC_CACHE_DIR": "{root}/locked/new"}, id="cannot be made"),
            pytest.param({"SDLC_CACHE_DIR": "", "HOME": ""}, id="no home"),
            pytest.param({"SDLC_CACHE_DIR": "", "HOME": "{root}/a.jsonl"}, id="home is a file"),
            pytest.param({"SDLC_CACHE_DIR": "", "HOME": "/nonexistent"}, id="home does not exist"),
        ],
    )
    def test_the_logs_are_counted_all_the_same(self, place: dict[str, str], tree: Tree) -> None:
        root = tree({"a.jsonl": LOG, "b/c.jsonl": call(90)})
        (root / "locked").mkdir(mode=0o555)
        told = {name: value.format(root=root) for name, value in place.items()}

        first = sdlc("cost", "report", "a.jsonl", "b", cwd=root, **told)
        again = sdlc("cost", "report", "a.jsonl", "b", cwd=root, **told)

        assert (first.returncode, first.stderr) == (again.returncode, again.stderr)
        assert first.returncode == 0
        assert first.stdout == again.stdout
        assert "8 calls" in first.stdout

    def test_without_a_home_no_tools_logs_are_looked_for(self, tmp_path: Path) -> None:
        done = sdlc("cost", "report", cwd=tmp_path, HOME="")

        assert done.returncode == 4
        assert "no known tool keeps logs here" in done.stderr


class TestInputThatIsBad:
    def test_bad_records_are_left_out_shown_and_listed(self, tree: Tree) -> None:
        root = tree({"a.jsonl": BAD})

        done = cost("report", "a.jsonl", "--rejects", "bad.jsonl", "-f", "json", cwd=root)

        body = json.loads(done.stdout)
        listed = [json.loads(line) for line in (root / "bad.jsonl").read_text().splitlines()]
        assert (done.returncode, body["calls"], body["rejected_count"]) == (0, 1, 2)
        assert listed == body["rejected"]
        assert [(one["path"], one["line"]) for one in listed] == [("a.jsonl", 2), ("a.jsonl", 3)]
        assert "warning: a.jsonl:2: not counted: " in done.stderr
        assert "warning: a.jsonl:3: not counted: " in done.stderr

    def test_the_report_itself_says_so(self, tree: Tree) -> None:
        done = cost("report", "a.jsonl", cwd=tree({"a.jsonl": BAD}))

        assert "2 records were rejected and are not counted, the first at a.jsonl:2" in done.stdout

    def test_only_the_first_are_warned_of(self, tree: Tree) -> None:
        root = tree({"a.jsonl": "\n".join([call(1), *["{"] * 12])})

        done = cost("report", "a.jsonl", cwd=root)

        assert done.stderr.count("warning: a.jsonl:") == 5
        assert "7 more records were not counted: --rejects FILE lists all" in done.stderr

    def test_nothing_counted_and_all_rejected_is_an_error(self, tree: Tree) -> None:
        negative = call(1).replace("1000,", "-1,")
        root = tree({"a.jsonl": f"{negative}\n{negative}\n"})

        done = cost("report", "a.jsonl", cwd=root)

        assert done.returncode == 3
        assert "no record could be counted: 2 were rejected" in done.stderr

    @pytest.mark.parametrize(
        ("words", "code", "told"),
        [
            (["report"], 4, "no usage log is named, and no known tool keeps logs here"),
            (["report", "empty"], 4, "no usage log was found in empty"),
            (["report", "nowhere"], 2, "there is no file or folder nowhere"),
            (["report", "s3://b/k"], 2, "s3://"),
            (["report", "a.jsonl", "--by", "modle"], 2, "did you mean 'model'?"),
            (["report", "a.jsonl", "--since", "soon"], 2, "--since takes a day or a time"),
            (["report", "a.jsonl", "--timezone", "Europe/Berln"], 2, "nearest: 'Europe/Berlin'"),
            (["report", "a.jsonl", "--where", "project"], 2, "--where takes KEY=VALUE"),
            (["report", "a.jsonl", "--where", "colour=red"], 2, "--where knows no colour"),
            (["report", "a.jsonl", "--source-format", "opnai-chat"], 2, "'openai-chat'?"),
            (["report", "a.jsonl", "--config", "bad.yaml"], 2, "bad.yaml:2: sorces: unknown key"),
            (["report", "a.jsonl", "--prices", "none.yaml"], 2, "none.yaml: there is no such"),
            (["budget", "a.jsonl"], 4, "no budget is set up"),
            (["whatif", "a.jsonl"], 2, "say what would be different"),
            (["whatif", "a.jsonl", "--model", "x"], 2, "--model takes OLD=NEW"),
            (["cache", "a.jsonl", "--ttl", "soon"], 2, "--ttl takes a time"),
            (["route", "a.jsonl"], 2, "--model is missing"),
            (["route", "a.jsonl", "--model", "x"], 2, "no ladder of models is set up"),
            (["explain", "nobody", "a.jsonl"], 4, "there is no call nobody in the logs"),
            (["prices", "no-such-model"], 4, "the catalogue has no model no-such-model"),
            (["reconcile", "a.jsonl", "a.jsonl", "--tolerance", "1"], 2, "--tolerance takes a"),
            (["map", "nowhere"], 2, "there is no file or folder nowhere"),
            (["map", "two"], 2, "two holds 2 logs: name one of them"),
            (["reconcile", "two", "a.jsonl"], 2, "two holds 2 logs: name one of them"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else None,
    )
    def test_what_is_wrong_is_told_with_its_exit_code(
        self, words: list[str], code: int, told: str, tree: Tree
    ) -> None:
        bad = "version: 1\nsorces: []\n"
        two = {"two/a.jsonl": call(1), "two/b.jsonl": call(2)}
        root = tree({"a.jsonl": call(1), "bad.yaml": bad} | two)
        (root / "empty").mkdir()

        done = cost(*words, cwd=root)

        assert (done.returncode, done.stdout) == (code, "")
        assert told in done.stderr
        assert "Traceback" not in done.stderr


class TestPrivacy:
    CONFIG = "version: 1\nprivacy: {users: hash, tags: redact, key: '${SDLC_PRIVACY_KEY}'}\n"

    def test_users_are_hashed_in_every_form(self, tree: Tree) -> None:
        root = tree({"a.jsonl": LOG, "cost.yaml": self.CONFIG})
        shown = [
            cost("report", "a.jsonl", "--by", "user", "-f", form, cwd=root,
                 SDLC_PRIVACY_KEY="0123456789abcdef").stdout
            for form in ("table", "json", "csv", "markdown", "html", "focus")
        ]  # fmt: skip

        assert all("user-" in text for text in shown)
        assert not any("anna" in text or "ben" in text for text in shown)
        assert json.loads(shown[1])["redacted"] == {"user": 2}

    def test_without_its_key_nothing_is_shown(self, tree: Tree) -> None:
        done = cost("report", "a.jsonl", cwd=tree({"a.jsonl": LOG, "cost.yaml": self.CONFIG}))

        assert (done.returncode, done.stdout) == (2, "")
        assert "SDLC_PRIVACY_KEY is not set" in done.stderr


class TestAnswers:
    def test_a_budget_that_is_broken_fails(self, project: Path) -> None:
        body = result("budget", "--as-of", "2026-01-31", cwd=project, code=1)

        assert [(one["name"], one["status"]) for one in body["budgets"]] == [
            ("all", "broken"),
            ("store", "warn"),
        ]
        assert body["budgets"][0]["spenders"][0] == {
            "key": "user", "name": "anna@mail.example", "cost_usd": "0.014",
        }  # fmt: skip

    def test_a_budget_is_judged_as_of_a_day(self, project: Path) -> None:
        body = result("budget", "--as-of", "2026-01-01", cwd=project)

        assert [one["spent_usd"] for one in body["budgets"]] == ["0.014", "0.014"]

    def test_logs_of_another_month_hold_no_budget(self, project: Path) -> None:
        done = cost("budget", "--as-of", "2026-05-01", "--format", "json", cwd=project)

        body = json.loads(done.stdout)
        assert (done.returncode, body["exit_code"], body["passed"]) == (4, 4, False)
        assert "no call in the logs lies in the present period" in done.stderr
        assert "--as-of DATE" in done.stderr

    def test_what_is_going_to_break_fails_when_asked(self, project: Path) -> None:
        body = result("budget", "--forecast", "--as-of", "2026-01-01", cwd=project, code=1)

        assert [one["status"] for one in body["budgets"]] == ["will_break", "will_break"]

    def test_too_few_days_are_no_forecast(self, project: Path) -> None:
        done = cost("forecast", cwd=project)

        assert done.returncode == 3
        assert "no forecast: it needs 30 days" in done.stdout

    def test_forty_days_are_one(self, tree: Tree) -> None:
        log = "\n".join(call(day, day=day) for day in range(40))

        body = result("forecast", "a.jsonl", "--days", "2", cwd=tree({"a.jsonl": log}))

        assert body["total"]["expected_usd"] == "0.007"

    def test_another_model_is_priced_for_the_same_calls(self, project: Path) -> None:
        body = result("whatif", "--model", "gpt-4o=gpt-4o-mini", cwd=project)

        # 6 calls at $0.15 and $0.60: 0.00126, and the house model's 0.0011.
        assert body["after_usd"] == "0.00236"

    def test_batch_is_half_the_price(self, tree: Tree) -> None:
        # The catalogue knows batch prices from the middle of October 2026 on.
        root = tree({"a.jsonl": call(1, day=310)})

        body = result("whatif", "a.jsonl", "--batch", cwd=root)

        assert (body["before_usd"], body["after_usd"]) == ("0.0035", "0.00175")

    def test_advice_names_its_assumption(self, project: Path) -> None:
        body = result("advise", cwd=project)

        assert body["suggestions"]
        assert all(one["assumption"] for one in body["suggestions"])

    def test_a_replay_needs_the_requests(self, tree: Tree) -> None:
        rows = "ts,input,output\n2026-01-01,10,1\n2026-01-02,10,1\n"
        columns = "columns: {ts: ts, input: input, output: output, fixed: {model: gpt-4o}}\n"
        root = tree({"a.csv": rows, "cost.yaml": "version: 1\n" + columns})

        done = cost("cache", "a.csv", cwd=root)

        assert done.returncode == 4, done.stderr
        assert "the logs do not tell what was asked" in done.stderr

    def test_the_ladder_is_followed(self, project: Path) -> None:
        words = ("route", "--project", "store", "--model", "chat", "--replay")

        body = result(*words, "--as-of", "2026-01-01", cwd=project)

        assert (body["model"], body["step"]) == ("gpt-4o-mini", "fallback")
        assert result(*words, "--as-of", "2025-12-31", cwd=project)["step"] == "primary"

    def test_a_receipt_adds_up_and_shows_no_prompt(self, tree: Tree) -> None:
        root = tree({"a.jsonl": call(1, request={"messages": [{"content": "a secret"}]})})

        done = cost("explain", "chatcmpl-1", "a.jsonl", cwd=root)
        body = result("explain", "chatcmpl-1", "a.jsonl", cwd=root)

        assert body["cost_usd"] == "0.0035"
        assert [(line["class"], line["cost_usd"]) for line in body["lines"]] == [
            ("input", "0.0025"),
            ("output", "0.001"),
        ]
        assert body["records"] == [{"path": "a.jsonl", "line": 1}]
        assert "counted from a.jsonl:1" in done.stdout
        assert "secret" not in done.stdout + json.dumps(body)

    def test_prices_tell_their_source(self, project: Path) -> None:
        (own,) = result("prices", "house-1", cwd=project)["prices"]
        (known,) = result("prices", "openai/gpt-4o", cwd=project)["prices"]

        assert own["rates"][0]["source"] == "cost.yaml:3"
        assert known["rates"][0]["usd_per_unit"]["input"] == "0.0000025"

    def test_a_map_is_drafted(self, tree: Tree) -> None:
        rows = "created_at,model_name,prompt_tokens,completion_tokens\n2026-01-01,gpt-4o,10,5\n"

        done = cost("map", "a.csv", cwd=tree({"a.csv": rows}))

        assert done.returncode == 0, done.stderr
        assert "  input: prompt_tokens\n" in done.stdout

    def test_a_bill_that_agrees_passes(self, tree: Tree) -> None:
        bill = {
            "object": "page",
            "data": [
                {
                    "object": "bucket",
                    "start_time": START,
                    "end_time": START + 86_400,
                    "results": [
                        {
                            "object": "organization.usage.completions.result",
                            "input_tokens": 4_000,
                            "output_tokens": output,
                            "num_model_requests": 4,
                            "model": "gpt-4o",
                        }
                    ],
                }
                for output in (400,)
            ],
        }
        root = tree({"logs/usage.jsonl": LOG, "bill.json": json.dumps(bill)})
        worse = json.dumps(bill).replace("4000", "4001")
        (root / "worse.json").write_text(worse)

        same = result("reconcile", "bill.json", "logs", cwd=root)
        other = result("reconcile", "worse.json", "logs", cwd=root, code=1)

        assert same["passed"]
        assert not other["passed"]
        assert result("reconcile", "worse.json", "logs", "--tolerance", "1%", cwd=root)["passed"]

    def test_a_bill_of_money_alone_is_compared_by_amounts(self) -> None:
        found = result("reconcile", "openai-costs.json", "openai-usage.json", cwd=EXAMPLES)
        searched = result(
            "reconcile", "anthropic-costs.json", "anthropic-usage.json", cwd=EXAMPLES, code=1
        )

        assert (found["log_usd"], found["bill_usd"]) == ("0.0065", "0.0065")
        assert [line["bill"]["input_tokens"] for line in found["lines"]] == [None]
        assert [line["status"] for line in searched["lines"]] == ["not-in-log", "price"]

    def test_a_bill_is_no_log(self) -> None:
        done = cost("report", "openai-costs.json", cwd=EXAMPLES)

        assert done.returncode == 3
        assert "'sdlc cost reconcile' holds logs against it" in done.stderr

    def test_sums_beside_single_calls_are_warned_of(self) -> None:
        beside = cost("report", "otel-metrics.jsonl", "otlp.jsonl", cwd=EXAMPLES)
        alone = cost("report", "otel-metrics.jsonl", cwd=EXAMPLES)

        assert "otel-metrics.jsonl (otel-metrics) holds sums of many calls" in beside.stderr
        assert "warning" not in alone.stderr


def test_help_of_the_group_lists_every_command(tmp_path: Path) -> None:
    root = tmp_path / "x"
    root.mkdir()

    shown = cost("--help", cwd=root).stdout

    for name in (
        "report", "budget", "forecast", "whatif", "advise", "cache", "reconcile", "prices",
        "route", "explain", "map", "load",
    ):  # fmt: skip
        assert f"\n  {name} " in shown


class TestWords:
    """What a stranger types, and what it must not do."""

    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (
                ["report", "logs", "--since", "2026-02-01", "--until", "2026-01-01"],
                2,
                "lies before",
            ),
            (["report", "logs", "--where", "project=nobody"], 4, "no call fits"),
            (["report", "logs", "--since", "2027-01-01", "--format", "json"], 4, "no call fits"),
            (["forecast", "logs", "--where", "project=nobody"], 4, "no call fits"),
            (["report", "logs", "--where", "tag:=x"], 2, "--where knows no tag:"),
            (["report", "logs", "--where", "tag:a=1", "--where", "tag:b=2"], 2, "takes tag once"),
            (["report", "logs", "--where", "user=a", "--where", "user=b"], 2, "takes user once"),
            (["report", "x" * 300], 2, "there is no file or folder xxx"),
            (["report", ""], 2, "there is no file or folder ''"),
            (["report", "/dev/null"], 2, "try: zcat log.gz | sdlc cost report -"),
            (["map", "x" * 300], 2, "there is no file or folder xxx"),
            (["explain", "\x1b[31m", "logs"], 4, "there is no call \\x1b[31m in the logs"),
            (["whatif", "logs", "--batch", "--where", "user=nobody"], 4, "no call fits"),
            (["advise", "logs", "--until", "2020-01-01"], 4, "no call fits"),
            (["cache", "logs", "--where", "model=none*"], 4, "no call fits"),
            (["whatif", "logs", "--model", "gpt-4o=nosuch"], 2, "no price is known for the model"),
            (["whatif", "logs", "--model", "nosuch=gpt-4o"], 0, "no call is to the model nosuch"),
            (["route", "logs", "--model", "gpt-4o"], 2, "no ladder of models is set up"),
            (["budget", "logs"], 4, "no budget is set up"),
        ],
    )
    def test_what_is_wrong_is_said(
        self, logs: Path, words: list[str], code: int, said: str
    ) -> None:
        done = cost(*words, cwd=logs)

        assert done.returncode == code, done.stderr
        assert said in done.stderr

    def test_a_file_that_no_format_fits_is_nothing_to_do(self, tree: Tree) -> None:
        root = tree({"notes.jsonl": '{"a": 1}\n{"b": 2}\n'})

        done = cost("report", "notes.jsonl", cwd=root)

        assert done.returncode == 4
        assert "no log format fits notes.jsonl" in done.stderr
        assert "sdlc cost map notes.jsonl" in done.stderr

    def test_each_file_that_was_not_read_is_named_even_among_many(self, tree: Tree) -> None:
        files = {f"logs/{n}.jsonl": call(n) for n in range(7)}
        root = tree({**files, "logs/z.jsonl": '{"a": 1}'})

        done = cost("report", "logs", "--quiet", cwd=root)

        assert done.returncode == 0
        assert "logs/z.jsonl: not read, no log format fits" in done.stderr

    def test_a_groups_cost_that_nobody_knows_is_no_zero(self, logs: Path) -> None:
        done = cost("whatif", "logs", "--model", "gpt-4o=gpt-4o-mini", "-f", "csv", cwd=logs)

        assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == ["gpt-4o", "Total"]


class TestEnds:
    """What becomes of a run that cannot go on."""

    @pytest.fixture
    def large(self, tmp_path: Path) -> Path:
        with open(tmp_path / "a.jsonl", "w") as log:
            for part in range(40):
                log.writelines(call(part * 5_000 + n, project="shop") + "\n" for n in range(5_000))
        return tmp_path

    @pytest.mark.slow
    @pytest.mark.usefixtures("unmeasured")
    @pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
    def test_a_signal_in_the_middle_ends_it_quietly(
        self, large: Path, name: str, code: int
    ) -> None:
        for wait in (0.6, 0.9, 1.2):
            run = subprocess.Popen(
                [sys.executable, "-m", "sdlc_cli", "cost", "report", "a.jsonl", "--no-cache"],
                cwd=large,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(wait)
            run.send_signal(getattr(signal, name))
            _out, told = run.communicate(timeout=60)
            # Python itself dies of a signal that comes before its first or after its last line.
            assert run.returncode in (0, code, 128 - code), told
            assert "Traceback" not in told

    @pytest.mark.slow
    @pytest.mark.usefixtures("unmeasured")
    def test_what_a_killed_run_left_is_cleaned_up_by_the_next(self, large: Path) -> None:
        place = large / "tmp"
        place.mkdir()
        words = [sys.executable, "-m", "sdlc_cli", "cost", "report", "a.jsonl", "--no-cache"]
        run = subprocess.Popen(
            words, cwd=large, env={**os.environ, "TMPDIR": str(place)}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while run.poll() is None and not list(place.glob("sdlc-cost-*/.lock")):
            time.sleep(0.01)
        run.kill()
        run.wait()
        left = list(place.iterdir())

        done = cost("report", "a.jsonl", "--no-cache", cwd=large, TMPDIR=str(place))

        assert len(left) == 1
        assert done.returncode == 0
        assert list(place.iterdir()) == []

    @pytest.mark.slow
    def test_a_full_disk_is_told(self, large: Path) -> None:
        def small_files() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

        done = subprocess.run(
            [sys.executable, "-m", "sdlc_cli", "cost", "report", "a.jsonl", "--no-cache"],
            cwd=large,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=small_files,
        )

        assert done.returncode == 3, done.stderr
        assert "more memory or temporary disk than there is" in done.stderr


@pytest.mark.parametrize("words", [("--by", "day"), ("--by", "hour"), ("-f", "focus")], ids=str)
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_the_first_and_the_last_time_that_count_have_a_day_in_each_zone(
    tree: Tree, words: tuple[str, str], zone: str
) -> None:
    last = "2286-11-20T17:46:39Z"
    first, late = (call(1, ts="1970-01-01T00:00:00Z"), call(2, ts="2286-11-20T17:46:40Z"))
    root = tree({"a.jsonl": f"{first}\n{call(3, ts=last)}\n{late}\n"})

    done = cost("report", "a.jsonl", "--timezone", zone, *words, cwd=root)

    assert done.returncode == 0, done.stderr
    assert "warning: a.jsonl:3: not counted: ts is not a time" in done.stderr
