"""What the page of a fulfillment order shows of its lines."""

from collections import defaultdict
from dataclasses import dataclass

from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine, Parcel
from inventory.enums import BinKind
from inventory.models import BinStock
from orders.models import LinePart


@dataclass(frozen=True, slots=True)
class WorkLine:
    """Units to send, and the bins of the location that hold the SKU: (bin, units), fullest first.

    `kit` is the title of the kit that the goods are a part of.
    """

    title: str
    kit: str
    sku_code: str
    quantity: int
    bins: tuple[tuple[str, int], ...]


def work_lines(work: FulfillmentOrder) -> list[WorkLine]:
    """The lines of a fulfillment order in the order of the customer's lines; two statements."""
    rows = list(
        FulfillmentOrderLine.objects.filter(fulfillment_order=work)
        .select_related("line_part__line", "line_part__sku")
        .order_by("line_part__line__position", "line_part")
    )
    stock = BinStock.objects.filter(
        level__location=work.location_id,
        level__sku__in=[row.line_part.sku_id for row in rows],
        quantity__gt=0,
    )
    bins: dict[int, list[tuple[str, int]]] = defaultdict(list)
    found = stock.exclude(bin__kind=BinKind.QUARANTINE).order_by("-quantity", "bin__code")
    for sku_id, name, units in found.values_list("level__sku_id", "bin__code", "quantity"):
        bins[sku_id].append((name, units))
    return [
        WorkLine(
            goods_title(row.line_part),
            row.line_part.line.title if is_kit_part(row.line_part) else "",
            row.line_part.sku.code if row.line_part.sku else row.line_part.line.sku_code,
            row.quantity,
            tuple(bins[row.line_part.sku_id or 0]),
        )
        for row in rows
    ]


def is_kit_part(part: LinePart) -> bool:
    """Whether the goods are part of what the customer ordered, not the thing itself."""
    return part.sku_id is not None and part.line.sku_id is not None and part.sku_id != part.line.sku_id


def goods_title(part: LinePart) -> str:
    """What lies on the shelf: the SKU's own title for a kit's part, else the line's as it was sold."""
    return part.sku.title if part.sku is not None and is_kit_part(part) else part.line.title


def last_carrier(location_id: int) -> str:
    """The carrier that took the latest parcel of a location; "" before the first."""
    parcels = Parcel.objects.filter(shipment__fulfillment_order__location=location_id).order_by("-pk")
    return parcels.values_list("carrier", flat=True).first() or ""
