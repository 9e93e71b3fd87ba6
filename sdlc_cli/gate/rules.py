"""What each rule looks for, why it matters, and how to mend it: `sdlc gate explain RULE`."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import msg
from sdlc_cli.core.nearest import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `url` leads to more where somebody else keeps the rule."""

    id: str
    gate: str
    title: str
    why: str = ""
    fix: str = ""
    url: str = ""


# Rules of ours. bandit keeps its own texts; the ids of advisories come with their reports.
OURS = {
    rule.id: rule
    for rule in (
        Rule(
            id="syntax-error",
            gate="syntax",
            title=msg("the file does not compile or parse"),
            why=msg("A module that does not compile fails at import, at the latest in production."),
            fix=msg("Mend the line that is named. Python files are compiled by each declared"
                    " version, so newer syntax fails on an older interpreter."),
        ),
        Rule(
            id="encoding-error",
            gate="syntax",
            title=msg("the file's bytes do not fit its encoding"),
            why=msg("Python reads a source file as UTF-8 unless its first lines say otherwise."),
            fix=msg("Save the file as UTF-8, or name its encoding in a coding line (PEP 263)."),
        ),
        Rule(
            id="version-not-judged",
            gate="syntax",
            title=msg("no interpreter here can judge a version that the project declares"),
            why=msg("Code that was not compiled by a version is not known to run on it."),
            fix=msg("Install that Python, or run this gate in CI where it is installed."),
        ),
        Rule(
            id="complexity",
            gate="maintainability",
            title=msg("a function has too many paths through it"),
            why=msg("Each branch doubles what a reader has to keep in mind and a test has to"
                    " reach. Cyclomatic complexity (McCabe 1976) counts the independent paths."),
            fix=msg("Split the function by what it decides, return early, or replace a chain of"
                    " conditions by a table. `max_complexity` in gates.yaml moves the limit."),
            url="https://radon.readthedocs.io/en/latest/intro.html",
        ),
        Rule(
            id="test-failed",
            gate="integration",
            title=msg("a test failed"),
            why=msg("The project's own tests say that the code does not do what it should."),
            fix=msg("Run that test alone and mend the code, or the test if it is wrong."),
        ),
        Rule(
            id="test-error",
            gate="integration",
            title=msg("a test could not run to its end"),
            why=msg("An error outside the test's own assertions: an import, a fixture, a crash."),
            fix=msg("Run that test alone; the first lines of the error say where it broke."),
        ),
        Rule(
            id="uncovered",
            gate="coverage",
            title=msg("lines that no test runs"),
            why=msg("Nobody knows whether these lines work."),
            fix=msg("Write a test that reaches them, or delete them."),
        ),
        Rule(
            id="not-in-report",
            gate="coverage",
            title=msg("code that the coverage report does not mention"),
            why=msg("A file that was never imported is not measured, so its lines are missing"
                    " from the percentage."),
            fix=msg("Measure whole packages: coverage run --source PACKAGE."),
        ),
        Rule(
            id="stale-report",
            gate="coverage, performance",
            title=msg("the report does not fit the code as it is now"),
            why=msg("It is older than the code, or old, or speaks of lines that are not there: its"
                    " figures describe another state of the files."),
            fix=msg("Make the report again before this gate: run the tests with coverage, or the"
                    " benchmarks."),
        ),
        Rule(
            id="over-budget",
            gate="performance",
            title=msg("a benchmark is over its budget"),
            why=msg("It took more time or memory, or kept more objects, than gates.yaml allows."),
            fix=msg("Profile the benchmark and mend what grew; raise the budget only on purpose."),
        ),
        Rule(
            id="slower",
            gate="performance",
            title=msg("a benchmark is slower than in the commit that the change is based on"),
            why=msg("Both were run by turns until the interval of their ratio lay above the"
                    " limit, so that noise explains it in 1 of 200 comparisons at most."),
            fix=msg("Look at the functions that the finding names; `tolerance` in gates.yaml says"
                    " how much slower a benchmark may become."),
        ),
        Rule(
            id="over-limit",
            gate="load",
            title=msg("the service under load is over one of its limits"),
            why=msg("Its users wait longer, or get more errors, than gates.yaml allows; or it came"
                    " back too slowly after it was disturbed."),
            fix=msg("See which phase it was: one over the limit only in bursts lacks workers or"
                    " connections, one over it at the constant rate is slow. Raise the limit only"
                    " on purpose."),
        ),
        Rule(
            id="missing-docstring",
            gate="docs",
            title=msg("something public has no docstring"),
            why=msg("Callers cannot guess units, errors raised and what is never done."),
            fix=msg("Say in one sentence what it is for, or make the name private."),
        ),
        Rule(
            id="dead-link",
            gate="docs",
            title=msg("a link leads to a file that is not there"),
            fix=msg("Correct the path, or remove the link."),
        ),
        Rule(
            id="dead-anchor",
            gate="docs",
            title=msg("a link leads to a heading that is not there"),
            fix=msg("Correct the part after the #, which is the heading in lower case with"
                    " hyphens."),
        ),
        Rule(
            id="old-report",
            gate="dependencies",
            title=msg("the report on the dependencies is old"),
            why=msg("A vulnerability that was published since is not in it."),
            fix=msg("Run the audit again. `max_age` in gates.yaml says how old it may be."),
        ),
        Rule(
            id="not-audited",
            gate="dependencies",
            title=msg("a package could not be audited"),
            why=msg("The auditor found no record of it, so nothing is known about it."),
            fix=msg("Audit it by hand, or install it from where the auditor finds it."),
        ),
        Rule(
            id="exit-code",
            gate="command",
            title=msg("the program of a command gate ended with a code other than 0"),
            why=msg("The gate reads nothing else: 0 is a pass."),
            fix=msg("Run the command by hand; its last words are in the finding."),
        ),
        Rule(
            id="unused-allow",
            gate="secrets",
            title=msg("an entry of the allow-list matches nothing"),
            why=msg("It may hide a real secret one day."),
            fix=msg("Remove the entry from gates.yaml."),
        ),
        Rule(
            id="suppression-without-reason",
            gate="security, secrets",
            title=msg("a comment silences findings and does not say which or why"),
            why=msg("A bare `# nosec` silences every rule on its line, also those that come later,"
                    " and nobody after you can tell whether it was right."),
            fix=msg("Name the rule and the reason: `# nosec B603 - the arguments are fixed`, or"
                    " `sdlc: allow-secret REASON`. `suppressions` in gates.yaml asks for it."),
        ),
        Rule(
            id="suppression-unused",
            gate="security, secrets",
            title=msg("a comment silences a finding that is not there"),
            why=msg("The code changed, and the comment would hide the next finding on its line."),
            fix=msg("Remove the comment, or the rule ids in it that silence nothing."),
        ),
        Rule(
            id="baseline-unused",
            gate="any",
            title=msg("an entry of the baseline accepts more than there is"),
            why=msg("It would hide the next finding alike."),
            fix=msg("Run `sdlc gate baseline --tighten` and commit what it changes."),
        ),
        Rule(
            id="baseline-expired",
            gate="any",
            title=msg("an entry of the baseline is past its last day"),
            why=msg("The finding was accepted until then; now it counts again."),
            fix=msg("Mend the finding, or write a new `expires` into the entry, with a reason."),
        ),
    )
}  # fmt: skip


def find(rule_id: str) -> Rule:
    """The rule with this id. Raises UsageError, with the nearest id, for an unknown one."""
    tables: tuple[Callable[[], dict[str, Rule]], ...] = (lambda: OURS, of_secrets, _bandit)
    for table in tables:
        known = table()
        folded = {name.casefold(): rule for name, rule in known.items()}
        if rule_id.casefold() in folded:
            return folded[rule_id.casefold()]
    close = nearest(rule_id, [*OURS, *of_secrets(), *_bandit()])
    raise UsageError(
        msg("no rule is called '{rule}'", rule=rule_id),
        hint=f"sdlc gate explain {close}"
        if close
        else msg("sdlc gate explain RULE, with a rule that a finding of `sdlc gate run` shows"),
    )


def of_secrets() -> dict[str, Rule]:
    """The rules of the gate secrets, by id."""
    from sdlc_cli.gate.engines import secrets

    return {
        rule_id: Rule(
            id=rule_id,
            gate="secrets",
            title=title,
            why=msg("What lies in a repository is known to everyone who ever cloned it, also"
                    " after it was deleted."),
            fix=msg("Revoke the key where it was issued, then read the new one from the"
                    " environment or a secret store. What is no secret goes into `allow` in"
                    " gates.yaml, with its reason."),
        )
        for rule_id, title in secrets.rule_texts().items()
    }  # fmt: skip


def _bandit() -> dict[str, Rule]:
    import warnings

    with warnings.catch_warnings():  # as in analysis.bandit_setup
        warnings.simplefilter("ignore")
        from bandit.core import docs_utils, extension_loader

    manager = extension_loader.MANAGER
    rules: dict[str, Rule] = {}
    for rule_id, plugin in manager.plugins_by_id.items():
        text = inspect.cleandoc(plugin.plugin.__doc__ or "")
        title, _blank, rest = text.partition("\n")
        why = rest.split(":Example:")[0].split(".. seealso")[0].strip()
        rules[rule_id] = _of_bandit(rule_id, title.strip("* "), why, docs_utils.get_url(rule_id))
    for rule_id, entry in manager.blacklist_by_id.items():
        url = docs_utils.get_url(rule_id)
        rules[rule_id] = _of_bandit(rule_id, entry["name"], entry["message"], url)
    return rules


def _of_bandit(rule_id: str, title: str, why: str, url: str) -> Rule:
    return Rule(
        id=rule_id,
        gate="security",
        title=title.removeprefix(f"{rule_id}:").strip(),
        why=why,
        fix=msg("The page below shows safe code. Where the code is safe as it is, say why in a"
                " comment: # nosec {rule}", rule=rule_id),
        url=url,
    )  # fmt: skip
