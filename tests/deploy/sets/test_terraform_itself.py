"""Terraform itself takes what is rendered. Where it is not installed, conftest leaves this out."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from sdlc_cli.deploy import escape, render, subnets
from sdlc_cli.deploy.model import Artifact, Cache, Database, DeploySpec, Terraform

Make = Callable[..., DeploySpec]
FOLDER = "terraform/aws"
LONG = Database(name="d" * 20)
HOSTILE = (
    'a "quoted" word\\',
    "${var.region} %{ if true }x%{ endif } $${x} %%{y} $$${z}",
    "<<EOF\nx\nEOF",
    "# no comment // nor /* this */",
    'x"\n}\nresource "null_resource" "x" {}',
    "tab\t cr\r bell\x07 \b\f \u2028 \x7f 🙂 é",
    "$", "%", "$$", "{", "${", "%{~",
)  # fmt: skip


def made(*specs: DeploySpec) -> dict[str, Artifact]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "SETS", ("terraform",))
        return {one.path: one for one in render.render(specs)}


def plan(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`terraform WORDS` in a folder that needs no provider."""
    return subprocess.run(
        ["terraform", f"-chdir={folder}", *words],
        capture_output=True, text=True, check=False, encoding="utf-8",
        env={"PATH": os.environ["PATH"], "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"},
    )  # fmt: skip


def unfold(rendered: Mapping[str, Artifact], folder: Path) -> None:
    for path, artifact in rendered.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(artifact.text, encoding="utf-8")


def test_terraform_fmt_has_nothing_to_change(
    specs: tuple[DeploySpec, ...], spec: Make, tmp_path: Path
) -> None:
    unfold(made(*specs), tmp_path / "four")
    few = spec(databases=(), caches=(), owner=HOSTILE[1])
    unfold(made(few), tmp_path / "small")

    done = plan(tmp_path, "fmt", "-check", "-recursive")

    assert (done.returncode, done.stdout) == (0, "")
    (tmp_path / "four" / "x.tf").write_text("a={}\n", encoding="utf-8")
    assert "x.tf" in plan(tmp_path, "fmt", "-check", "-recursive").stdout


@pytest.fixture
def stub(tmp_path: Path) -> Callable[[DeploySpec], Path]:
    """The variables and what is computed of them, without anything that needs AWS."""

    def build(spec: DeploySpec) -> Path:
        rendered = made(spec)
        locals_ = re.search(r"^locals {\n.*?^}", rendered[f"{FOLDER}/main.tf"].text, re.M | re.S)
        assert locals_
        alone = re.sub(r"\$\{data\.[\w.]+\}", "x", locals_[0])
        names = re.findall(r"^  (\w+) +=", alone, re.M)
        outputs = "".join(f'output "{one}" {{\n  value = local.{one}\n}}\n' for one in names)
        (tmp_path / "main.tf").write_text(f"{alone}\n{outputs}", encoding="utf-8")
        for name in ("variables.tf", f"environments/{spec.environment}.tfvars"):
            text = rendered[f"{FOLDER}/{name}"].text
            (tmp_path / Path(name).name).write_text(text, encoding="utf-8")
        return tmp_path

    return build


def computed(folder: Path, environment: str) -> dict[str, object]:
    done = plan(folder, "apply", "-no-color", "-auto-approve", f"-var-file={environment}.tfvars")
    assert done.returncode == 0, done.stderr
    read = json.loads(plan(folder, "output", "-json").stdout)
    return {name: one["value"] for name, one in read.items()}


def test_terraform_reads_every_word_of_an_owner(
    spec: Make, stub: Callable[[DeploySpec], Path]
) -> None:
    owner = " ".join(HOSTILE)

    tags = computed(stub(spec(owner=owner)), "dev")["tags"]

    assert isinstance(tags, dict)
    assert tags["Owner"] == owner


def test_terraform_reads_every_value_that_we_write(tmp_path: Path) -> None:
    values = [*HOSTILE, {word: [word, True, 5] for word in HOSTILE}]
    text = "".join(
        f'output "o{number}" {{\n  value = {escape.hcl(value)}\n}}\n'
        for number, value in enumerate(values)
    )
    (tmp_path / "main.tf").write_text(text, encoding="utf-8")
    (tmp_path / "none.tfvars").touch()

    found = computed(tmp_path, "none")

    assert [found[f"o{number}"] for number in range(len(values))] == values


@pytest.mark.parametrize("vpc_cidr", ["10.0.0.0/16", "172.16.32.0/20"])
def test_terraform_cuts_the_network_as_we_do(
    spec: Make, stub: Callable[[DeploySpec], Path], vpc_cidr: str
) -> None:
    found = computed(stub(spec(terraform=Terraform(vpc_cidr=vpc_cidr))), "dev")

    assert found["data_subnets"] == list(subnets.data(vpc_cidr))


def test_long_names_are_cut_to_what_aws_takes(
    spec: Make, stub: Callable[[DeploySpec], Path]
) -> None:
    one = spec(
        app="a" * 40,
        environment="e" * 16,
        databases=(LONG, replace(LONG, name="main")),
        caches=(Cache(name="c" * 20), Cache(name="small")),
    )

    found = computed(stub(one), "e" * 16)

    for key, longest in (("database_names", 63), ("cache_names", 40)):
        named = found[key]
        assert isinstance(named, dict)
        assert len(set(named.values())) == 2
        assert all(len(name) <= longest and "--" not in name for name in named.values())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"terraform": Terraform(vpc_cidr="10.0.0.0/24")}, "from /16 to /20"),
        ({"terraform": Terraform(nodes_min=5, nodes_max=2)}, "At least nodes_min"),
        ({"databases": (Database(name="x", storage_gib=1),)}, "at least 20 GiB"),
        ({"owner": "x" * 257}, "1 to 256 characters"),
    ],
)
def test_terraform_refuses_variables_that_make_no_sense(
    spec: Make,
    stub: Callable[[DeploySpec], Path],
    changes: dict[str, object],
    said: str,
) -> None:
    done = plan(stub(spec(**changes)), "plan", "-no-color", "-var-file=dev.tfvars")

    assert done.returncode == 1
    assert said in re.sub(r"[\s│]+", " ", done.stderr)
