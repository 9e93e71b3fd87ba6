"""What an hour of work costs."""

from collections.abc import Mapping
from decimal import Decimal

from sdlc_cli.plan.model import Placement, Resource


def hourly(placed: Placement, resources: Mapping[str, Resource]) -> Decimal:
    """Dollars for an hour of what a task holds; people are paid for their share of it."""
    return sum(
        (_rate(resources[name]) * amount for name, amount in placed.resources if name in resources),
        Decimal(0),
    )


def _rate(resource: Resource) -> Decimal:
    share = Decimal(resource.percent) / 100 if resource.person else Decimal(1)
    return resource.usd_per_hour * share
