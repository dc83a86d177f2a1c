"""Lines whose SKU nobody knows yet, and which of them could be known by now."""

from collections.abc import Collection

from django.db.models import Exists, F, OuterRef, QuerySet

from inventory.models import Sku
from orders.enums import OPEN_ORDER
from orders.models import OrderLine, SkuAlias


def unknown_lines() -> QuerySet[OrderLine]:
    """Lines of open orders without a SKU, that the channel called something and that are not all cancelled."""
    return OrderLine.objects.filter(
        order__status__in=OPEN_ORDER,
        order__is_history=False,
        parts__sku=None,
        parts__ordered__gt=F("parts__cancelled"),
    ).exclude(sku_code="")


def waiting_order_ids(named: Collection[tuple[int, str]], limit: int) -> list[int]:
    """Open orders with an unknown line of one of these (sales channel id, code), oldest first; one statement."""
    wanted = set(named)
    rows = unknown_lines().filter(
        order__sales_channel__in={channel for channel, _code in wanted},
        sku_code__in={code for _channel, code in wanted},
    )
    found: dict[int, None] = {}
    for pk, channel, code in rows.order_by("order_id").values_list(
        "order_id", "order__sales_channel_id", "sku_code"
    ):
        if (channel, code) in wanted:
            found[pk] = None
            if len(found) == limit:
                break
    return list(found)


def knowable_order_ids(limit: int, *, after: int = 0) -> list[int]:
    """Open orders with an unknown line whose code has been mapped, or has become a SKU, since; by pk, from above
    `after`."""
    mapped = SkuAlias.objects.filter(
        sales_channel=OuterRef("order__sales_channel"), code=OuterRef("sku_code"), sku__is_kit=False
    )
    kits = SkuAlias.objects.filter(
        sales_channel=OuterRef("order__sales_channel"),
        code=OuterRef("sku_code"),
        sku__kit_parts__isnull=False,
    )
    own = Sku.objects.filter(code=OuterRef("sku_code"))
    plain, of_parts = own.filter(is_kit=False), own.filter(kit_parts__isnull=False)
    rows = unknown_lines().filter(
        Exists(mapped) | Exists(kits) | Exists(plain) | Exists(of_parts), order__gt=after
    )
    return list(rows.order_by("order_id").values_list("order_id", flat=True).distinct()[:limit])
