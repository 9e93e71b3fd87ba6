"""Rules on Terraform itself: pins, variables, state, secrets, plans that stay the same."""

import re
from collections.abc import Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules.hcl import Attribute, Block
from sdlc_cli.deploy.rules.parsed import Module, Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.subjects import is_secret, names_secret

_CHANGING = re.compile(r"(?<![\w.])(timestamp|uuid|bcrypt|plantimestamp) \(")
_EXACT = re.compile(r"=?\s*v?[0-9]+\.[0-9]+\.[0-9]+(?:-[\w.]+)?")
_BOUNDED = re.compile(r"~>|<|^\s*=?\s*v?[0-9]")


def _subject(block: Block) -> str:
    return " ".join((block.kind, ".".join(block.labels))).strip()


def _hit(path: str, block: Block, detail: str = "", at: Attribute | None = None) -> Hit:
    return Hit(path, at.line if at else block.line, _subject(block), detail)


def _settings(module: Module) -> Iterator[tuple[str, Block]]:
    yield from module.blocks("terraform")


def _roots(parsed: Parsed) -> Iterator[Module]:
    """Modules that are applied: those with a backend, a provider, or that nobody calls."""
    called = {
        word.lstrip("./").split("/")[-1]
        for module in parsed.modules
        for _path, block in module.blocks("module")
        for word in [str(block.literal("source") or "")]
        if word.startswith(".")
    }
    for module in parsed.modules:
        if module.folder.rpartition("/")[2] not in called and "modules" not in module.folder:
            yield module


def _required(module: Module) -> Iterator[tuple[str, str, str, Attribute]]:
    """Path, local name, version constraint and place of each required provider."""
    for path, block in _settings(module):
        for inner in block.all("required_providers"):
            for name, attribute in inner.attributes.items():
                yield path, name, _field(attribute, "version"), attribute


def _field(attribute: Attribute, name: str) -> str:
    """The text of a key in an object."""
    tokens = [token for token in attribute.tokens if token.kind != "newline"]
    for i, token in enumerate(tokens[:-2]):
        if token.text == name and tokens[i + 1].text in ("=", ":") and tokens[i + 2].kind == "text":
            return tokens[i + 2].text
    return str(attribute.literal or "") if name == "version" else ""


def _unpinned(parsed: Parsed) -> Iterator[Hit]:
    for module in parsed.modules:
        known = set()
        for path, name, version, attribute in _required(module):
            known.add(name)
            if not _BOUNDED.search(version):
                yield Hit(path, attribute.line, f"provider {name}", version)
        for path, block in module.blocks("provider"):
            if block.labels and block.labels[0] not in known:
                yield _hit(path, block)


def _unlocked(parsed: Parsed) -> Iterator[Hit]:
    for module in _roots(parsed):
        lock = parsed.texts.get(f"{module.folder}/.terraform.lock.hcl".lstrip("/"))
        ignored = _ignores_lock(parsed, module.folder)
        for path, name, version, attribute in _required(module):
            source = _field(attribute, "source") or f"hashicorp/{name}"
            held = lock is not None and f'/{source}"' in lock and '"h1:' in lock
            if ignored or not (held or _EXACT.fullmatch(version.strip())):
                yield Hit(path, attribute.line, f"provider {name}", version)


def _ignores_lock(parsed: Parsed, folder: str) -> bool:
    parts = folder.split("/") if folder else []
    above = ["/".join(parts[:i]) for i in range(len(parts) + 1)]
    return any(
        line.strip().lstrip("*/").endswith(".terraform.lock.hcl")
        and not line.startswith(("#", "!"))
        for place in above
        for line in parsed.texts.get(f"{place}/.gitignore".lstrip("/"), "").splitlines()
    )


def _no_version(parsed: Parsed) -> Iterator[Hit]:
    for module in _roots(parsed):
        settings = list(_settings(module))
        if not any(block.get("required_version") for _path, block in settings):
            path, block = settings[0] if settings else (module.files[0][0], module.files[0][1])
            where = module.folder or "."
            yield Hit(path, block.line, f"module {where}")


def _modules(parsed: Parsed) -> Iterator[Hit]:
    for module in parsed.modules:
        for path, block in module.blocks("module"):
            source = str(block.literal("source") or "")
            if source.startswith(("./", "../")) or not source:
                continue
            remote = "://" in source or source.startswith(("git@", "github.com/", "git::"))
            pinned = re.search(r"[?&]ref=[0-9a-f]{40}\b", source) or re.search(
                r"[?&]ref=v?[0-9]+\.[0-9]+", source
            )
            if not pinned and (remote or not block.get("version")):
                yield _hit(path, block, source[:80], block.get("source"))


def _undescribed(parsed: Parsed) -> Iterator[Hit]:
    for module in parsed.modules:
        for kind in ("variable", "output"):
            for path, block in module.blocks(kind):
                if not str(block.literal("description") or "").strip():
                    yield _hit(path, block)


def _untyped(parsed: Parsed) -> Iterator[Hit]:
    for module in parsed.modules:
        for path, block in module.blocks("variable"):
            if not block.get("type"):
                yield _hit(path, block)


def _attributes(parsed: Parsed) -> Iterator[tuple[str, Block, str, Attribute]]:
    """Every attribute of every block below the top."""
    for path, root in parsed.terraform_files:
        for top in root.blocks:
            for block in top.walk():
                for name, attribute in block.attributes.items():
                    yield path, top, name, attribute


def _changing(parsed: Parsed) -> Iterator[Hit]:
    for path, block, name, attribute in _attributes(parsed):
        said = " ".join([attribute.source, *(re.sub(r"\(", " (", s) for s in attribute.strings)])
        if match := _CHANGING.search(said):
            yield _hit(path, block, f"{name} = {match[1]}()", attribute)


def _local_state(parsed: Parsed) -> Iterator[Hit]:
    for module in _roots(parsed):
        resources = list(module.blocks("resource"))
        kept = any(
            list(block.all("backend")) or list(block.all("cloud"))
            for _path, block in _settings(module)
        )
        local = any(
            backend.labels == ("local",)
            for _path, block in _settings(module)
            for backend in block.all("backend")
        )
        if resources and (not kept or local):
            path, block = next(_settings(module), resources[0])
            yield Hit(path, block.line, f"module {module.folder or '.'}")


def _state(parsed: Parsed) -> Iterator[Hit]:
    backends = [
        (path, backend, "backend s3")
        for module in parsed.modules
        for path, block in _settings(module)
        for backend in block.all("backend")
        # Without a bucket the rest comes from a file of `terraform init -backend-config`.
        if backend.labels == ("s3",) and backend.get("bucket")
    ]
    for path, block in parsed.terraform_values:
        if path.endswith(".s3.tfbackend"):
            backends.append((path, block, "backend s3"))
    for path, block, subject in backends:
        if block.literal("encrypt") is not True:
            yield Hit(path, block.line, subject, "encrypt")
        if block.literal("use_lockfile") is not True and not block.get("dynamodb_table"):
            yield Hit(path, block.line, subject, "use_lockfile")


def _secrets(parsed: Parsed) -> Iterator[Hit]:
    for path, block, name, attribute in _attributes(parsed):
        value = attribute.literal
        if not isinstance(value, str):
            continue
        called = name
        if block.kind == "variable":
            called = block.labels[0] if name == "default" and block.labels else ""
        if is_secret(called, value):
            yield _hit(path, block, name, attribute)
    for path, root in parsed.terraform_values:
        for name, attribute in root.attributes.items():
            if isinstance(attribute.literal, str) and is_secret(name, attribute.literal):
                yield Hit(path, attribute.line, path.rpartition("/")[2], name)


def _sensitive(parsed: Parsed) -> Iterator[Hit]:
    for module in parsed.modules:
        for kind in ("variable", "output"):
            for path, block in module.blocks(kind):
                secret = bool(block.labels) and names_secret(block.labels[0])
                if secret and block.literal("sensitive") is not True:
                    yield _hit(path, block)


def _undeclared(parsed: Parsed) -> Iterator[Hit]:
    """`var.x` that no file of the module declares."""
    for module in parsed.modules:
        known = {block.labels[0] for _path, block in module.blocks("variable") if block.labels}
        for path, root in module.files:
            for top in root.blocks:
                for block in top.walk():
                    for attribute in block.attributes.values():
                        compact = "".join(token.text for token in attribute.tokens)
                        for name in re.findall(r"(?<![\w.])var\.([A-Za-z_][\w-]*)", compact):
                            if name not in known:
                                yield _hit(path, top, f"var.{name}", attribute)


RULES = (
    Rule(
        id="tf-unpinned-provider",
        severity=Severity.MEDIUM,
        title=msg("a provider's version has no upper bound"),
        why=msg("A new major version changes or replaces resources at the next plan."),
        fix=msg("Name it in required_providers with a version such as `~> 6.20` or `6.20.0`."),
        same_as=("tflint terraform_required_providers",),
        check=_unpinned,
    ),
    Rule(
        id="tf-unlocked-provider",
        severity=Severity.LOW,
        title=msg("neither an exact version nor a lock file holds the provider"),
        why=msg("Two people who plan the same commit use different providers."),
        fix=msg("Commit .terraform.lock.hcl, or name an exact version."),
        check=_unlocked,
    ),
    Rule(
        id="tf-no-version",
        severity=Severity.LOW,
        title=msg("required_version is missing"),
        why=msg("An older Terraform misreads the files or the state."),
        fix=msg("Set `required_version` in the terraform block."),
        same_as=("tflint terraform_required_version",),
        check=_no_version,
    ),
    Rule(
        id="tf-unpinned-module",
        severity=Severity.MEDIUM,
        title=msg("a module from outside has no version"),
        why=msg("Whoever owns it changes your infrastructure."),
        fix=msg("Set `version`, or `?ref=` with a tag or a commit."),
        same_as=("CKV_TF_1", "CKV_TF_2"),
        check=_modules,
    ),
    Rule(
        id="tf-undescribed",
        severity=Severity.LOW,
        title=msg("it has no description"),
        why=msg("Who sets it, or reads it, has to guess its unit and meaning."),
        fix=msg("Say in one sentence what it is, with its unit."),
        same_as=("tflint terraform_documented_variables",),
        check=_undescribed,
    ),
    Rule(
        id="tf-untyped",
        severity=Severity.LOW,
        title=msg("the variable has no type"),
        why=msg("A wrong value is found by the cloud, halfway through."),
        fix=msg("Set `type`, and a `validation` where not every value makes sense."),
        same_as=("tflint terraform_typed_variables",),
        check=_untyped,
    ),
    Rule(
        id="tf-changing-plan",
        severity=Severity.MEDIUM,
        title=msg("the value is another one in every plan"),
        why=msg("A plan is never empty, so nobody sees a real change in it."),
        fix=msg("Use a variable, or a resource of the time or random provider."),
        check=_changing,
    ),
    Rule(
        id="tf-local-state",
        severity=Severity.MEDIUM,
        title=msg("the state lies on whoever's disk applied last"),
        why=msg("The next person creates everything again, and secrets lie there in plain text."),
        fix=msg("Add a `backend` with locking and encryption."),
        check=_local_state,
    ),
    Rule(
        id="tf-open-state",
        severity=Severity.HIGH,
        title=msg("the remote state is not encrypted, or not locked"),
        why=msg("It holds every secret in plain text; two applies at once destroy it."),
        fix=msg("Set `encrypt = true` and `use_lockfile = true`."),
        check=_state,
    ),
    Rule(
        id="tf-secret",
        severity=Severity.CRITICAL,
        title=msg("a secret is written into the configuration"),
        why=msg("Everyone who can read the repository has it, and the state keeps it too."),
        fix=msg("Revoke it; let the cloud make and keep it, or read it from a secret store."),
        same_as=("CKV_SECRET_6",),
        check=_secrets,
    ),
    Rule(
        id="tf-not-sensitive",
        severity=Severity.MEDIUM,
        title=msg("a secret is not marked as sensitive"),
        why=msg("It is printed in plans, and with that in the pipeline's log."),
        fix=msg("Set `sensitive = true`."),
        check=_sensitive,
    ),
    Rule(
        id="tf-undeclared-variable",
        severity=Severity.HIGH,
        title=msg("a variable is used that is not declared"),
        why=msg("Terraform refuses the module."),
        fix=msg("Declare it, or correct its name."),
        check=_undeclared,
    ),
)  # fmt: skip
