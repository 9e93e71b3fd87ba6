"""What the service does by the clock."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sdlc_cli.cost.config import CostConfig
from sdlc_cli.cost.model import Row, Told
from sdlc_cli.cost.options import Budget
from sdlc_cli.serve.service import Service
from sdlc_cli.serve.settings import Settings

MIDNIGHT = datetime(2026, 5, 1, 22, tzinfo=UTC)  # of Berlin
SECOND = timedelta(seconds=1)


def test_budgets_begin_anew_at_midnight_of_their_zone(tmp_path: Path) -> None:
    now = [MIDNIGHT - 2 * SECOND]
    daily = Budget(name="daily", limit_usd=Decimal(1), period="day")
    config = CostConfig(budgets=(daily,), timezone="Europe/Berlin")
    at = int((now[0] - SECOND).timestamp()) * 10**6
    row = Row(ts=at, provider="openai", model="gpt-4o", input=10**6, dedupe="one")

    async def looked() -> None:
        settings = Settings(store=tmp_path / "usage.db", config=config, seal=False)
        service = Service(settings, lambda: now[0])
        await service.start()
        try:
            await service.writer.submit([Told(row=row)])
            await until(lambda: bool(service.states) and service.states[0].spent_pico > 0)
            now[0] = MIDNIGHT + SECOND
            await until(lambda: service.states[0].spent_pico == 0)
        finally:
            await service.stop()

    asyncio.run(looked())


async def until(what: Callable[[], bool]) -> None:
    end = asyncio.get_running_loop().time() + 20
    while not what():
        assert asyncio.get_running_loop().time() < end, "it never came"
        await asyncio.sleep(0.05)
