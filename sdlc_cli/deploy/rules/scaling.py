"""Rules on how many replicas there are, and how many may be missing."""

from collections.abc import Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules import values
from sdlc_cli.deploy.rules.objects import Object
from sdlc_cli.deploy.rules.parsed import Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.subjects import At, each

LEAST_IN_PRODUCTION = 3
_HPA = "HorizontalPodAutoscaler"
_PDB = "PodDisruptionBudget"


@each(_HPA)
def _bounds(one: Object) -> Iterator[At]:
    least = values.number(one.root, "spec", "minReplicas") or 1
    most = values.number(one.root, "spec", "maxReplicas")
    if most is None or least > most:
        yield one.line("spec", "minReplicas"), f"{least} > {most or 0}"


@each(_HPA)
def _old(one: Object) -> Iterator[At]:
    if one.api == "autoscaling/v1":
        yield one.line("apiVersion"), one.api


@each(_HPA)
def _behavior(one: Object) -> Iterator[At]:
    if one.api != "autoscaling/v1" and not values.section(one.root, "spec", "behavior"):
        yield one.line("spec", "behavior"), ""


def _few(parsed: Parsed) -> Iterator[Hit]:
    """Production keeps serving while one replica is drained and another fails."""
    for hpa in parsed.objects.of(_HPA):
        least = values.number(hpa.root, "spec", "minReplicas") or 1
        if hpa.production and least < LEAST_IN_PRODUCTION:
            yield Hit(hpa.path, hpa.line("spec", "minReplicas"), hpa.subject, str(least))
    for one in parsed.objects.of("Deployment", "StatefulSet"):
        if one.template is None or not one.production or parsed.objects.scalers(one):
            continue
        wanted = values.number(one.root, "spec", "replicas")
        wanted = 1 if wanted is None else wanted
        if 0 < wanted < LEAST_IN_PRODUCTION:  # 0 is switched off on purpose
            yield Hit(one.path, one.line("spec", "replicas"), one.subject, str(wanted))


def _both(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.objects.of("Deployment", "StatefulSet"):
        wanted = values.number(one.root, "spec", "replicas")
        if wanted is not None and parsed.objects.scalers(one):
            yield Hit(one.path, one.line("spec", "replicas"), one.subject, str(wanted))


def _replicas(parsed: Parsed, one: Object) -> int:
    """The fewest replicas that it has in good times."""
    scalers = parsed.objects.scalers(one)
    if scalers:
        return min(values.number(hpa.root, "spec", "minReplicas") or 1 for hpa in scalers)
    wanted = values.number(one.root, "spec", "replicas")
    return 1 if wanted is None else wanted


def _no_budget(parsed: Parsed) -> Iterator[Hit]:
    budgets = list(parsed.objects.of(_PDB))
    for one in parsed.objects.of("Deployment", "StatefulSet"):
        if one.template is None or _replicas(parsed, one) < 2:
            continue
        if not any(one in _covered(parsed, budget) for budget in budgets):
            yield Hit(one.path, one.line("metadata", "name"), one.subject)


def _covered(parsed: Parsed, budget: Object) -> list[Object]:
    selector = values.section(budget.root, "spec", "selector")
    return parsed.objects.selected(selector, budget)


def _blocks(parsed: Parsed) -> Iterator[Hit]:
    for budget in parsed.objects.of(_PDB):
        spec = values.section(budget.root, "spec")
        away, stay = values.text(spec, "maxUnavailable"), values.text(spec, "minAvailable")
        least = min((_replicas(parsed, one) for one in _covered(parsed, budget)), default=0)
        if away in ("0", "0%"):
            yield Hit(budget.path, values.line(spec, "maxUnavailable"), budget.subject, f"{away}")
        elif stay == "100%" or (stay.isdecimal() and least and int(stay) >= least):
            detail = f"minAvailable: {stay}"
            yield Hit(budget.path, values.line(spec, "minAvailable"), budget.subject, detail)


@each(_PDB)
def _unhealthy(one: Object) -> Iterator[At]:
    if values.text(one.root, "spec", "unhealthyPodEvictionPolicy") != "AlwaysAllow":
        yield one.line("spec", "unhealthyPodEvictionPolicy"), ""


RULES = (
    Rule(
        id="k8s-hpa-bounds",
        severity=Severity.HIGH,
        title=msg("the fewest replicas are more than the most"),
        why=msg("The API server refuses the autoscaler."),
        fix=msg("Set `maxReplicas` to `minReplicas` or above."),
        check=_bounds,
    ),
    Rule(
        id="k8s-hpa-version",
        severity=Severity.LOW,
        title=msg("the autoscaler is of version 1"),
        why=msg("It knows cpu alone, and nothing limits how fast it scales."),
        fix=msg("Use autoscaling/v2."),
        check=_old,
    ),
    Rule(
        id="k8s-hpa-behavior",
        severity=Severity.LOW,
        title=msg("nothing limits how fast the autoscaler goes up and down"),
        why=msg("One spike doubles the replicas, and the next minute takes them away."),
        fix=msg("Set `behavior` with a stabilisation window for scaleDown."),
        check=_behavior,
    ),
    Rule(
        id="k8s-too-few-replicas",
        severity=Severity.MEDIUM,
        title=msg("production has fewer than three replicas"),
        why=msg("With one drained and another failing, nothing serves."),
        fix=msg("Set `minReplicas`, or `replicas` without an autoscaler, to 3 or above."),
        same_as=("KL hpa-minimum-three-replicas", "KL minimum-three-replicas"),
        check=_few,
    ),
    Rule(
        id="k8s-replicas-beside-hpa",
        severity=Severity.MEDIUM,
        title=msg("a number of replicas is written though an autoscaler sets it"),
        why=msg("Every apply throws the service back to that number, also under full load."),
        fix=msg("Remove `replicas`."),
        same_as=("KS deployment-targeted-by-hpa-does-not-have-replicas-configured",),
        check=_both,
    ),
    Rule(
        id="k8s-no-disruption-budget",
        severity=Severity.MEDIUM,
        title=msg("a drain may take all its replicas at once"),
        why=msg("Node upgrades evict pods without asking what still serves."),
        fix=msg("Add a PodDisruptionBudget with `maxUnavailable: 1` that selects its pods."),
        same_as=("KS deployment-has-poddisruptionbudget", "KL no-poddisruptionbudget"),
        check=_no_budget,
    ),
    Rule(
        id="k8s-budget-blocks-drain",
        severity=Severity.HIGH,
        title=msg("the budget never lets a pod be evicted"),
        why=msg("Nodes cannot be drained, so upgrades stop until somebody deletes the budget."),
        fix=msg("Use `maxUnavailable: 1`."),
        same_as=("KL pdb-max-unavailable", "KL pdb-min-available",
                 "POL pdbMinAvailableGreaterThanHPAMinReplicas"),
        check=_blocks,
    ),
    Rule(
        id="k8s-budget-unhealthy-pods",
        severity=Severity.LOW,
        title=msg("pods that are not ready keep a node from being drained"),
        why=msg("A service that is down already blocks the upgrade that may mend it."),
        fix=msg("Set `unhealthyPodEvictionPolicy: AlwaysAllow`."),
        same_as=("KL pdb-unhealthy-pod-eviction-policy",),
        check=_unhealthy,
    ),
)  # fmt: skip
