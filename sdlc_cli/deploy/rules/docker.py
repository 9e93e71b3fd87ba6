"""Rules on Dockerfiles."""

import re
from collections.abc import Callable, Iterator

from sdlc_cli.core.finding import Severity
from sdlc_cli.core.i18n import msg
from sdlc_cli.deploy.rules.dockerfile import Instruction, parents
from sdlc_cli.deploy.rules.parsed import Dockerfile, Parsed
from sdlc_cli.deploy.rules.rule import Hit, Rule
from sdlc_cli.deploy.rules.subjects import At, is_secret, names_secret, split_image

_PIPED = re.compile(r"\b(?:curl|wget)\b[^|;&]{0,500}\|\s{0,9}(?:sudo\s+)?(?:ba|z|da|a)?sh\b")
_PIP = re.compile(r"\bpip[0-9.]*\s+install\b([^|;&]*)")
# What reads a lock itself, when its own version is given.
_INSTALLER = re.compile(r"(?:uv|poetry|pdm|pipenv|pip)==[0-9][0-9A-Za-z.]*")
_NPM = re.compile(r"\bnpm\s+(?:install|i)\b([^|;&]*)")
_BUILD_TOOLS = re.compile(r"\b(?:build-essential|gcc|g\+\+|clang|make|cmake|git)\b")
_APT = re.compile(r"\bapt(?:-get)?\s+(?:-\S+\s+)*install\b([^|;&]*)")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


def _each(test: Callable[[Dockerfile], Iterator[At]]) -> Callable[[Parsed], Iterator[Hit]]:
    def check(parsed: Parsed) -> Iterator[Hit]:
        for one in parsed.dockerfiles:
            subject = one.path.rpartition("/")[2]
            for line, detail in test(one):
                yield Hit(one.path, line, subject, detail)

    return check


def _runs(one: Dockerfile) -> Iterator[tuple[Instruction, str]]:
    """Each RUN with its command, here-documents included."""
    for instruction in one.instructions:
        if instruction.word == "RUN":
            yield instruction, f"{instruction.rest}\n{instruction.body}"


def _last(one: Dockerfile, word: str) -> Instruction | None:
    """The instruction that holds for the image: the last of the final stage, or of its parents."""
    for stage in parents(one.stages, one.stages[-1]):
        found = [i for i in stage.instructions if i.word == word]
        if found:
            return found[-1]
    return None


def _user(one: Dockerfile) -> str:
    user = _last(one, "USER")
    return user.rest.strip("\"'").partition(":")[0] if user else ""


@_each
def _root(one: Dockerfile) -> Iterator[At]:
    user = _last(one, "USER")
    if _user(one) in ("", "root", "0"):
        yield user.line if user else one.stages[-1].line, _user(one)


@_each
def _named_user(one: Dockerfile) -> Iterator[At]:
    user = _last(one, "USER")
    name = _user(one)
    if user and name not in ("", "root") and not name.isdecimal() and "$" not in name:
        yield user.line, name


def _bases(one: Dockerfile) -> Iterator[tuple[int, str]]:
    """Images from outside, with ARG's defaults put in."""
    defaults: dict[str, str] = {}
    for instruction in one.instructions:
        if instruction.word == "ARG" and instruction.stage < 0:
            for word in instruction.rest.split():
                name, _equals, value = word.partition("=")
                if value.strip("\"'"):
                    defaults[name] = value.strip("\"'")
    names: set[str] = {"scratch"}
    for stage in one.stages:
        base = _VARIABLE.sub(lambda m: defaults.get(m[1], m[0]), stage.base.strip("\"'"))
        base = base.replace("}", "") if "$" not in base else base
        if base.lower() not in names and "$" not in base:
            yield stage.line, base
        names.add(stage.name.lower())


@_each
def _base_tag(one: Dockerfile) -> Iterator[At]:
    for line, base in _bases(one):
        _repository, tag, digest = split_image(base)
        if not digest and tag in ("", "latest"):
            yield line, base


@_each
def _base_digest(one: Dockerfile) -> Iterator[At]:
    for line, base in _bases(one):
        if not split_image(base)[2]:
            yield line, base


@_each
def _no_health(one: Dockerfile) -> Iterator[At]:
    found = _last(one, "HEALTHCHECK")
    if found is None or found.rest.upper() == "NONE":
        yield found.line if found else one.stages[-1].line, ""


@_each
def _shell_health(one: Dockerfile) -> Iterator[At]:
    found = _last(one, "HEALTHCHECK")
    if found and re.match(r"CMD\s+[^\[\s]", found.rest, re.IGNORECASE):
        yield found.line, ""


@_each
def _shell_form(one: Dockerfile) -> Iterator[At]:
    for word in ("ENTRYPOINT", "CMD"):
        found = _last(one, word)
        if found and found.exec_form is None:
            yield found.line, word


@_each
def _add(one: Dockerfile) -> Iterator[At]:
    for instruction in one.instructions:
        flags = dict(instruction.flags)
        archive = re.search(r"\.(?:tar(?:\.\w+)?|tgz|txz)\b", instruction.rest)
        if instruction.word == "ADD" and "checksum" not in flags and not archive:
            yield instruction.line, instruction.rest.split(" ")[0][:60]


@_each
def _secret(one: Dockerfile) -> Iterator[At]:
    for instruction in one.instructions:
        if instruction.word not in ("ARG", "ENV"):
            continue
        pairs = re.findall(r"([A-Za-z_][A-Za-z0-9_]*)=(\"[^\"]*\"|'[^']*'|\S*)", instruction.rest)
        for name, value in pairs:
            if is_secret(name, value.strip("\"'")):
                yield instruction.line, name
        if instruction.word == "ARG" and not pairs and names_secret(instruction.rest.strip()):
            yield instruction.line, instruction.rest.strip()


@_each
def _unlocked(one: Dockerfile) -> Iterator[At]:
    for instruction, command in _runs(one):
        for match in _PIP.finditer(command):
            words = match[1].split()
            locked = {"--require-hashes", "--no-deps", "--no-index", "-e"} & set(words)
            named = (word for word in words if not word.startswith(("-", ".", "/")))
            if not locked and not all(map(_INSTALLER.fullmatch, named)):
                yield instruction.line, f"pip install {' '.join(words)}"[:80]
        for match in _NPM.finditer(command):
            yield instruction.line, f"npm install{match[1].rstrip()}"[:80]


@_each
def _piped(one: Dockerfile) -> Iterator[At]:
    for instruction, command in _runs(one):
        if match := _PIPED.search(command):
            yield instruction.line, match[0][:80]


@_each
def _sudo(one: Dockerfile) -> Iterator[At]:
    for instruction, command in _runs(one):
        if re.search(r"(?:^|[;&|]\s*)sudo\s", command):
            yield instruction.line, ""


@_each
def _build_tools(one: Dockerfile) -> Iterator[At]:
    for stage in parents(one.stages, one.stages[-1]):
        for instruction in stage.instructions:
            command = f"{instruction.rest}\n{instruction.body}"
            for match in _APT.finditer(command) if instruction.word == "RUN" else ():
                tools = _BUILD_TOOLS.findall(match[1])
                purged = "purge" in command or "autoremove" in command
                if tools and not purged:
                    yield instruction.line, ", ".join(tools)


@_each
def _package_lists(one: Dockerfile) -> Iterator[At]:
    for instruction, command in _runs(one):
        cached = any("/var/" in value for _flag, value in instruction.flags)
        if _APT.search(command) and "/var/lib/apt/lists" not in command and not cached:
            yield instruction.line, ""


def _no_ignore(parsed: Parsed) -> Iterator[Hit]:
    for one in parsed.dockerfiles:
        folder, _slash, name = one.path.rpartition("/")
        parts = folder.split("/") if folder else []
        above = ["/".join(parts[:i]) for i in range(len(parts) + 1)]
        there = {f"{place}/.dockerignore".lstrip("/") for place in above} | {
            f"{one.path}.dockerignore"
        }
        if there & parsed.texts.keys():
            continue
        for instruction in one.instructions:
            first = instruction.rest.split(" ")[0]
            copied = instruction.word in ("COPY", "ADD") and "from" not in dict(instruction.flags)
            if copied and first in (".", "./", "/"):
                yield Hit(one.path, instruction.line, name, instruction.rest[:60])
                break


RULES = (
    Rule(
        id="docker-root-user",
        severity=Severity.HIGH,
        title=msg("the image runs as root"),
        why=msg("Wherever it is started without further settings, a break-in has root."),
        fix=msg("End the last stage with a numeric USER, such as `USER 10001:10001`."),
        same_as=("DL3002", "CKV_DOCKER_3", "CKV_DOCKER_8", "DS002"),
        check=_root,
    ),
    Rule(
        id="docker-named-user",
        severity=Severity.LOW,
        title=msg("USER is a name"),
        why=msg("Kubernetes cannot tell whether a name is root, and refuses it under"
                " runAsNonRoot."),
        fix=msg("Write the number."),
        same_as=("DL3066",),
        check=_named_user,
    ),
    Rule(
        id="docker-base-tag",
        severity=Severity.MEDIUM,
        title=msg("the base image has no tag, or latest"),
        why=msg("The next build may get another system without a change of yours."),
        fix=msg("Name a version, and best its digest."),
        same_as=("DL3006", "DL3007", "CKV_DOCKER_7"),
        check=_base_tag,
    ),
    Rule(
        id="docker-base-digest",
        severity=Severity.LOW,
        title=msg("the base image is not pinned by digest"),
        why=msg("Its tag can be moved: two builds of one commit then differ."),
        fix=msg("Write `image:tag@sha256:…`, and let a bot propose the updates."),
        check=_base_digest,
    ),
    Rule(
        id="docker-no-healthcheck",
        severity=Severity.LOW,
        title=msg("there is no HEALTHCHECK"),
        why=msg("Docker and compose then take a hanging process for a running service."),
        fix=msg("Add a HEALTHCHECK in exec form."),
        same_as=("CKV_DOCKER_2", "DS026"),
        check=_no_health,
    ),
    Rule(
        id="docker-healthcheck-shell",
        severity=Severity.LOW,
        title=msg("HEALTHCHECK needs a shell"),
        why=msg("Small images have none, and the check then always fails."),
        fix=msg("Write its command as a JSON array."),
        same_as=("DL3025",),
        check=_shell_health,
    ),
    Rule(
        id="docker-shell-form",
        severity=Severity.MEDIUM,
        title=msg("the process is started through a shell"),
        why=msg("The shell is process 1 and keeps SIGTERM to itself: every stop is a kill."),
        fix=msg("Write CMD and ENTRYPOINT as JSON arrays."),
        same_as=("DL3025",),
        check=_shell_form,
    ),
    Rule(
        id="docker-add",
        severity=Severity.LOW,
        title=msg("ADD where COPY would do"),
        why=msg("ADD also loads from the network and unpacks, which nobody expects."),
        fix=msg("Use COPY; for a download, ADD with `--checksum`."),
        same_as=("DL3020", "CKV_DOCKER_4", "DS005"),
        check=_add,
    ),
    Rule(
        id="docker-secret",
        severity=Severity.CRITICAL,
        title=msg("a secret is built into the image"),
        why=msg("ARG and ENV stay in the image's history: whoever can pull it has them."),
        fix=msg("Use `RUN --mount=type=secret` in the build, and files when it runs."),
        same_as=("CKV_DOCKER_10", "DS031"),
        check=_secret,
    ),
    Rule(
        id="docker-unlocked-install",
        severity=Severity.MEDIUM,
        title=msg("packages are installed without a lock file"),
        why=msg("The next build may get other versions, or a package that was taken over."),
        fix=msg("Use `pip install --require-hashes -r requirements.lock` or `npm ci`."),
        same_as=("DL3013", "DL3016"),
        check=_unlocked,
    ),
    Rule(
        id="docker-curl-pipe",
        severity=Severity.HIGH,
        title=msg("a download is run unseen"),
        why=msg("Whoever controls the server, or half a download, decides what is built."),
        fix=msg("Load a version by name, check its SHA-256, then run it."),
        same_as=("DL4006",),
        check=_piped,
    ),
    Rule(
        id="docker-sudo",
        severity=Severity.LOW,
        title=msg("sudo in a build"),
        why=msg("It stays in the image, where it is a way to root."),
        fix=msg("Switch with USER."),
        same_as=("DL3004", "CKV2_DOCKER_1"),
        check=_sudo,
    ),
    Rule(
        id="docker-build-tools",
        severity=Severity.LOW,
        title=msg("compilers or git are in the image that runs"),
        why=msg("They make it larger, and an intruder finds all tools in place."),
        fix=msg("Build in a stage of its own and copy the result."),
        check=_build_tools,
    ),
    Rule(
        id="docker-package-lists",
        severity=Severity.LOW,
        title=msg("lists of packages stay in the layer"),
        why=msg("They are some 20 MB that nothing reads."),
        fix=msg("End the same RUN with `rm -rf /var/lib/apt/lists/*`."),
        same_as=("DL3009",),
        check=_package_lists,
    ),
    Rule(
        id="docker-no-ignore",
        severity=Severity.MEDIUM,
        title=msg("the whole folder is copied and there is no .dockerignore"),
        why=msg("`.git`, local settings and keys that lie there get into the image."),
        fix=msg("Add a .dockerignore, or copy the folders that are needed by name."),
        check=_no_ignore,
    ),
)  # fmt: skip
