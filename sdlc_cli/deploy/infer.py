"""A first deploy.yaml for a repository: what it tells, and comments where a person must decide."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from sdlc_cli.deploy.checks import looks_secret
from sdlc_cli.deploy.repository import Repository, imported, look, needed
from sdlc_cli.deploy.words import HIDDEN

# Module -> name, host and variable of its key.
_MODELS: Mapping[str, tuple[str, str, str]] = {
    "openai": ("openai", "api.openai.com", "OPENAI_API_KEY"),
    "anthropic": ("anthropic", "api.anthropic.com", "ANTHROPIC_API_KEY"),
    "google.genai": ("gemini", "generativelanguage.googleapis.com", "GEMINI_API_KEY"),
    "google.generativeai": ("gemini", "generativelanguage.googleapis.com", "GEMINI_API_KEY"),
    "mistralai": ("mistral", "api.mistral.ai", "MISTRAL_API_KEY"),
    "cohere": ("cohere", "api.cohere.com", "CO_API_KEY"),
    "groq": ("groq", "api.groq.com", "GROQ_API_KEY"),
}
# Modules, and the distributions that have them.
_DATABASES = (
    ("psycopg", "psycopg2", "asyncpg", "psycopg_pool"),
    ("psycopg", "psycopg-binary", "psycopg-pool", "psycopg2", "psycopg2-binary", "asyncpg"),
)
_CACHES = (("redis", "valkey", "aioredis"), ("redis", "valkey", "aioredis"))
_MEASURES = ("prometheus_client", "prometheus_fastapi_instrumentator", "opentelemetry")
_USUAL_LIVE = ("/health/live", "/livez", "/live", "/healthz", "/health", "/ping")
_USUAL_READY = ("/health/ready", "/readyz", "/ready", "/healthz", "/health", "/ping")
_PRIVATE = "10.0.0.0/8"
_LEAST_PORT = 1024
_MOST_VARIABLES = 400
_LONGEST = 300


def draft(root: Path) -> str:
    """The text of a deploy.yaml that can be loaded. Runs nothing of the repository."""
    return "\n".join(_lines(look(root))) + "\n"


def _lines(found: Repository) -> Iterator[str]:
    app = _label(found.name) or "service"
    yield "# A first deploy.yaml, from what this repository tells. What is marked CHANGE is a"
    yield "# guess. 'sdlc schema deploy' describes every key."
    yield "version: 1"
    yield f"app: {_quoted(app)}"
    yield f"owner: {_owner(found, app)} # who answers for it; alerts go to them"
    yield ""
    yield "image:"
    yield f"  repository: registry.example.com/{app} # CHANGE: your registry"
    yield f"  tag: {_quoted(_tag(found.version))}"
    yield "  # A pipeline names the digest it built, and production needs one:"
    yield "  # sdlc deploy render --image REPOSITORY@DIGEST"
    yield from _build(found)
    yield ""
    yield from _ports(found)
    yield ""
    yield "resources: # of one replica; CHANGE: measure it under load"
    yield "  requests: {cpu: 250m, memory: 256Mi, ephemeral_storage: 256Mi}"
    yield "  limits: {cpu: 1, memory: 512Mi, ephemeral_storage: 1Gi}"
    yield ""
    yield from _variables(found)
    yield from _outside(found)
    yield from _platform(found)
    yield from _environments()


def _build(found: Repository) -> Iterator[str]:
    yield "build:"
    if not found.is_python:
        yield "  language: other # no Dockerfile is rendered: the image is built elsewhere"
        return
    yield f"  python: {_quoted(found.python or '3.12')}"
    sources = [name for name in found.source if _is_path(name)]
    if found.lock:
        yield f"  lock: {found.lock}"
    else:
        yield "  lock: requirements.lock # CHANGE: make one, for example with 'uv pip compile'"
    yield f"  source: {_quoted(sources or ['src'])}"
    words = [word for word in found.command if not HIDDEN.search(word)]
    if words and len(words) == len(found.command) and words[0].strip():
        yield f"  command: {_quoted(words)}"
    yield "  # base: {repository: python, tag: 3.12-slim, digest: sha256:…}"


def _ports(found: Repository) -> Iterator[str]:
    numbers = [port for port in found.ports if _LEAST_PORT <= port <= 65535] or [8080]
    low = [port for port in found.ports if port < _LEAST_PORT]
    guess = "" if numbers[0] in found.ports else "; CHANGE"
    yield f"ports: # a name and a number each, from 1024 on{guess}"
    for i, number in enumerate(numbers[:10]):
        yield f"  {'http' if i == 0 else f'port-{number}'}: {number}"
    for number in low:
        yield f"  # {number} needs rights that the container will not have"
    live = next((path for path in _USUAL_LIVE if path in found.routes), "")
    ready = next((path for path in _USUAL_READY if path in found.routes), "")
    yield "health: # paths that answer 200 when all is well" + ("" if live else "; CHANGE")
    yield f"  live: {live or '/health/live'}"
    yield f"  ready: {ready or live or '/health/ready'}"
    if "/metrics" in found.routes or any(imported(found, *_MEASURES)):
        yield "metrics: {path: /metrics}"
    else:
        yield "metrics: null # no metrics were found; with them: {path: /metrics}"


def _variables(found: Repository) -> Iterator[str]:
    secret = _secret_names(found)
    config = {
        name: value
        for name, value in found.variables.items()
        if name not in secret
        and name.removesuffix("_FILE") not in secret
        and len(name) <= 128
        and len(value) <= _LONGEST
        and not HIDDEN.search(value)
    }
    if config:
        yield "config: # environment variables"
        for name, value in list(config.items())[:_MOST_VARIABLES]:
            yield f"  {name}: {_quoted(value)}"
    else:
        yield "# config: {LOG_LEVEL: INFO}"
    yield "# flags: {new-search: false}"
    if secret:
        yield "secrets: # where each lies in the store outside; never the value. CHANGE the keys"
        for name in sorted(secret):
            yield f"  {name}: {{key: {_label(found.name) or 'service'}/{name.lower()}}}"
    named = {*config, *secret, *found.variables}
    if others := sorted(name for name in found.reads if name not in named):
        yield "# CHANGE: the code reads these variables too; which of them does it need?"
        for i in range(0, min(len(others), _MOST_VARIABLES), 4):
            yield f"#   {', '.join(others[i : i + 4])}"
    yield ""


def _secret_names(found: Repository) -> set[str]:
    names = {name for name, value in found.variables.items() if looks_secret(name, value)}
    names |= {_MODELS[module][2] for module in imported(found, *_MODELS)}
    if needed(found, *_DATABASES):
        names.add("DATABASE_URL")
    if needed(found, *_CACHES):
        names.add("REDIS_URL")
    return {name for name in names if len(name) <= 128}


def _outside(found: Repository) -> Iterator[str]:
    where = f"cidrs: [{_PRIVATE}]" if found.has_terraform else ""
    narrow = " # CHANGE: where it really is" if where else ""
    if needed(found, *_DATABASES):
        yield "databases:"
        yield f"  main: {{{', '.join(filter(None, ['version: 17', where]))}}}{narrow}"
    if needed(found, *_CACHES):
        yield "caches:"
        yield f"  cache: {{{', '.join(filter(None, ['version: 8.0', where]))}}}{narrow}"
    models = {_MODELS[module][:2] for module in imported(found, *_MODELS)}
    if models:
        yield "model_apis:"
        for name, host in sorted(models):
            yield f"  {name}: {{host: {host}}}"


def _platform(found: Repository) -> Iterator[str]:
    yield "cluster:"
    yield "  kubernetes: 1.35"
    yield "  # CHANGE: what it has. Also: cilium, eks-auto, user-namespaces"
    yield "  # provides:"
    yield "  #   [external-secrets, prometheus-operator, metrics-server, cert-manager, ingress]"
    if found.has_terraform:
        yield "infrastructure: existing # there is Terraform here already"
    else:
        yield "infrastructure: managed # by Terraform that is rendered; 'existing' leaves it out"
    if re.fullmatch(r"[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}", found.github):
        yield f"pipeline: {{repository: {_quoted(found.github)}}}"
    yield "# service_levels: {availability: 99.9%, error_rate: 5%, p95_seconds: 1s}"
    yield "# budget: {monthly_usd: 500}"
    yield ""


def _environments() -> Iterator[str]:
    yield "environments: # each may say anything above differently"
    yield "  dev: {replicas: 1}"
    yield "  staging: {replicas: 2}"
    yield "  prod:"
    yield "    replicas: 3"
    yield "    # autoscaling: {min: 3, max: 10, cpu: 70%}"
    yield "    # domains: [service.example.com]"


def _owner(found: Repository, app: str) -> str:
    author = next((name for name in found.authors if name), "")
    owner = found.owner.removeprefix("@") or author or f"{app}-team"
    return _quoted(" ".join(HIDDEN.sub(" ", owner).split())[:100] or f"{app}-team")


def _label(name: str) -> str:
    """The name as a DNS label of at most 40 letters."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:40]
    return re.sub(r"^[^a-z]+", "", label).strip("-")


def _tag(version: str) -> str:
    fits = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", version)
    return version if fits and version != "latest" else "0.1.0"


def _is_path(name: str) -> bool:
    """Whether a Dockerfile can take it literally."""
    return len(name) <= _LONGEST and bool(re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9@_./-]*", name))


def _quoted(value: object) -> str:
    """A JSON value, which is YAML too."""
    return json.dumps(value, ensure_ascii=False)
