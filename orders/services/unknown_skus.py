"""The hold on orders with lines whose SKU nobody knows, kept in step with those lines."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import F

from config.kernel.actors import Actor
from orders.enums import HoldKind
from orders.models import Hold, LinePart, Order
from orders.services.holds import lift


def follow_unknown_skus(
    orders: Sequence[Order], *, too_many: Mapping[int, Sequence[str]] | None = None, actor: Actor
) -> set[int]:
    """Lift the hold from locked orders that owe nothing unknown any more; on the others it names what is left, and
    by `too_many` the lines among them whose SKU is known but comes to more units than can be counted.

    Returns the orders whose hold changed. Two reads; no rights are asked here.
    """
    pks = [order.pk for order in orders]
    holds = list(Hold.objects.filter(order__in=pks, kind=HoldKind.UNKNOWN_SKU, lifted_at=None).order_by("pk"))
    if not holds:
        return set()
    unknown: dict[int, list[str]] = defaultdict(list)
    owed = LinePart.objects.filter(line__order__in=pks, sku=None, ordered__gt=F("cancelled"))
    for part in owed.select_related("line").order_by("line__position"):
        name = part.line.sku_code or part.line.title
        if name not in unknown[part.line.order_id]:
            unknown[part.line.order_id].append(name)
    lift([hold for hold in holds if hold.order_id not in unknown], actor=actor)
    changed = []
    for hold in holds:
        names = unknown.get(hold.order_id, [])
        large = hold.facts.get("too_many", ()) if too_many is None else too_many.get(hold.order_id, ())
        facts = {name: value for name, value in hold.facts.items() if name != "too_many"} | {"skus": names}
        if still := [name for name in large if name in names]:
            facts["too_many"] = still
        if facts != hold.facts:
            hold.facts = facts
            changed.append(hold)
    Hold.objects.bulk_update([hold for hold in changed if hold.order_id in unknown], ["facts"])
    return {hold.order_id for hold in changed}
