"""The master data of the Northwind book: one company, one channel, one warehouse, its products."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.kernel import clock
from config.northwind.neutral import CURRENCY, sku_code
from config.northwind.reading import Book
from inventory.models import Location, Sku, StockLevel
from inventory.services.catalogue import create_location
from inventory.services.levels import ensure_levels
from orders.enums import ChannelKind
from orders.models import LegalEntity, SalesChannel


@dataclass(frozen=True, slots=True)
class Shop:
    channel_id: int
    location_id: int
    sku_ids: Mapping[int, int]
    names: dict[int, str]


def prepare(book: Book) -> Shop:
    """Make what is missing; a second call finds it."""
    entity, _made = LegalEntity.objects.get_or_create(
        code="NORTHWIND",
        defaults={
            "name": "Northwind Traders", "country_code": "US", "currency": CURRENCY, "time_zone": "America/Los_Angeles",
        },
    )  # fmt: skip
    channel, _made = SalesChannel.objects.get_or_create(
        code="northwind",
        defaults={
            "name": "Northwind order book", "kind": ChannelKind.CSV, "legal_entity": entity, "currency": CURRENCY,
        },
    )  # fmt: skip
    location = Location.objects.filter(code="NW").first() or create_location(
        code="NW",
        name="Northwind warehouse",
        time_zone="America/Los_Angeles",
        country_code="US",
        city="Redmond",
    )
    names = {product.product_id: product.name for product in book.products.values()}
    sku_ids = _skus(book, names)
    _reorder_points(book, sku_ids, location.pk)
    return Shop(channel.pk, location.pk, sku_ids, names)


def _skus(book: Book, names: Mapping[int, str]) -> dict[int, int]:
    at = clock.now()
    Sku.objects.bulk_create(
        [
            Sku(
                code=sku_code(number),
                title=name,
                is_active=not book.products[number].is_discontinued,
                created_at=at,
            )
            for number, name in names.items()
        ],
        ignore_conflicts=True,
    )
    by_code = dict(Sku.objects.filter(code__startswith="NW-").values_list("code", "pk"))
    return {number: by_code[sku_code(number)] for number in names}


def _reorder_points(book: Book, sku_ids: Mapping[int, int], location_id: int) -> None:
    ensure_levels([(pk, location_id) for pk in sku_ids.values()])
    numbers = {pk: number for number, pk in sku_ids.items()}
    levels = list(StockLevel.objects.filter(location_id=location_id, sku_id__in=numbers))
    for level in levels:
        level.reorder_point = book.products[numbers[level.sku_id]].reorder_level
    StockLevel.objects.bulk_update(levels, ["reorder_point"])
