"""Terraform holds together: every variable described, checked and given, every word literal."""

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sdlc_cli.core.errors import ConfigError
from sdlc_cli.deploy import escape, render, subnets
from sdlc_cli.deploy.model import Artifact, Cache, DeploySpec, Gpu, Region, Terraform
from sdlc_cli.deploy.nodes import node_image
from sdlc_cli.deploy.sets import terraform

Make = Callable[..., DeploySpec]
FOLDER = "terraform/aws"
HOSTILE = (
    'a "quoted" word\\',
    "${var.region} %{ if true }x%{ endif } $${x} %%{y} $$${z}",
    "<<EOF\nx\nEOF",
    "<<-EOT",
    "# no comment // nor /* this */",
    'x"\n}\nresource "null_resource" "x" {}',
    "tab\t cr\r bell\x07 \b\f",
    "\u2028 \x7f 🙂 é",
    "../../etc/passwd",
    "y" * 300,
    "$", "%", "$$", "{", "${", "%{~",
)  # fmt: skip


def made(*specs: DeploySpec) -> dict[str, Artifact]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "SETS", ("terraform",))
        return {one.path: one for one in render.render(specs)}


def configuration(rendered: Mapping[str, Artifact]) -> str:
    return "\n".join(one.text for path, one in rendered.items() if path.endswith(".tf"))


def blocks(text: str, kind: str) -> dict[str, str]:
    """The blocks of a kind by their last label, in files that `terraform fmt` has nothing on."""
    found = re.findall(rf'^{kind}(?: "[\w.]+")* "([\w.]+)" {{\n(.*?)^}}', text, re.M | re.S)
    empty = re.findall(rf'^{kind}(?: "[\w.]+")* "([\w.]+)" {{}}$', text, re.M)
    return {**dict.fromkeys(empty, ""), **dict(found)}


def assigned(text: str) -> dict[str, str]:
    """The variables that a tfvars file gives, as written."""
    return dict(re.findall(r"^(\w+) += (.*(?:\n[ }].*)*)", text, re.M))


def literal(written: str) -> str:
    """The text that an HCL string stands for, by the language's own rules.

    https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
    """
    assert written[0] == written[-1] == '"'
    plain = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
    found, place = [], 1
    while place < len(written) - 1:
        rest = written[place:-1]
        if rest[0] == "\\":
            code = re.match(r"\\u([0-9a-f]{4})", rest)
            found.append(chr(int(code[1], 16)) if code else plain[rest[1]])
            place += 6 if code else 2
        elif rest.startswith(("$${", "%%{")):
            found.append(rest[1:3])
            place += 3
        else:
            assert not rest.startswith(("${", "%{", '"', "\n")), "a template, or the end"
            found.append(rest[0])
            place += 1
    return "".join(found)


def test_the_files_of_terraform_are_there(specs: tuple[DeploySpec, ...]) -> None:
    rendered = made(*specs)

    assert {path.removeprefix(f"{FOLDER}/") for path in rendered} >= {
        "main.tf",
        "variables.tf",
        "outputs.tf",
        "versions.tf",
        *(f"environments/{one.environment}.tfvars" for one in specs),
        *(f"environments/{one.environment}.s3.tfbackend" for one in specs),
    }


def test_existing_infrastructure_has_no_terraform(awkward: DeploySpec) -> None:
    assert made(awkward) == {}


def test_only_managed_environments_have_variables(specs: tuple[DeploySpec, ...]) -> None:
    first, *others = specs

    rendered = made(replace(first, infrastructure="existing"), *others)

    assert f"{FOLDER}/main.tf" in rendered
    assert not any(f"/{first.environment}." in path for path in rendered)
    assert all(f"{FOLDER}/environments/{one.environment}.tfvars" in rendered for one in others)


def test_every_variable_is_described_typed_and_checked(specs: tuple[DeploySpec, ...]) -> None:
    variables = blocks(made(*specs)[f"{FOLDER}/variables.tf"].text, "variable")

    assert len(variables) >= 15
    for name, text in variables.items():
        assert re.search(r'^  description = "[A-Z].*\."$', text, re.M), name
        assert re.search(r"^  type +=", text, re.M), name
        assert "validation {" in text or "= bool" in text, name
        assert re.search(r"^  nullable +=", text, re.M), name


def test_every_output_is_described(specs: tuple[DeploySpec, ...]) -> None:
    outputs = blocks(made(*specs)[f"{FOLDER}/outputs.tf"].text, "output")

    assert len(outputs) >= 6
    for name, text in outputs.items():
        assert re.search(r'^  description = "[A-Z].*\."$', text, re.M), name


def test_each_environment_gives_the_variables_that_there_are(
    specs: tuple[DeploySpec, ...],
) -> None:
    rendered = made(*specs)
    variables = blocks(rendered[f"{FOLDER}/variables.tf"].text, "variable")
    required = {name for name, text in variables.items() if " default " not in text}
    files = [one.text for path, one in rendered.items() if path.endswith(".tfvars")]

    assert len(files) == 5  # prod runs in two regions
    for text in files:
        assert required <= set(assigned(text)) <= set(variables)


def test_everything_that_is_named_is_there(specs: tuple[DeploySpec, ...]) -> None:
    text = re.sub(r"#.*", "", configuration(made(*specs)))
    resources = set(re.findall(r'^resource "(\w+)" "(\w+)"', text, re.M))
    data = set(re.findall(r'^data "(\w+)" "(\w+)"', text, re.M))
    inside = "\n".join(re.findall(r"^locals {\n(.*?)^}", text, re.M | re.S))
    given_locals = set(re.findall(r"^  (\w+) +=", inside, re.M))

    assert set(re.findall(r"\bvar\.(\w+)", text)) == set(blocks(text, "variable"))
    assert set(re.findall(r"\blocal\.(\w+)", text)) == given_locals
    assert set(re.findall(r"\bdata\.(\w+)\.(\w+)", text)) == data
    assert set(re.findall(r"(?<!data\.)\b(aws_\w+)\.(\w+)", text)) <= resources
    assert len(resources) > 40


def test_a_plan_depends_on_nothing_but_what_is_written(specs: tuple[DeploySpec, ...]) -> None:
    rendered = made(*specs)
    text = configuration(rendered)

    assert not re.search(r"\b(timestamp|plantimestamp|uuid|bcrypt|random_\w+)\b", text)
    assert not re.search(r"\b[0-9]{12}\b", "".join(one.text for one in rendered.values()))
    assert not re.search(r"^\s*(password|auth_token|passwords)\s*=", text, re.M)
    assert f'version = "{terraform.PROVIDER}"' in text
    assert f"{FOLDER}/.terraform.lock.hcl" not in rendered


@pytest.mark.parametrize(
    "line",
    [
        "endpoint_public_access  = false",
        "endpoint_private_access = true",
        '["api", "audit", "authenticator", "controllerManager", "scheduler"]',
        'http_tokens                 = "required"',
        "http_put_response_hop_limit = 1",
        "storage_encrypted     = true",
        "multi_az               = var.production",
        "deletion_protection        = true",
        "manage_master_user_password         = true",
        "iam_database_authentication_enabled = true",
        'name  = "rds.force_ssl"',
        "performance_insights_enabled          = true",
        "monitoring_interval                   = 60",
        "at_rest_encryption_enabled = true",
        'transit_encryption_mode    = "required"',
        "multi_az_enabled           = true",
        "enable_key_rotation     = true",
    ],
)
def test_what_protects_is_on(specs: tuple[DeploySpec, ...], line: str) -> None:
    assert line in configuration(made(*specs))


def test_production_says_so(specs: tuple[DeploySpec, ...]) -> None:
    rendered = made(*specs)

    assert {
        one.environment: assigned(rendered[f"{FOLDER}/environments/{one.environment}.tfvars"].text)[
            "production"
        ]
        for one in specs
    } == {"dev": "false", "staging": "false", "prod": "true", "dr": "true"}


def test_state_lies_apart_for_each_environment_and_region(specs: tuple[DeploySpec, ...]) -> None:
    terraformed = [
        replace(one, terraform=Terraform(state_bucket="example-state", state_region="eu-west-1"))
        for one in specs
    ]
    backends = [
        assigned(one.text) for path, one in made(*terraformed).items() if "tfbackend" in path
    ]

    assert len({one["key"] for one in backends}) == len(backends) == 5
    assert all(one["bucket"] == '"example-state"' for one in backends)
    assert all(one["encrypt"] == one["use_lockfile"] == "true" for one in backends)


def test_what_is_not_known_is_not_made_up(spec: Make) -> None:
    one = spec(pipeline=replace(spec().pipeline, aws_region=""))

    rendered = made(one)

    given_variables = assigned(rendered[f"{FOLDER}/environments/dev.tfvars"].text)
    backend = assigned(rendered[f"{FOLDER}/environments/dev.s3.tfbackend"].text)
    assert not {"region", "zones"} & set(given_variables)
    assert not {"region", "bucket"} & set(backend)


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        pytest.param((), ("eu-west-1",), id="the pipeline's"),
        pytest.param(("us-east-1",), ("us-east-1",), id="its own"),
        pytest.param(("us-east-1", "eu-west-3"), ("us-east-1", "eu-west-3"), id="two"),
        pytest.param(("emea", "us-gov-west-1"), ("us-gov-west-1",), id="no name of AWS"),
        pytest.param(("emea",), ("eu-west-1",), id="no name of AWS alone"),
    ],
)
def test_an_environment_lies_in_its_regions(
    spec: Make, regions: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    one = spec(regions=tuple(Region(name=name) for name in regions))

    assert terraform.regions(one) == expected


@pytest.mark.parametrize(
    ("region", "expected"),
    [("eu-west-1", "abc"), ("ap-northeast-1", "acd"), ("ca-central-1", "abd"), ("", "")],
)
def test_a_region_has_three_zones(region: str, expected: str) -> None:
    assert terraform.zones(region) == tuple(region + letter for letter in expected)


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        ("m7g.large", "BOTTLEROCKET_ARM_64"),
        ("m7i.large", "BOTTLEROCKET_x86_64"),
        ("t4g.medium", "BOTTLEROCKET_ARM_64"),
        ("c8gn.4xlarge", "BOTTLEROCKET_ARM_64"),
        ("m7i-flex.large", "BOTTLEROCKET_x86_64"),
        ("g5.xlarge", "BOTTLEROCKET_x86_64_NVIDIA"),
        ("g5g.xlarge", "BOTTLEROCKET_ARM_64_NVIDIA"),
        ("gr6.4xlarge", "BOTTLEROCKET_x86_64_NVIDIA"),
        ("g4ad.xlarge", "BOTTLEROCKET_x86_64"),
        ("g4dn.xlarge", "BOTTLEROCKET_x86_64_NVIDIA"),
        ("p5.48xlarge", "BOTTLEROCKET_x86_64_NVIDIA"),
        ("u-6tb1.metal", "BOTTLEROCKET_x86_64"),
    ],
)
def test_the_image_of_the_nodes_fits_their_processor(instance: str, expected: str) -> None:
    assert node_image(instance) == expected


def test_nodes_have_the_labels_that_pods_ask_for(spec: Make, awkward: DeploySpec) -> None:
    asked = {"accelerator": "l4", "topology.kubernetes.io/zone": "a", "eks.amazonaws.com/x": "y"}
    gpu = Gpu(resource="nvidia.com/gpu", count=1, node_selector=asked)

    rendered = made(spec(resources=replace(awkward.resources, gpu=gpu)))

    given_variables = assigned(rendered[f"{FOLDER}/environments/dev.tfvars"].text)
    assert given_variables["node_labels"] == '{ "accelerator" = "l4" }'


def test_the_pipeline_may_deploy_to_the_cluster(spec: Make) -> None:
    role = "arn:aws:iam::000000000000:role/deploy"

    rendered = made(spec(pipeline=replace(spec().pipeline, aws_role=role)))

    given_variables = assigned(rendered[f"{FOLDER}/environments/dev.tfvars"].text)
    assert given_variables["administrators"] == f'["{role}"]'


def test_a_cache_that_cannot_lose_a_node_is_refused(spec: Make) -> None:
    with pytest.raises(ConfigError, match=r"caches\.small\.nodes: .* needs 2"):
        made(spec(caches=(Cache(name="small", nodes=1),)))


def test_data_lies_in_the_subnets_that_policies_allow() -> None:
    assert subnets.data("10.0.0.0/16") == ("10.0.192.0/21", "10.0.200.0/21", "10.0.208.0/21")
    assert subnets.data("10.1.16.0/20") == ("10.1.28.0/25", "10.1.28.128/25", "10.1.29.0/25")


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_words_stay_words(spec: Make, value: str) -> None:
    plain = made(spec())[f"{FOLDER}/environments/dev.tfvars"].text

    text = made(spec(owner=value))[f"{FOLDER}/environments/dev.tfvars"].text

    assert literal(assigned(text)["owner"]) == value
    assert list(assigned(text)) == list(assigned(plain))
    assert len(text.splitlines()) == len(plain.splitlines())


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_is_read_back(text: str) -> None:
    assert literal(escape.hcl(text)) == text


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(tree=TREES)
def test_a_value_takes_one_line(tree: object) -> None:
    assert len(escape.hcl(tree).splitlines()) == 1


@pytest.mark.parametrize(
    "path",
    ["main.tf", "variables.tf", "environments/prod.tfvars", "environments/prod.s3.tfbackend"],
)
def test_files_are_as_people_reviewed_them(
    golden: Callable[[str, str], None], specs: tuple[DeploySpec, ...], path: str
) -> None:
    golden(f"deploy/{path.rpartition('/')[2]}", made(*specs)[f"{FOLDER}/{path}"].text)


def test_python_hcl2_reads_every_file(
    specs: tuple[DeploySpec, ...], tmp_path: Path, checker: Callable[[str], str]
) -> None:
    hcl2tojson = checker("hcl2tojson")
    rendered = made(*(replace(one, owner=HOSTILE[0] + HOSTILE[1]) for one in specs))
    resources = 0

    for number, (path, artifact) in enumerate(rendered.items()):
        file = tmp_path / f"{number}.tf"
        file.write_text(artifact.text, encoding="utf-8")
        done = subprocess.run(
            [hcl2tojson, str(file)], capture_output=True, text=True, check=True, encoding="utf-8"
        )
        read = json.loads(done.stdout)
        resources += len(read.get("resource", []))
        if path.endswith(".tfvars"):
            assert {key for key in read if not key.startswith("__")} == set(assigned(artifact.text))
            assert literal(read["owner"]) == HOSTILE[0] + HOSTILE[1]

    assert resources > 40
    broken = tmp_path / "broken.tf"
    broken.write_text('owner = "x\n', encoding="utf-8")
    assert subprocess.run([hcl2tojson, str(broken)], capture_output=True, check=False).returncode
