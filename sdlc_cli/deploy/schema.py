"""The JSON Schemas of the deploy job: deploy.yaml as it is written, the JSON of its commands."""

from collections.abc import Callable, Mapping

from sdlc_cli.core import schema
from sdlc_cli.core.schema import Schema
from sdlc_cli.deploy import results
from sdlc_cli.deploy.options import SHARED, DeployFile
from sdlc_cli.deploy.overlay import lasting, twins


def deploy() -> Schema:
    """The schema of deploy.yaml, without what is read only to be refused in words."""
    made = schema.build(DeployFile, "deploy.yaml", variables=False)
    definitions = made["$defs"]
    for key in SHARED:
        del definitions["Override"]["properties"][key]
    del definitions["BuildOverride"]
    reference = {"$ref": "#/$defs/SecretReference"}
    made["properties"]["secrets"]["additionalProperties"] = reference
    changes = {"anyOf": [{"$ref": "#/$defs/SecretReferenceOverride"}, {"type": "null"}]}
    definitions["Override"]["properties"]["secrets"]["additionalProperties"] = changes
    for name, whole in twins().items():
        for key in lasting(whole) & definitions.get(name, {}).get("properties", {}).keys():
            _not_null(definitions[name]["properties"][key])
    return made


def _not_null(made: Schema) -> None:
    options = [option for option in made.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        made.clear()
        made.update(options[0])


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "deploy": deploy,
    "deploy-render": results.render,
    "deploy-findings": results.findings,
    "deploy-drift": results.drift,
    "deploy-rules": results.rules,
}


def get(name: str) -> Schema:
    """The schema called `name` in `SCHEMAS`. Raises KeyError."""
    return SCHEMAS[name]()
