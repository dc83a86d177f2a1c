"""The row locks of this room, after the orders they belong to."""

from collections import defaultdict
from collections.abc import Iterable

from config.kernel.actors import Actor
from config.kernel.locks import lock_rows
from config.kernel.visibility import seen_by
from orders.services.locking import lock_orders
from returns.models import ReturnUnit, Rma


def lock_returns(rma_ids: Iterable[int], *, actor: Actor) -> dict[int, Rma]:
    """Lock the orders of returns that the actor sees, then the returns, and give these back by id: three statements.

    Whoever holds a return is alone with its units.
    """
    found = dict(seen_by(actor, Rma.objects.filter(pk__in=list(rma_ids))).values_list("pk", "order_id"))
    ids = list(found)
    lock_orders(sorted(set(found.values())))
    rows = Rma.objects.filter(pk__in=ids).select_related("location")
    return {rma.pk: rma for rma in lock_rows("return", rows)}


def units_of(rma_ids: Iterable[int]) -> dict[int, dict[int, ReturnUnit]]:
    """Units of locked returns, by return and unit id; one statement."""
    found: dict[int, dict[int, ReturnUnit]] = defaultdict(dict)
    rows = ReturnUnit.objects.filter(rma__in=list(rma_ids)).select_related(
        "line_part__sku", "line_part__line", "rma"
    )
    for unit in rows.order_by("pk"):
        found[unit.rma_id][unit.pk] = unit
    return found
