"""Rules of cost.yaml: which call is whose."""

import pytest

from sdlc_cli.core.config import read
from sdlc_cli.cost.attribute import Attribution, Facts, Owner
from sdlc_cli.cost.config import CostFile

RULES = """\
version: 1
attribute:
  - {match: {key: "svc-*", tag: {env: prod}}, project: shop, team: web}
  - {match: {path: "*/chat/*"}, project: chat}
  - {match: {user: "*@ops.example"}, team: ops}
  - {match: {model: "gpt-4o*", project: lab}, project: research}
  - {match: {tag: {squad: "*"}}, team: squads}
"""


@pytest.fixture(scope="module")
def rules() -> Attribution:
    return Attribution(read(RULES, "cost.yaml", CostFile).attribute)


@pytest.mark.parametrize(
    ("facts", "owner"),
    [
        pytest.param(Facts(key="svc-1", tags='{"env":"prod"}'), ("shop", "web"), id="all fit"),
        pytest.param(Facts(key="svc-1", tags='{"env":"test"}'), ("", ""), id="one does not"),
        pytest.param(Facts(key="svc-1"), ("", ""), id="the tag is missing"),
        pytest.param(Facts(key="xsvc-1", tags='{"env":"prod"}'), ("", ""), id="not in the middle"),
        pytest.param(Facts(path="/home/me/chat/src"), ("chat", ""), id="across slashes"),
        pytest.param(Facts(path=r"C:\work\chat\src"), ("chat", ""), id="backslashes"),
        pytest.param(
            Facts(path="/a/chat/b", user="x@ops.example"), ("chat", ""), id="the first rule wins"
        ),
        pytest.param(
            Facts(user="x@ops.example", project="logged"), ("logged", "ops"), id="keeps the project"
        ),
        pytest.param(Facts(model="gpt-4o-mini", project="lab"), ("research", ""), id="renames"),
        pytest.param(Facts(model="GPT-4O", project="lab"), ("lab", ""), id="case counts"),
        pytest.param(Facts(tags='{"squad":""}'), ("", "squads"), id="an empty tag is a tag"),
        pytest.param(Facts(key="line\nbreak", project="p"), ("p", ""), id="no rule"),
    ],
)
def test_the_first_rule_that_fits_decides(
    facts: Facts, owner: tuple[str, str], rules: Attribution
) -> None:
    assert rules.owner(facts) == Owner(*owner)


def test_without_rules_the_log_decides() -> None:
    nothing = Attribution(())

    assert not nothing
    assert nothing.owner(Facts(project="p", tags="no JSON")) == Owner("p", "")
