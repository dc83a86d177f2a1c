"""The master data of the Northwind book: one company, one channel, one warehouse, its products."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from config.northwind.neutral import CURRENCY, sku_code
from config.northwind.reading import Book
from inventory.models import Location
from inventory.services.catalogue import NewSku, create_location, create_skus
from inventory.services.policies import LevelPolicy, set_policies
from orders.enums import ChannelKind
from orders.models import LegalEntity, SalesChannel

ACTOR = Actor.system("northwind")


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
        Location(
            code="NW",
            name="Northwind warehouse",
            time_zone="America/Los_Angeles",
            country_code="US",
            city="Redmond",
        ),
        actor=ACTOR,
    )
    names = {product.product_id: product.name for product in book.products.values()}
    sku_ids = _skus(book, names)
    _reorder_points(book, sku_ids, location.pk)
    return Shop(channel.pk, location.pk, sku_ids, names)


def _skus(book: Book, names: Mapping[int, str]) -> dict[int, int]:
    drafts = [NewSku(sku_code(number), name) for number, name in names.items()]
    by_code = in_batches(create_skus, drafts, actor=ACTOR).values
    return {number: by_code[sku_code(number)] for number in names}


def _reorder_points(book: Book, sku_ids: Mapping[int, int], location_id: int) -> None:
    policies = [
        LevelPolicy(pk, location_id, reorder_point=book.products[number].reorder_level)
        for number, pk in sku_ids.items()
    ]
    in_batches(set_policies, policies, actor=ACTOR).raise_refusals()
