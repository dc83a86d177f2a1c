"""The demo's master data: company, channels, locations and shelves, SKUs, kits, reorder points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.demo.catalogue import KITS, PLACES, SCARCE, products
from config.demo.making import SHOPS, units_a_week
from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from config.kernel.history import CREATED, record_history
from inventory.enums import BinKind
from inventory.models import Bin, Location
from inventory.services.catalogue import NewSku, PartOfKit, create_location, create_skus, save_kits
from inventory.services.policies import LevelPolicy, set_policies
from orders.models import LegalEntity, SalesChannel

ACTOR = Actor.system("demo")
WAREHOUSE = Actor.system("warehouse")
SHELVES = ("A-01", "A-02", "A-03", "B-01", "B-02", "C-01")


@dataclass(frozen=True, slots=True)
class Business:
    channel_ids: Mapping[str, int]
    location_ids: Mapping[str, int]
    sku_ids: Mapping[str, int]
    kit_codes: frozenset[str]

    @property
    def goods(self) -> Sequence[str]:
        """The codes that hold stock."""
        return [code for code in self.sku_ids if code not in self.kit_codes]


def prepare() -> Business:
    """Make the master data in an empty database."""
    entity = LegalEntity.objects.create(
        code="BC", name="Bancale Casa S.r.l.", vat_number="IT01234567897", country_code="IT"
    )
    channels = {
        shop.code: SalesChannel.objects.create(
            code=shop.code, name=shop.name, kind=shop.kind, legal_entity=entity, currency=shop.currency,
            language=shop.language, dispatch_days=shop.dispatch_days, priority=shop.priority,
            sender_name="Bancale Casa", sender_email="ordini@example.com",
        ).pk
        for shop in SHOPS.values()
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
    shelves = Bin.objects.bulk_create(
        Bin(location_id=locations["TO"], code=code, kind=BinKind.SHELF) for code in SHELVES
    )
    record_history(shelves, CREATED, actor=ACTOR)
    sku_ids = _skus()
    business = Business(channels, locations, sku_ids, frozenset(kit.code for kit in KITS))
    _reorder_points(business)
    return business


def _skus() -> dict[str, int]:
    drafts = [NewSku(p.code, p.title, (p.barcode,), p.weight_grams) for p in products()]
    drafts += [NewSku(kit.code, kit.title) for kit in KITS]
    ids = in_batches(create_skus, drafts, actor=ACTOR).values
    parts = {
        ids[kit.code]: [PartOfKit(ids[code], units, weight) for code, units, weight in kit.parts]
        for kit in KITS
    }
    save_kits(list(parts), parts=parts, actor=ACTOR).raise_refusals()
    return ids


def _reorder_points(business: Business) -> None:
    """Half a week's demand in Torino; the two shops order by hand. Moka pots keep two back for the counter."""
    week = units_a_week()
    policies = [
        LevelPolicy(
            business.sku_ids[code],
            business.location_ids["TO"],
            buffer=2 if code.startswith("MOK") else 0,
            reorder_point=6 if code in SCARCE else max(1, week[code] // 3),
            target=max(4, week[code] * 2),
        )
        for code in business.goods
    ]
    in_batches(set_policies, policies, actor=ACTOR).raise_refusals()
