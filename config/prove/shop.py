"""A small shop for the proofs, made through the verbs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from inventory.models import Location
from inventory.services.catalogue import NewSku, PartOfKit, create_location, create_skus, save_kits
from inventory.services.receiving import Receipt, receive_stock
from orders.enums import ChannelKind, PaymentStatus
from orders.models import LegalEntity, SalesChannel
from orders.neutral import NeutralAddress, NeutralBuyer, NeutralLine, NeutralOrder, NeutralPayment
from orders.services.accepting import Incoming, accept_orders

ACTOR = Actor.system("proof")
PLACED_AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
PRICE = Decimal("10.00")
Wanted = Sequence[tuple[str, int]]


@dataclass(slots=True)
class Shop:
    """One channel, its locations, and SKU ids by code. Codes and order keys count up over the whole proof."""

    channel_id: int
    locations: list[Location]
    numbers: "count[int]"

    def new_skus(self, amount: int) -> dict[str, int]:
        """Plain SKUs under new codes, pks by code."""
        drafts = [NewSku(code := f"S{next(self.numbers)}", f"Goods {code}") for _n in range(amount)]
        results = create_skus(drafts, actor=ACTOR)
        results.raise_refusals()
        return dict(results.values)

    def new_kit(self, parts: Mapping[int, int]) -> str:
        """A kit of {part: units}; its code."""
        ((code, kit_id),) = self.new_skus(1).items()
        wanted = [PartOfKit(part, units) for part, units in parts.items()]
        save_kits([kit_id], parts={kit_id: wanted}, actor=ACTOR).raise_refusals()
        return code

    def receive(self, units: Mapping[int, int], place: int = 0) -> None:
        """Units by SKU id into a location."""
        location = self.locations[place].pk
        receipts = [
            Receipt(f"proof:{next(self.numbers)}", sku, location, quantity) for sku, quantity in units.items()
        ]
        receive_stock(receipts, reference=("proof", 1), actor=ACTOR).raise_refusals()

    def place_orders(self, wishes: Iterable[Wanted]) -> list[int]:
        """Accept one order a wish, its lines in the order given; pks in the same sequence."""
        incoming = [Incoming(paid_order(f"P-{next(self.numbers)}", wanted)) for wanted in wishes]
        results = in_batches(accept_orders, incoming, sales_channel_id=self.channel_id, actor=ACTOR)
        results.raise_refusals()
        return [results.values[one.key] for one in incoming]


def open_shop(locations: int = 2) -> Shop:
    entity, _made = LegalEntity.objects.get_or_create(
        code="PROOF", defaults={"name": "Proof srl", "country_code": "IT"}
    )
    channel, _made = SalesChannel.objects.get_or_create(
        code="proof",
        defaults={"name": "Proof", "kind": ChannelKind.WOOCOMMERCE, "legal_entity": entity},
    )
    places = [
        create_location(
            Location(code=f"PLACE{number}", name=f"Place {number}", preference=number), actor=ACTOR
        )
        for number in range(1, locations + 1)
    ]
    return Shop(channel.pk, places, count(1))


def paid_order(key: str, wanted: Wanted) -> NeutralOrder:
    """A paid order of so many units by SKU code, that no hold is due to."""
    lines = tuple(
        NeutralLine(
            external_id=f"line-{number}",
            sku_code=code,
            title=code,
            quantity=quantity,
            unit_amount=PRICE,
            subtotal_amount=PRICE * quantity,
        )
        for number, (code, quantity) in enumerate(wanted)
    )
    total = PRICE * sum(quantity for _code, quantity in wanted)
    return NeutralOrder(
        external_id=key,
        placed_at=PLACED_AT,
        currency="EUR",
        prices_include_tax=True,
        lines=lines,
        buyer=NeutralBuyer(name="Rosa Neri", email=f"{key.lower()}@example.com", language="it"),
        ship_to=NeutralAddress(
            name="Rosa Neri", line1=f"Via Po {key}", city="Torino", postal_code="10124", country_code="IT"
        ),
        total_amount=total,
        payments=(
            NeutralPayment(
                provider="stripe",
                external_id=f"pi_{key}",
                status=PaymentStatus.CAPTURED,
                authorised_amount=total,
                captured_amount=total,
            ),
        ),
    )
