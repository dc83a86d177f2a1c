"""Open holds and the steps that they refuse."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet

from config.kernel.compiled_reads import CompiledRead
from config.kernel.fastpath import Among
from orders.enums import HoldKind, Step
from orders.models import Hold, Order
from orders.states import HOLD_REFUSES

_open = CompiledRead(
    lambda order_ids: Hold.objects.filter(Among("order_id", order_ids), lifted_at=None).order_by("pk")
)


def open_holds(order_ids: Collection[int]) -> dict[int, list[Hold]]:
    """The open holds of orders, oldest first; an order without one is left out. One statement."""
    found: dict[int, list[Hold]] = defaultdict(list)
    for hold in _open(order_ids):
        found[hold.order_id].append(hold)
    return dict(found)


def open_hold_kinds(rows: QuerySet[Order]) -> list[tuple[str, int]]:
    """(kind, orders) of the open holds of these orders, the most frequent first. One statement."""
    held = Hold.objects.filter(order__in=rows.order_by().values("pk"), lifted_at=None)
    counted = held.values_list("kind").annotate(orders=Count("order", distinct=True))
    return sorted(counted, key=lambda row: (-row[1], row[0]))


def held_for(rows: QuerySet[Order], kind: str) -> QuerySet[Order]:
    """Those of these orders that have an open hold of this kind."""
    return rows.filter(Exists(Hold.objects.filter(order=OuterRef("pk"), kind=kind, lifted_at=None)))


def hold_reasons(hold_ids: Collection[int]) -> QuerySet[Hold, tuple[Any, ...]]:
    """Holds and what staff gave as their reason; empty where nothing was typed."""
    return Hold.objects.filter(pk__in=hold_ids).values_list("pk", "reason")


def refusing(holds: Iterable[Hold], step: Step) -> list[Hold]:
    """Those of `holds` that refuse a step.

    A manual hold may let the order be confirmed, where its facts say `"allows": ["confirm"]`; release, label and
    ship are refused by every hold.
    """
    return [hold for hold in holds if step in refused_steps(hold)]


def refused_steps(hold: Hold) -> frozenset[Step]:
    """The steps that a hold refuses, whether it is open or not; no query."""
    steps = HOLD_REFUSES[HoldKind(hold.kind)]
    if hold.kind == HoldKind.MANUAL and Step.CONFIRM.value in hold.facts.get("allows", ()):
        return steps - {Step.CONFIRM}
    return steps
