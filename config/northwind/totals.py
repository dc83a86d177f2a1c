"""What the database holds of the Northwind book, in the words of its facts.json."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, QuerySet, Sum

from config.kernel.money import round_sum
from inventory.models import StockLevel
from orders.enums import ChargeKind, FulfillmentStatus, OrderStatus
from orders.models import Charge, Order, OrderLine

CENT = Decimal("0.01")
GONE = (FulfillmentStatus.SHIPPED, FulfillmentStatus.DELIVERED)


@dataclass(frozen=True, slots=True)
class Totals:
    """Amounts in whole cents; `late` are orders that left after the day they were wanted by."""

    orders: int
    lines: int
    gross: Decimal
    net: Decimal
    freight: Decimal
    unshipped: int
    late: int | None
    out_of_stock: int

    def as_facts(self) -> dict[str, int | Decimal]:
        names = ("orders", "lines", "gross", "net", "freight", "unshipped", "late", "out_of_stock")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


def stored_totals() -> Totals:
    """Read the sums back from the tables. `late` is None after a load as history, which has no shipments."""
    orders = Order.objects.filter(sales_channel__code="northwind").exclude(status=OrderStatus.VOID)
    lines = OrderLine.objects.filter(order__in=orders)
    sums = lines.aggregate(gross=Sum("subtotal_amount"), net=Sum("total_amount"))
    freight = Charge.objects.filter(order__in=orders, kind=ChargeKind.SHIPPING).aggregate(all=Sum("amount"))
    shipped = orders.filter(fulfillment_status__in=GONE)
    return Totals(
        orders=orders.count(),
        lines=lines.count(),
        gross=round_sum(sums["gross"]).quantize(CENT),
        net=round_sum(sums["net"]).quantize(CENT),
        freight=round_sum(freight["all"]).quantize(CENT),
        unshipped=orders.count() - shipped.count(),
        late=_late(shipped) if shipped.filter(shipments__isnull=False).exists() else None,
        out_of_stock=_out_of_stock(),
    )


def _late(shipped: QuerySet[Order]) -> int:
    return shipped.filter(shipments__shipped_at__date__gt=F("required_on")).distinct().count()


def _out_of_stock() -> int:
    return StockLevel.objects.filter(location__code="NW", on_hand=0).count()
