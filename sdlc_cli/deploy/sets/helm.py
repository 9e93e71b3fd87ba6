"""A Helm chart whose templates are those of the manifests, and the values of each environment."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from sdlc_cli.deploy import names
from sdlc_cli.deploy.model import DeploySpec
from sdlc_cli.deploy.render import Wanted
from sdlc_cli.deploy.sets.kubernetes import MANIFESTS, Manifest
from sdlc_cli.deploy.values import OPEN, Values, in_region, values

CHART_VERSION = "0.1.0"  # of the chart itself; the service's version is appVersion

# What a key of values.yaml is for; a key is added here and in values.schema.json.j2.
MEANINGS: Mapping[str, str] = {
    "app": "Name of the service; all objects are called after it.",
    "environment": "Objects live in the namespace <app>-<environment>.",
    "owner": "Who answers for the service.",
    "version": "Label of the objects; empty for none.",
    "kubernetes": "Minor version of the cluster that the pod security standard is read from.",
    "create_namespace": "Whether the chart makes the Namespace.",
    "create_priority_class": "Whether the chart makes the PriorityClass.",
    "image": "What runs; the digest decides, the tag is for people.",
    "ports": "Named ports of the container and of the Service.",
    "health": "HTTP paths of the probes; start_checks are 5 seconds apart.",
    "metrics": "Where Prometheus scrapes, and which of its objects the chart makes.",
    "longest_call_seconds": "How long a request may take.",
    "stop": "Pause before a stop, and the time a pod is given in all.",
    "replicas": "How many pods, where nothing scales them.",
    "autoscaling": "Bounds and aims in percent of the requests; 0 is not looked at.",
    "resources": "What a pod asks for and may use; extended ones are counted, such as GPUs.",
    "node_selector": "Labels that nodes must have.",
    "tolerations": "Taints of nodes that are no obstacle.",
    "user_namespaces": "Whether the cluster maps the users of pods to others.",
    "priority": "Who makes room when a node is full.",
    "quota": "What all pods of the namespace may ask for together.",
    "config": "Environment variables.",
    "flags": "Feature flags; new-router is the variable FLAG_NEW_ROUTER.",
    "secrets": "Where each secret lies in the store; never its value.",
    "external_secrets": "Whether External Secrets fetches them, and from which ClusterSecretStore.",
    "domains": "Host names of the Ingress.",
    "ingress": "The controller, and the port that requests go to.",
    "network": "Whom the pods may talk to.",
    "alert_groups": "Rules of the PrometheusRule.",
}


def files(specs: Sequence[DeploySpec]) -> Iterator[Wanted]:
    """helm/<app>/: templates, values.yaml and what differs in each environment and region."""
    if not specs:
        return
    folder = f"helm/{names.workload(specs[0])}"
    for manifest in MANIFESTS:
        yield _template(manifest, folder, specs)
    whole = [values(spec) for spec in specs]
    base = _shared(whole)
    yield _notes(folder)
    for name in ("Chart.yaml", "values.schema.json", ".helmignore"):
        yield _part(name, folder, {**whole[0], "chart_version": CHART_VERSION})
    entries = [{"key": key, "about": MEANINGS[key], "value": base[key]} for key in base]
    yield _part("values.yaml", folder, {"entries": entries, "environments": len(specs)})
    for spec, words in zip(specs, whole, strict=True):
        yield _differences(folder, spec.environment, base, words)
        for region in spec.regions:
            there = values(in_region(spec, region))
            yield _differences(folder, f"{spec.environment}-{region.name}", words, there)


def _template(manifest: Manifest, folder: str, specs: Sequence[DeploySpec]) -> Wanted:
    condition = f"$.Values.{manifest.when}" if manifest.when else ""
    if manifest.equals:
        condition = f'eq {condition} "{manifest.equals}"'
    return Wanted(
        template=f"kubernetes/{manifest.name}.yaml.j2",
        path=f"{folder}/templates/{manifest.name}.yaml",
        kind="helm",
        about=f"template of the chart: {manifest.about}",
        form="chart",
        condition=condition,
    )


def _notes(folder: str) -> Wanted:
    return Wanted(
        template="helm/NOTES.txt.j2",
        path=f"{folder}/templates/NOTES.txt",
        kind="helm",
        about="what Helm says after an install",
        form="chart",
    )


def _part(name: str, folder: str, words: Mapping[str, object]) -> Wanted:
    kept = name.rpartition("/")[2].removeprefix(".")
    return Wanted(
        template=f"helm/{kept}.j2",
        path=f"{folder}/{name}",
        kind="helm",
        about=f"{kept} of the chart",
        values=words,
    )


def _differences(folder: str, name: str, base: Values, words: Values) -> Wanted:
    return Wanted(
        template="helm/values-environment.yaml.j2",
        path=f"{folder}/values-{name}.yaml",
        kind="helm",
        about=f"values of the chart in {name}, over the others",
        values={"name": name, "differences": _over(base, words)},
    )


def _shared(whole: Sequence[Values], path: str = "") -> Values:
    """What values.yaml says: a complete set, from which no environment has to take anything away.

    A mapping with keys of the user holds what all environments have; anything else is that of
    the first environment.
    """
    first, *others = whole
    if path in OPEN:
        return {k: v for k, v in first.items() if all(k in o and o[k] == v for o in others)}
    return {
        key: _shared([cast(Values, one[key]) for one in whole], f"{path}.{key}".lstrip("."))
        if isinstance(value, Mapping)
        else value
        for key, value in first.items()
    }


def _over(base: Values, words: Values) -> Values:
    """What has to be laid over `base` to get `words`; Helm merges mappings and replaces lists."""
    over: Values = {}
    for key, value in words.items():
        if key in base and base[key] == value:
            continue
        below = base.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            value = _over(below, value)
        over[key] = value
    return over
