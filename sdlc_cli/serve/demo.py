"""The planner on a small project, for `GET /api/v1/quantum/demo`."""

from importlib.util import find_spec


class Missing(Exception):
    """This installation has no planner."""


def plan() -> object:
    """A plan with the annealer's trace. No quantum hardware is used, and the answer says so."""
    if find_spec("sdlc_cli.plan") is None:
        raise Missing("this installation has no planner (sdlc_cli.plan), so there is no demo")
    raise Missing("the planner of this installation has no demo")
