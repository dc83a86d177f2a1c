"""A shop to take orders for: SKUs with stock at two locations, one channel, and orders from a seed."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from inventory.models import Location, Sku, StockLevel
from inventory.services.catalogue import NewSku, create_location, create_skus
from inventory.services.receiving import Receipt, receive_stock
from orders.enums import ChannelKind, ChargeKind, PaymentStatus
from orders.models import LegalEntity, SalesChannel
from orders.neutral import (
    NeutralAddress,
    NeutralBuyer,
    NeutralCharge,
    NeutralDiscount,
    NeutralLine,
    NeutralOrder,
    NeutralPayment,
    NeutralTax,
)
from orders.services.accepting import Incoming

ACTOR = Actor.system("benchmark")
SKUS = 1_000
LINES = 3
PLACED_AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
VAT = Decimal(22)
CENT = Decimal("0.01")
PRICES = [Decimal(number) / 100 for number in range(495, 9995, 50)]


def set_up(orders: int) -> SalesChannel:
    """1,000 SKUs at two locations with enough for about 98 in 100 of the orders' units, the rest runs out."""
    create_skus_and_stock(orders)
    entity = LegalEntity.objects.create(code="IT", name="Bottega srl", country_code="IT")
    return SalesChannel.objects.create(
        code="shop", name="Bottega", kind=ChannelKind.WOOCOMMERCE, legal_entity=entity
    )


def create_skus_and_stock(orders: int) -> None:
    codes = [NewSku(code_of(number), f"Article {number}") for number in range(SKUS)]
    in_batches(create_skus, codes, actor=ACTOR).raise_refusals()
    places = [
        create_location(Location(code=code, name=code, preference=10 * rank), actor=ACTOR)
        for rank, code in enumerate(("NEAR", "FAR"))
    ]
    plenty = max(20, 12 * orders * LINES // SKUS)
    for place in places:
        receipts = [
            Receipt(f"{place.code}:{sku.pk}", sku.pk, place.pk, 3 if number % 50 == 0 else plenty)
            for number, sku in enumerate(Sku.objects.order_by("pk"))
        ]
        in_batches(receive_stock, receipts, reference=("benchmark", 1), actor=ACTOR).raise_refusals()


def stock_up(units: int) -> None:
    """Receive enough of what ran short, so that copies of its reservations are covered too."""
    short = (
        StockLevel.objects.filter(on_hand__lt=units // 20).order_by("pk").values_list("sku_id", "location_id")
    )
    receipts = [Receipt(f"more:{sku}:{place}", sku, place, units) for sku, place in short]
    in_batches(receive_stock, receipts, reference=("benchmark", 2), actor=ACTOR).raise_refusals()


def code_of(number: int) -> str:
    return f"ART-{number:04}"


class Orders:
    """An endless row of neutral orders: 3 lines each, tax inside, a charge, a payment, some discounts."""

    def __init__(self, seed: int, *, prefix: str = "W", hot: Sequence[int] = ()) -> None:
        self.random = random.Random(seed)
        self.prefix, self.hot = prefix, tuple(hot)
        self.made = 0

    def take(self, count: int) -> list[Incoming]:
        return [Incoming(self._order()) for _number in range(count)]

    def _order(self) -> NeutralOrder:
        self.made += 1
        chosen = self.random.sample(range(len(self.hot) and 1, SKUS), LINES - len(self.hot))
        lines = tuple(self._line(number, sku) for number, sku in enumerate((*self.hot, *chosen)))
        tax = NeutralTax("IVA", Decimal("1.08"), VAT)
        charge = NeutralCharge(ChargeKind.SHIPPING, "ship", "Corriere", Decimal("6.00"), taxes=(tax,))
        total = charge.amount + sum(
            line.subtotal_amount - sum(one.amount for one in line.discounts) for line in lines
        )
        key = f"{self.prefix}-{self.made:07}"
        buyer = self.random.randrange(10_000_000) if self.random.random() < 0.6 else self.made % 997
        address = self._address(buyer)
        paid = NeutralPayment("stripe", f"pi_{key}", PaymentStatus.CAPTURED, total, total)
        return NeutralOrder(
            external_id=key,
            number=f"#{key}",
            placed_at=PLACED_AT + timedelta(seconds=self.made),
            currency="EUR",
            prices_include_tax=True,
            lines=lines,
            charges=(charge,),
            buyer=NeutralBuyer(
                str(buyer), f"Buyer {buyer}", f"buyer{buyer}@example.com", "+39 011 555", "it"
            ),
            ship_to=address,
            bill_to=address,
            payments=(paid,),
            total_amount=total,
            shipping_method="Corriere 24/48h",
            note="Citofono rotto, chiamare" if buyer % 10 == 0 else "",
        )

    def _line(self, number: int, sku: int) -> NeutralLine:
        quantity = self.random.choice((1, 1, 1, 2, 3))
        unit = PRICES[sku % len(PRICES)]
        worth = unit * quantity
        off = (NeutralDiscount(CENT * 50, "SPRING", "Spring"),) if self.random.random() < 0.15 else ()
        net = worth - sum(one.amount for one in off)
        tax = NeutralTax("IVA", (net * VAT / (100 + VAT)).quantize(CENT), VAT)
        return NeutralLine(
            str(number + 1), code_of(sku), f"Article {sku}", quantity, unit, worth, off, (tax,)
        )

    def _address(self, buyer: int) -> NeutralAddress:
        return NeutralAddress(
            name=f"Buyer {buyer}",
            line1=f"Via Po {buyer % 200}",
            city="Torino",
            region="TO",
            postal_code="10124",
            country_code="IT",
            phone="+39 011 555",
            email=f"buyer{buyer}@example.com",
        )
