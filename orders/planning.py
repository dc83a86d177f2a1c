"""Who plans allocation: the seam through which an upper room replaces the built-in planner."""

from typing import Protocol

from orders import planner
from orders.planner import Plan, Problem


class LocationPlanner(Protocol):
    """Chooses locations for demands; pure, so that it can be rehearsed.

    It answers every demand once, in the same sequence, and gives no more than is free and no claim more than its
    place in the queue allows. What it gets wrong the stock verbs and the database refuse.
    """

    def plan(self, problem: Problem) -> Plan: ...


class FewestSplits:
    """The built-in planner: `orders.planner.plan`."""

    def plan(self, problem: Problem) -> Plan:
        return planner.plan(problem)


_planner: LocationPlanner = FewestSplits()


def register_planner(replacement: LocationPlanner) -> LocationPlanner:
    """Let another planner decide from now on, from `AppConfig.ready()`; returns the one before."""
    global _planner
    before, _planner = _planner, replacement
    return before


def current_planner() -> LocationPlanner:
    return _planner
