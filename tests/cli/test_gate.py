"""`sdlc gate` as a user and a CI file meet it: real app, real gates, small repositories."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tree = Callable[..., Path]
Done = subprocess.CompletedProcess[str]

CLEAN = {"app.py": '"""An app."""\n\n\ndef double(n: int) -> int:\n    return 2 * n\n'}
# Built here, so that no scanner takes this file for a leak.
FAKE_KEY = "AKIA" + "Q7RT5KX2WP3M6ZVB"


def sdlc(*words: str | Path, cwd: Path, **environ: str) -> Done:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SDLC_", "LC_", "GITHUB"))}
    return subprocess.run(
        [sys.executable, "-m", "sdlc_cli", *map(str, words)],
        cwd=cwd,
        env=clean
        | {"LANG": "C.UTF-8", "COLUMNS": "80", "SDLC_CACHE_DIR": str(cwd.parent / "cache")}
        | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def result(*words: str | Path, cwd: Path) -> dict[str, Any]:
    done = sdlc("gate", "run", *words, "--format", "json", cwd=cwd)
    body = json.loads(done.stdout)
    assert isinstance(body, dict)
    assert body["exit_code"] == done.returncode
    return body


class TestVerdict:
    def test_a_clean_repository_passes(self, tree: Tree) -> None:
        body = result(cwd=tree(CLEAN, git=True))

        assert body["passed"]
        assert body["score"] == 100
        assert {g["name"]: g["status"] for g in body["gates"]} == {
            "syntax": "passed",
            "security": "passed",
            "secrets": "passed",
            "maintainability": "passed",
            "coverage": "skipped",
        }
        assert body["files"] == 1

    @pytest.mark.parametrize(
        ("name", "text", "gate"),
        [
            ("bad.py", "def f(:\n", "syntax"),
            ("config.py", f'KEY = "{FAKE_KEY}"\n', "secrets"),
        ],
    )
    def test_a_critical_finding_fails_the_run(
        self, tree: Tree, name: str, text: str, gate: str
    ) -> None:
        body = result(cwd=tree(CLEAN | {name: text}))

        (failed,) = [g for g in body["gates"] if g["status"] == "failed"]
        assert (body["exit_code"], failed["name"]) == (1, gate)
        assert failed["findings"][0]["path"] == name

    def test_a_higher_generation_asks_for_more(self, tree: Tree) -> None:
        root = tree(CLEAN)

        assert result(cwd=root)["exit_code"] == 0
        body = result("--generation", "2", cwd=root)

        assert body["exit_code"] == 1
        assert any("coverage is required" in reason for reason in body["reasons"])

    def test_warnings_that_are_errors_do_no_harm(self, tree: Tree) -> None:
        done = sdlc("gate", "security", cwd=tree(CLEAN), PYTHONWARNINGS="error")

        assert (done.returncode, done.stderr) == (0, "")

    def test_one_gate_alone_can_be_required(self, tree: Tree) -> None:
        done = sdlc("gate", "security", "--require", "security", cwd=tree({"a.txt": "x\n"}))

        assert done.returncode == 3

    def test_require_makes_a_skip_an_error(self, tree: Tree) -> None:
        assert result("--require", "coverage", cwd=tree(CLEAN))["exit_code"] == 3

    def test_nothing_but_skips_is_nothing_to_judge(self, tree: Tree) -> None:
        done = sdlc("gate", "integration", cwd=tree(CLEAN))

        assert done.returncode == 4
        assert "without gates.yaml" in " ".join(done.stdout.split())

    def test_an_empty_folder_is_nothing_to_judge(self, tree: Tree) -> None:
        done = sdlc("gate", "run", cwd=tree({}))

        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith("sdlc: no file to judge under ")

    def test_empty_files_are_nothing_to_judge(self, tree: Tree) -> None:
        done = sdlc("gate", "run", cwd=tree({"a.py": "", "b/__init__.py": ""}))

        assert (done.returncode, done.stdout) == (4, "")
        assert "are empty" in done.stderr

    def test_a_gate_that_is_not_set_up_runs_when_it_is_asked_for(self, tree: Tree) -> None:
        body = result("--only", "docs", cwd=tree(CLEAN))

        assert [(g["name"], g["status"]) for g in body["gates"]] == [("docs", "passed")]

    def test_an_unknown_gate_is_refused_with_the_nearest(self, tree: Tree) -> None:
        done = sdlc("gate", "run", "--only", "secuirty", cwd=tree(CLEAN))

        assert (done.returncode, done.stdout) == (2, "")
        assert "security" in done.stderr

    def test_paths_are_relative_to_the_repository_from_any_folder(self, tree: Tree) -> None:
        root = tree(CLEAN | {"pkg/bad.py": "def f(:\n"}, git=True)

        body = result(cwd=root / "pkg")

        (syntax,) = [g for g in body["gates"] if g["name"] == "syntax"]
        assert [f["path"] for f in syntax["findings"]] == ["pkg/bad.py"]

    def test_one_file_can_be_judged(self, tree: Tree) -> None:
        root = tree(CLEAN | {"bad.py": "def f(:\n"})

        assert result("app.py", cwd=root)["files"] == 1


class TestOutput:
    def test_several_reports_at_once(self, tree: Tree) -> None:
        root = tree(CLEAN)
        done = sdlc(
            *("gate", "run", "--report", "sarif=out/gate.sarif", "--report", "html=gate.html"),
            *("--report", "junit=gate.xml", "--quiet"),
            cwd=root,
        )

        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Passed: score 100.0")
        assert json.loads((root / "out/gate.sarif").read_text())["version"] == "2.1.0"
        assert (root / "gate.html").read_text().startswith("<!doctype html>")
        assert (root / "gate.xml").read_text().startswith("<?xml")

    def test_json_on_stdout_is_nothing_but_json(self, tree: Tree) -> None:
        command = "gates: {syntax: , tests: {kind: command, command: 'true'}}"
        root = tree(CLEAN | {"gates.yaml": f"version: 1\n{command}\nrequired: {{1: [syntax]}}\n"})

        done = sdlc("gate", "run", "--format", "json", cwd=root)

        assert json.loads(done.stdout)["passed"]
        assert "gates.yaml runs commands of this repository" in done.stderr
        assert sdlc("gate", "run", "--format", "json", cwd=root).stderr == "", "said once"

    def test_machine_formats_are_utf8_on_a_latin_terminal(self, tree: Tree) -> None:
        root = tree({"größe_名.py": "def f(:\n"})

        done = subprocess.run(
            [sys.executable, "-m", "sdlc_cli", "gate", "syntax", "--format", "json"],
            cwd=root,
            env=os.environ | {"PYTHONIOENCODING": "latin-1"},
            capture_output=True,
            check=False,
        )

        assert "größe_名.py" in json.loads(done.stdout.decode())["gates"][0]["findings"][0]["path"]

    def test_github_gets_a_step_summary(self, tree: Tree) -> None:
        root = tree(CLEAN | {"bad.py": "def f(:\n"})
        summary = root.parent / "summary.md"

        done = sdlc(
            *("gate", "run", "--format", "github"), cwd=root, GITHUB_STEP_SUMMARY=str(summary)
        )

        assert done.stdout.startswith("::error file=bad.py,line=1")
        assert "syntax" in summary.read_text()

    @pytest.mark.parametrize("word", ["sarif", "sarif=", "sarfi=x", "text=-"])
    def test_a_wrong_report_is_refused(self, tree: Tree, word: str) -> None:
        done = sdlc("gate", "run", "--report", word, cwd=tree(CLEAN))

        assert (done.returncode, done.stdout) == (2, "")

    @pytest.mark.parametrize(
        "words",
        [
            ("--report", "json=a", "--report", "sarif=./a"),
            ("--report", "json=a", "--output", "b/../a"),
        ],
    )
    def test_two_results_in_one_file_are_refused(self, tree: Tree, words: tuple[str, ...]) -> None:
        root = tree(CLEAN)
        done = sdlc("gate", "run", *words, cwd=root)

        assert (done.returncode, done.stdout) == (2, "")
        assert not (root / "a").exists()

    @pytest.mark.parametrize("command", ["run", "syntax", "baseline"])
    def test_an_empty_path_is_refused(self, tree: Tree, command: str) -> None:
        done = sdlc("gate", command, "", cwd=tree(CLEAN))

        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("sdlc: PATH is empty")

    def test_a_report_that_cannot_be_written_is_said(self, tree: Tree) -> None:
        done = sdlc("gate", "run", "--output", "app.py/x", cwd=tree(CLEAN))

        assert done.returncode == 3
        assert done.stderr.startswith("sdlc: ")
        assert "Traceback" not in done.stderr

    def test_the_secret_itself_is_in_no_format(self, tree: Tree) -> None:
        word, others = "hunter" + "42horse", ("staple" + "17cow", "it's\\n" + "31pigs")
        text = f'KEY = "{FAKE_KEY}"\npassword = "{word}"\nlogin(password="{others[0]}")\n'
        text += f'\n\ndef f(password="{others[1]}"):\n    return password\n'
        root = tree({"config.py": text})
        formats = ("text", "json", "sarif", "junit", "github", "gitlab", "markdown", "html")
        reports = [w for name in formats for w in ("--report", f"{name}=../{name}.out")]

        sdlc("gate", "run", *reports, "--verbose", cwd=root)

        for name in formats:
            shown = (root.parent / f"{name}.out").read_text()
            assert "B105" in shown, name
            for secret in (FAKE_KEY[4:12], word[4:], others[0][4:], others[1][6:]):
                assert secret not in shown, name


class TestConfiguration:
    @pytest.mark.parametrize(
        ("text", "line", "words"),
        [
            pytest.param("gates:\n  secuirty:\n", 3, "nearest: 'security'", id="unknown gate"),
            pytest.param("gates:\n  syntax: {weight: -1}\n", 3, "weight", id="negative weight"),
            pytest.param("gates:\n  syntax: {weight: .nan}\n", 3, "weight", id="NaN weight"),
            pytest.param("gates:\n  syntax: {weight: 0}\n", 2, "weight", id="all weights 0"),
            pytest.param("generations: {1: {score: 101}}\n", 2, "score", id="threshold 101"),
            pytest.param("generation: 1\ngeneration: 2\n", 3, "generation", id="duplicate key"),
            pytest.param("generatoin: 2\n", 2, "nearest: 'generation'", id="near miss"),
            pytest.param("gates:\n\tsyntax:\n", 3, "tab", id="tab"),
            pytest.param(
                "paths: &a [x,x,x,x,x,x,x,x,x]\n"
                + "".join(f"k{n}: &{c} [{', '.join(['*' + p] * 9)}]\n"
                          for n, (p, c) in enumerate(zip("abcdefgh", "bcdefghi", strict=True))),
                2,
                "gates.yaml:",
                id="exploding anchors",
            ),
        ],
    )  # fmt: skip
    def test_a_mistake_is_told_with_its_line(
        self, tree: Tree, text: str, line: int, words: str
    ) -> None:
        root = tree(CLEAN | {"gates.yaml": "version: 1\n" + text})

        done = sdlc("gate", "run", cwd=root)

        assert (done.returncode, done.stdout) == (2, "")
        assert f"gates.yaml:{line}:" in done.stderr or "exploding" in text or "&a" in text
        assert words in done.stderr
        assert "Traceback" not in done.stderr

    def test_all_mistakes_are_told_at_once(self, tree: Tree) -> None:
        text = "version: 2\ngenerashun: 1\ngates:\n  syntax: {weight: x}\n"
        done = sdlc("gate", "run", cwd=tree(CLEAN | {"gates.yaml": text}))

        assert [n for n in (1, 2, 4) if f"gates.yaml:{n}:" in done.stderr] == [1, 2, 4]

    def test_gates_yaml_is_found_upward_to_the_repository_root(self, tree: Tree) -> None:
        only = "version: 1\ngates: {syntax: }\nrequired: {1: [syntax]}\n"
        root = tree(CLEAN | {"pkg/mod.py": "x = 1\n", "gates.yaml": only}, git=True)

        body = result(cwd=root / "pkg")

        assert [g["name"] for g in body["gates"]] == ["syntax"]
        assert body["files"] == 1


class TestExplain:
    def test_the_fixes_that_would_pass_are_named(self, tree: Tree) -> None:
        root = tree(CLEAN | {"bad.py": "def f(:\n"})

        done = sdlc("gate", "explain", "--format", "json", cwd=root)
        body = json.loads(done.stdout)

        assert done.returncode == 1
        assert [(fix["path"], fix["rule"]) for fix in body["fixes"]] == [("bad.py", "syntax-error")]
        assert body["would_pass"]

    def test_the_fixes_pass_when_they_are_made(self, tree: Tree) -> None:
        flaws = "import subprocess\n" + "".join(
            f"subprocess.call(cmd{n}, shell=True)\n" for n in range(6)
        )
        root = tree(CLEAN | {"flaws.py": flaws})
        config = root / "gates.yaml"
        config.write_text("version: 1\ngates: {security: }\nrequired: {1: [security]}\n")

        fixes = json.loads(sdlc("gate", "explain", "--format", "json", cwd=root).stdout)["fixes"]
        lines = flaws.splitlines()
        for fix in fixes:
            lines[fix["line"] - 1] = "pass"
        (root / "flaws.py").write_text("\n".join(lines))

        assert 0 < len(fixes) < 7, "the import of subprocess may stay"
        assert result(cwd=root)["passed"]

    @pytest.mark.parametrize("rule", ["B602", "b301", "complexity", "syntax-error"])
    def test_a_rule_is_explained(self, tree: Tree, rule: str) -> None:
        done = sdlc("gate", "explain", rule, cwd=tree({}))

        assert done.returncode == 0
        assert done.stdout.casefold().startswith(rule.casefold() + ": ")

    def test_an_unknown_rule_is_refused_with_the_nearest(self, tree: Tree) -> None:
        done = sdlc("gate", "explain", "complexty", cwd=tree({}))

        assert done.returncode == 2
        assert "sdlc gate explain complexity" in done.stderr


class TestChange:
    def test_only_what_changed_is_judged(self, tree: Tree) -> None:
        flaw = "import subprocess\nsubprocess.call(input(), shell=True)\n"
        root = tree(CLEAN | {"old.py": flaw}, git=True)
        (root / "new.py").write_text(flaw)

        body = result("--changed-since", "HEAD", cwd=root)

        found = {f["path"] for gate in body["gates"] for f in gate["findings"]}
        assert found == {"new.py"}

    def test_without_a_change_the_run_passes_and_says_so(self, tree: Tree) -> None:
        done = sdlc("gate", "run", "--changed-since", "HEAD", cwd=tree(CLEAN, git=True))

        assert done.returncode == 0
        assert "no changes" in done.stdout

    def test_a_revision_that_is_not_there_is_refused(self, tree: Tree) -> None:
        done = sdlc("gate", "run", "--changed-since", "v9", cwd=tree(CLEAN, git=True))

        assert (done.returncode, done.stdout) == (2, "")
        assert "v9" in done.stderr


class TestBaseline:
    FLAW = "import subprocess\nsubprocess.call(input(), shell=True)\n"

    def test_accepted_findings_pass_and_a_second_one_alike_does_not(self, tree: Tree) -> None:
        config = "version: 1\ngates: {security: {fail_on: high}}\nrequired: {1: [security]}\n"
        root = tree(CLEAN | {"old.py": self.FLAW, "gates.yaml": config}, git=True)
        assert result(cwd=root)["exit_code"] == 1

        done = sdlc("gate", "baseline", "--reason", "old code", cwd=root)

        assert done.returncode == 0
        assert "added" in done.stdout
        assert list((root / ".sdlc/baseline").rglob("*.yaml"))
        assert result(cwd=root)["exit_code"] == 0
        (root / "new.py").write_text(self.FLAW)
        assert result(cwd=root)["exit_code"] == 1

    def test_tighten_takes_away_what_was_mended(self, tree: Tree) -> None:
        root = tree(CLEAN | {"old.py": self.FLAW}, git=True)
        sdlc("gate", "baseline", cwd=root)
        (root / "old.py").write_text("x = 1\n")

        done = sdlc("gate", "baseline", "--tighten", cwd=root)

        assert "0 added" in done.stdout
        assert not [
            f for f in (root / ".sdlc/baseline/security").glob("*") if "B6" in f.read_text()
        ]


class TestShards:
    def test_merged_shards_give_the_verdict_of_one_run(self, tree: Tree) -> None:
        flaws = {f"m{n}.py": f"import pickle\nx{n} = pickle.loads(b'')\n" for n in range(9)}
        root = tree(CLEAN | flaws, git=True)
        parts = [f"../part{k}.json" for k in (1, 2, 3)]
        for k, part in enumerate(parts, 1):
            done = sdlc(
                *("gate", "run", "--shard", f"{k}/3", "--format", "json", "-o", part), cwd=root
            )
            assert done.returncode == 0, done.stderr

        merged = json.loads(sdlc("gate", "merge", *parts, "--format", "json", cwd=root).stdout)
        whole = result(cwd=root)

        for body in (merged, whole):
            for gate in body["gates"]:
                del gate["duration_s"]
        assert merged == whole

    @pytest.mark.parametrize("git", [True, False], ids=["git", "no git"])
    def test_reports_inside_the_checkout_are_not_judged(self, tree: Tree, git: bool) -> None:
        root = tree(CLEAN, git=git)
        whole = result(cwd=root)
        parts = [f"shard-{k}.json" for k in (1, 2, 3)]
        for k, part in enumerate(parts, 1):
            words = ("--shard", f"{k}/3", "--report", f"json={part}")
            assert sdlc("gate", "run", *words, cwd=root).returncode == 0

        sdlc("gate", "merge", *parts, "--report", "json=merged.json", cwd=root)
        again = sdlc("gate", "merge", *parts, "--report", "json=merged.json", cwd=root)
        merged = json.loads((root / "merged.json").read_text())

        assert again.returncode == 0, again.stderr
        for body in (merged, whole):
            for gate in body["gates"]:
                del gate["duration_s"]
        assert merged == whole

    def test_a_missing_shard_is_refused(self, tree: Tree) -> None:
        root = tree(CLEAN, git=True)
        sdlc("gate", "run", "--shard", "1/2", "--format", "json", "-o", "../p.json", cwd=root)

        done = sdlc("gate", "merge", "../p.json", cwd=root)

        assert (done.returncode, done.stdout) == (2, "")

    def test_a_shard_without_a_report_to_merge_is_refused(self, tree: Tree) -> None:
        assert sdlc("gate", "run", "--shard", "1/2", cwd=tree(CLEAN)).returncode == 2


def test_the_files_that_a_run_writes_are_not_judged_by_the_next_one(tree: Tree) -> None:
    root = tree(CLEAN, git=True)
    words = ("--report", "html=out/report.html", "--output", "result.json")

    first, second = (
        [sdlc("gate", "run", *words, "--format", "json", cwd=root).returncode,
         json.loads((root / "result.json").read_text())["files"]]
        for _ in range(2)
    )  # fmt: skip

    assert first == second == [0, len(CLEAN)]


def test_past_commits_are_judged_by_todays_gates(tree: Tree) -> None:
    done = sdlc("gate", "simulate", "--format", "json", cwd=tree(CLEAN, git=True))
    body = json.loads(done.stdout)

    assert done.returncode == 0
    assert len(body["commits"]) == 1
    assert body["commits"][0]["passed"]


def test_tune_without_variants_says_what_to_write(tree: Tree) -> None:
    done = sdlc("gate", "tune", cwd=tree(CLEAN))

    assert (done.returncode, done.stdout) == (2, "")
    assert "tune" in done.stderr


def test_the_drill_tells_what_the_gates_catch(tree: Tree) -> None:
    done = sdlc("gate", "drill", "--format", "json", cwd=tree(CLEAN, git=True))
    body = json.loads(done.stdout)

    results = {defect["name"]: defect["result"] for defect in body["defects"]}
    assert results["fake-key"] == "caught"
    assert results["syntax-error"] == "caught"
    assert len(results) == 8
