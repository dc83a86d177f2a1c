"""The demo's master data: company, channels, locations, SKUs, kits, reorder points."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.demo.catalogue import KITS, PLACES, SCARCE, products
from config.kernel.actors import Actor
from inventory.models import Location
from inventory.services.catalogue import NewSku, PartOfKit, create_location, create_skus, save_kits
from inventory.services.policies import LevelPolicy, set_policies
from orders.enums import ChannelKind
from orders.models import LegalEntity, SalesChannel

ACTOR = Actor.system("demo")
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
            Location(
                code=place.code, name=place.name, city=place.city, postal_code=place.postal_code, line1=place.line1,
                country_code="IT", preference=place.preference,
            ),
            actor=ACTOR,
        ).pk
        for place in PLACES
    }  # fmt: skip
    sku_ids = _skus()
    _reorder_points(sku_ids, locations["TO"])
    return Business(channels, locations, sku_ids, frozenset(kit.code for kit in KITS))


def _skus() -> dict[str, int]:
    drafts = [NewSku(p.code, p.title, (p.barcode,), p.weight_grams) for p in products()]
    drafts += [NewSku(kit.code, kit.title) for kit in KITS]
    ids = create_skus(drafts, actor=ACTOR).values
    parts = {
        ids[kit.code]: [PartOfKit(ids[code], units, weight) for code, units, weight in kit.parts]
        for kit in KITS
    }
    save_kits(list(parts), parts=parts, actor=ACTOR).raise_refusals()
    return ids


def _reorder_points(sku_ids: Mapping[str, int], location_id: int) -> None:
    policies = [
        LevelPolicy(
            pk,
            location_id,
            buffer=2 if code.startswith("MOK") else 0,
            reorder_point=6 if code in SCARCE else 10,
        )
        for code, pk in sku_ids.items()
        if not code.startswith("KIT")
    ]
    set_policies(policies, actor=ACTOR).raise_refusals()
