"""The demo's master data: company, channels, locations, SKUs, kits, reorder points."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.demo.catalogue import KITS, PLACES, SCARCE, products
from config.kernel import clock
from inventory.models import Barcode, KitPart, Sku, StockLevel
from inventory.services.catalogue import create_location
from inventory.services.levels import ensure_levels
from orders.enums import ChannelKind
from orders.models import LegalEntity, SalesChannel

_CHANNELS = (
    ("web", "Web shop", ChannelKind.WEB_SHOP, "it", 2, 10),
    ("amazon", "Amazon.it", ChannelKind.AMAZON, "it", 1, 0),
    ("ebay", "eBay", ChannelKind.EBAY, "en", 3, 0),
)


@dataclass(frozen=True, slots=True)
class Business:
    channel_ids: Mapping[str, int]
    location_ids: Mapping[str, int]
    sku_ids: Mapping[str, int]
    kit_codes: frozenset[str]


def prepare() -> Business:
    """Make the master data in an empty database."""
    entity = LegalEntity.objects.create(
        code="BC", name="Bancale Caffè S.r.l.", vat_number="IT01234567897", country_code="IT"
    )
    channels = {
        code: SalesChannel.objects.create(
            code=code, name=name, kind=kind, legal_entity=entity, language=language, dispatch_days=days,
            priority=priority, sender_name="Bancale Caffè", sender_email="ordini@example.com",
        ).pk
        for code, name, kind, language, days, priority in _CHANNELS
    }  # fmt: skip
    locations = {
        place.code: create_location(
            code=place.code, name=place.name, city=place.city, postal_code=place.postal_code, line1=place.line1,
            country_code="IT", preference=place.preference,
        ).pk
        for place in PLACES
    }  # fmt: skip
    sku_ids = _skus()
    _reorder_points(sku_ids, locations["TO"])
    return Business(channels, locations, sku_ids, frozenset(kit.code for kit in KITS))


def _skus() -> dict[str, int]:
    at = clock.now()
    rows = [Sku(code=p.code, title=p.title, weight_grams=p.weight_grams, created_at=at) for p in products()]
    rows += [Sku(code=kit.code, title=kit.title, is_kit=True, created_at=at) for kit in KITS]
    ids = {sku.code: sku.pk for sku in Sku.objects.bulk_create(rows)}
    Barcode.objects.bulk_create(Barcode(sku_id=ids[p.code], code=p.barcode) for p in products())
    KitPart.objects.bulk_create(
        KitPart(kit_id=ids[kit.code], part_id=ids[code], per_unit=units, value_weight=weight)
        for kit in KITS
        for code, units, weight in kit.parts
    )
    return ids


def _reorder_points(sku_ids: Mapping[str, int], location_id: int) -> None:
    plain = [pk for code, pk in sku_ids.items() if not code.startswith("KIT")]
    ensure_levels([(pk, location_id) for pk in plain])
    codes = {pk: code for code, pk in sku_ids.items()}
    levels = list(StockLevel.objects.filter(location_id=location_id, sku_id__in=plain))
    for level in levels:
        level.reorder_point = 6 if codes[level.sku_id] in SCARCE else 10
        level.buffer = 2 if codes[level.sku_id].startswith("MOK") else 0
    StockLevel.objects.bulk_update(levels, ["reorder_point", "buffer"])
