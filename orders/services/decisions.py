"""What the planner decided, kept as rows and told on the orders' timelines."""

from collections.abc import Iterable, Mapping, Sequence

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.events import Entry, Thread
from config.kernel.fastpath import insert_values
from orders.models import AllocationDecision
from orders.planner import Decision, Reason

Row = dict[str, int | str | None]


def record_decisions(
    decisions: Sequence[Decision],
    *,
    part_of: Mapping[int, int],
    unknown: Mapping[int, Iterable[tuple[int, int]]],
    actor: Actor,
) -> None:
    """Write one `AllocationDecision` a decision: one statement.

    `part_of` gives the part behind each wish's key, `unknown` by order the (part, units) left out because
    nobody knows their SKU.
    """
    at = clock.now()
    insert_values(
        AllocationDecision,
        ("order_id", "decided_at", "outcome", "chosen", "candidates", "waiting", "actor_kind"),
        [
            (
                decision.order_id,
                at,
                decision.outcome.value,
                _chosen(decision, part_of),
                _candidates(decision),
                _waiting(decision, part_of, unknown.get(decision.order_id, ())),
                actor.kind,
            )
            for decision in decisions
        ],
    )


def given_entry(decision: Decision, kind: str) -> Entry:
    """The event of an order that got units: how many, and from which locations."""
    facts = {
        "outcome": decision.outcome.value,
        "units": sum(share.quantity for share in decision.shares),
        "locations": sorted({share.location_id for share in decision.shares}),
    }
    return Entry(("order", decision.order_id), Thread("order", decision.order_id), kind, facts=facts)


def missing_entry(decision: Decision, kind: str) -> Entry:
    """The event of an order some of whose units wait."""
    facts = {"units": sum(one.quantity for one in decision.missing)}
    return Entry(("order", decision.order_id), Thread("order", decision.order_id), kind, facts=facts)


def _chosen(decision: Decision, part_of: Mapping[int, int]) -> list[Row]:
    return [
        {
            "location": share.location_id,
            "part": part_of[share.key],
            "sku": share.sku_id,
            "quantity": share.quantity,
        }
        for share in decision.shares
    ]


def _candidates(decision: Decision) -> list[Row]:
    return [
        {"location": one.location_id, "reason": one.reason.value, "have": one.have, "asked": one.asked}
        for one in decision.candidates
    ]


def _waiting(decision: Decision, part_of: Mapping[int, int], unknown: Iterable[tuple[int, int]]) -> list[Row]:
    rows: list[Row] = [
        {
            "part": part_of[one.key],
            "sku": one.sku_id,
            "quantity": one.quantity,
            "reason": one.reason.value,
            "ahead": one.ahead,
        }
        for one in decision.missing
    ]
    rows += [
        {"part": part_id, "sku": None, "quantity": units, "reason": Reason.UNKNOWN_SKU.value, "ahead": 0}
        for part_id, units in unknown
    ]
    return rows
