"""Open holds and the steps that they refuse."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from config.kernel.fastpath import Among
from orders.enums import HoldKind, Step
from orders.models import Hold
from orders.states import HOLD_REFUSES


def open_holds(order_ids: Collection[int]) -> dict[int, list[Hold]]:
    """The open holds of orders, oldest first; an order without one is left out. One statement."""
    found: dict[int, list[Hold]] = defaultdict(list)
    for hold in Hold.objects.filter(Among("order_id", order_ids), lifted_at=None).order_by("pk"):
        found[hold.order_id].append(hold)
    return dict(found)


def refusing(holds: Iterable[Hold], step: Step) -> list[Hold]:
    """Those of `holds` that refuse a step.

    A manual hold may let the order be confirmed, where its facts say `"allows": ["confirm"]`; release, label and
    ship are refused by every hold.
    """
    return [hold for hold in holds if step in _refused(hold)]


def _refused(hold: Hold) -> frozenset[Step]:
    steps = HOLD_REFUSES[HoldKind(hold.kind)]
    if hold.kind == HoldKind.MANUAL and Step.CONFIRM.value in hold.facts.get("allows", ()):
        return steps - {Step.CONFIRM}
    return steps
