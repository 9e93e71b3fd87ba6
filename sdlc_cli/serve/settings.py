"""How the service was started: addresses, limits, and what is switched on."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from sdlc_cli.core.errors import UsageError
from sdlc_cli.core.i18n import msg
from sdlc_cli.cost.config import CostConfig

MOST_BODY = 20 * 2**20  # bytes, unpacked: what OTLP recommends
BODIES = 64 * 2**20  # bytes of all bodies that are in memory
MOST_CONNECTIONS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it."""

    store: Path
    host: str = "127.0.0.1"
    port: int = 4318
    forward: str = ""
    config: CostConfig = field(default_factory=CostConfig)
    most_body: int = MOST_BODY
    rate: float = 5_000  # requests a second of one client
    drain_s: float = 20
    seal: bool = True
    metrics: bool = True
    demo: bool = True
    cache_s: float = 2.0  # how long an answer about sums is used again
    trace_to: str = ""  # where its own spans go, as http://127.0.0.1:4318

    @property
    def loopback(self) -> bool:
        """Whether nobody but this machine can ask."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own, for nobody else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_bind(settings: Settings, keys: int) -> None:
    """Raises UsageError for an address that others reach while there is no key."""
    if not settings.loopback and not keys:
        raise UsageError(
            msg(
                "{host} is reached by others, and no key is made: anybody could read and write",
                host=settings.host,
            ),
            hint="sdlc serve keys --new ingest",
        )
