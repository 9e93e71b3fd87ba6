"""What the environment says: config as variables, secrets as files that variables point to."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    log_level: str
    region: str
    max_workers: int
    cache_ttl: int  # seconds
    model: str
    model_host: str
    input_usd: float  # for a million tokens
    output_usd: float
    response_cache: bool
    database_url: str
    redis_url: str
    model_key: str


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings. Raises KeyError and OSError for what is missing."""
    return Settings(
        log_level=environ.get("LOG_LEVEL", "info").upper(),
        region=environ.get("REGION", ""),
        max_workers=int(environ.get("MAX_WORKERS", "4")),
        cache_ttl=int(environ.get("CACHE_TTL", "60")),
        model=environ.get("MODEL", "gpt-5-mini"),
        model_host=environ.get("MODEL_HOST", "api.openai.com"),
        input_usd=float(environ.get("INPUT_USD_PER_MILLION", "0")),
        output_usd=float(environ.get("OUTPUT_USD_PER_MILLION", "0")),
        response_cache=environ.get("FLAG_RESPONSE_CACHE", "false") == "true",
        database_url=_secret("DATABASE_URL", environ),
        redis_url=_secret("REDIS_URL", environ),
        model_key=_secret("OPENAI_API_KEY", environ),
    )


def _secret(name: str, environ: Mapping[str, str]) -> str:
    return Path(environ[f"{name}_FILE"]).read_text(encoding="utf-8").strip()
