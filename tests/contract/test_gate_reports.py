"""What holds for every format of `sdlc gate`, over every report."""

import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import cast

import pytest

from sdlc_cli.core import i18n
from sdlc_cli.core.view import View
from sdlc_cli.gate.model import GateReport
from sdlc_cli.gate.report import FORMATS, load

Builders = dict[str, Callable[[], GateReport]]


def _builders() -> Builders:
    """The reports of tests/gate/report, which own them."""
    path = Path(__file__).parents[1] / "gate" / "report" / "conftest.py"
    spec = spec_from_file_location("gate_reports", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast(Builders, module.REPORTS)


BUILDERS = _builders()
every = pytest.mark.parametrize("name", FORMATS)
all_reports = pytest.mark.parametrize("report", BUILDERS)


@every
@all_reports
def test_the_same_report_twice_gives_the_same_bytes(name: str, report: str) -> None:
    first = load(name).render(BUILDERS[report]())

    assert first.encode("utf-8") == load(name).render(BUILDERS[report]()).encode("utf-8")


@every
@all_reports
def test_output_ends_with_one_newline_unless_empty(name: str, report: str) -> None:
    text = load(name).render(BUILDERS[report]())

    assert text == "" or (text.endswith("\n") and not text.endswith("\n\n"))


@every
def test_nothing_hostile_reaches_the_output_raw(name: str) -> None:
    text = load(name).render(BUILDERS["hostile"]())

    assert not [c for c in text if ord(c) < 32 and c != "\n"]
    assert "\x1b" not in text
    assert not any(0xD800 <= ord(c) <= 0xDFFF for c in text)


@every
def test_a_crashed_gate_shows(name: str) -> None:
    assert "pytest ended with code 4" in load(name).render(BUILDERS["realistic"]())


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"github", "gitlab"}))
def test_a_run_of_only_skipped_gates_never_reads_as_passed(name: str) -> None:
    text = load(name).render(BUILDERS["only_skipped"]())

    assert "skipped" in text
    assert "not set up in gates.yaml" in text


@pytest.mark.parametrize("name", ["json", "sarif", "junit", "gitlab"])
def test_machine_formats_are_never_translated(name: str) -> None:
    english = load(name).render(BUILDERS["realistic"]())
    i18n.use(i18n.PSEUDO)
    try:
        assert load(name).render(BUILDERS["realistic"]()) == english
    finally:
        i18n.use("en")


@pytest.mark.parametrize("name", ["text", "markdown", "html"])
def test_formats_for_people_are_translated(name: str) -> None:
    english = load(name).render(BUILDERS["realistic"]())
    i18n.use(i18n.PSEUDO)
    try:
        other = load(name).render(BUILDERS["realistic"](), View(width=200))
    finally:
        i18n.use("en")

    assert "an AWS access key stands in the code" in english
    assert "åñ AWS access key šţåñðš" in other
    assert "subprocess call with shell=True" in other  # bandit's own words
    assert "maintainability" in other  # the name of a gate


@pytest.mark.parametrize("module", ["rich", "jinja2"])
def test_asking_for_json_loads_nothing_heavy(module: str) -> None:
    code = (
        "import sys; from sdlc_cli.gate.report import load; load('json'); load('sarif'); "
        f"load('junit'); load('markdown'); print({module!r} in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "False\n"
