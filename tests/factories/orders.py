"""The smallest valid rows of the orders room, made through its verbs."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from config.kernel.actors import Actor
from inventory.models import Sku
from orders.enums import ChannelKind, PaymentStatus
from orders.models import LegalEntity, Order, SalesChannel
from orders.neutral import NeutralAddress, NeutralBuyer, NeutralLine, NeutralOrder, NeutralPayment
from orders.services.accepting import Incoming, accept_orders

SYSTEM = Actor.system("tests")
PLACED_AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
_numbers = count(1)


def make_entity(**fields: Any) -> LegalEntity:
    fields = {"code": "IT", "name": "Bottega srl", "country_code": "IT"} | fields
    found = LegalEntity.objects.filter(code=fields["code"]).first()
    return found or LegalEntity.objects.create(**fields)


def make_channel(**fields: Any) -> SalesChannel:
    """A shop of the kind that the recorded WooCommerce orders come from."""
    fields = {"code": "shop", "name": "Bottega", "kind": ChannelKind.WOOCOMMERCE} | fields
    if "legal_entity" not in fields:
        fields["legal_entity"] = make_entity()
    return SalesChannel.objects.filter(code=fields["code"]).first() or SalesChannel.objects.create(**fields)


def neutral_line(
    sku_code: str = "MUG", quantity: int = 2, unit: str | None = "10.00", **fields: Any
) -> NeutralLine:
    amount = None if unit is None else Decimal(unit)
    given = {
        "external_id": f"line-{sku_code}",
        "sku_code": sku_code,
        "title": f"A {sku_code.lower()}",
        "quantity": quantity,
        "unit_amount": amount,
        "subtotal_amount": None if amount is None else amount * quantity,
    }
    return NeutralLine(**given | fields)


def neutral_address(**fields: Any) -> NeutralAddress:
    given = {
        "name": "Rosa Neri",
        "line1": "Via Po 3",
        "city": "Torino",
        "postal_code": "10124",
        "country_code": "IT",
    }
    return NeutralAddress(**given | fields)


def neutral_payment(amount: str | Decimal = "20.00", **fields: Any) -> NeutralPayment:
    given = {
        "provider": "stripe",
        "external_id": "pi_1",
        "status": PaymentStatus.CAPTURED,
        "authorised_amount": Decimal(amount),
        "captured_amount": Decimal(amount),
    }
    return NeutralPayment(**given | fields)


def neutral_order(external_id: str = "A-1", **fields: Any) -> NeutralOrder:
    """Two mugs at 10.00 EUR, tax included, paid, to be sent to Torino: no hold is due."""
    lines = fields.pop("lines", (neutral_line(),))
    known = [line.subtotal_amount for line in lines if line.subtotal_amount is not None]
    total = sum(known, Decimal(0))
    given = {
        "external_id": external_id,
        "placed_at": PLACED_AT,
        "currency": "EUR",
        "prices_include_tax": True,
        "lines": lines,
        "buyer": NeutralBuyer(name="Rosa Neri", email=f"{external_id.lower()}@example.com", language="it"),
        "ship_to": neutral_address(),
        "total_amount": total,
        "payments": (neutral_payment(total),),
    }
    return NeutralOrder(**given | fields)


def make_order(*, channel: SalesChannel | None = None, actor: Actor = SYSTEM, **fields: Any) -> Order:
    """An accepted order through `accept_orders`; `fields` are those of the neutral order.

    Plain SKUs that its lines name and that do not exist are made, so that it has no hold; give `skus=False` to
    leave them unknown, `is_history=True` for history.
    """
    channel = channel or make_channel()
    is_history, with_skus = fields.pop("is_history", False), fields.pop("skus", True)
    external_id = fields.pop("external_id", f"A-{next(_numbers)}")
    neutral = neutral_order(external_id, **fields)
    if with_skus:
        for code in {line.sku_code for line in neutral.lines} - {""}:
            Sku.objects.get_or_create(code=code, defaults={"title": code, "created_at": PLACED_AT})
    incoming = Incoming(neutral, is_history=is_history)
    pk = accept_orders([incoming], sales_channel_id=channel.pk, actor=actor).only()
    return Order.objects.get(pk=pk)


def with_lines(order: NeutralOrder, *lines: NeutralLine) -> NeutralOrder:
    """The same order with other lines, its total and payment left as they are."""
    return replace(order, lines=lines)


def make_kit(code: str = "GIFT", **parts: tuple[int, int]) -> Sku:
    """A kit; `parts` are code=(units a kit takes, value weight of a unit)."""
    kit = Sku.objects.create(code=code, title=code, is_kit=True, created_at=PLACED_AT)
    for part, (per_unit, value_weight) in parts.items():
        sku, _made = Sku.objects.get_or_create(code=part, defaults={"title": part, "created_at": PLACED_AT})
        kit.kit_parts.create(part=sku, per_unit=per_unit, value_weight=value_weight)
    return kit


def assert_sums_up(order: Order) -> None:
    """The stored rows reproduce the order's own sums to the coin: parts, lines, charges, discounts, taxes."""
    lines, charges = list(order.lines.all()), list(order.charges.all())
    for line in lines:
        assert sum(part.value_amount for part in line.parts.all()) == line.total_amount
        assert line.total_amount == line.subtotal_amount - line.discount_amount
        assert sum(share.amount for share in line.discounts.all()) == line.discount_amount
        assert sum(tax.amount for tax in line.taxes.all()) == line.tax_amount
    for charge in charges:
        assert charge.total_amount == charge.amount - charge.discount_amount
        assert sum(tax.amount for tax in charge.taxes.all()) == charge.tax_amount
    taxes = sum(tax.amount for tax in order.tax_lines.all())
    assert taxes == order.tax_amount
    assert sum(share.amount for share in order.discount_shares.all()) == order.discount_amount
    on_top = Decimal(0) if order.prices_include_tax else taxes
    rows = sum(row.total_amount for row in (*lines, *charges)) + on_top
    assert rows == order.total_computed_amount
    stated = order.lines_amount - order.discount_amount + order.charges_amount + on_top
    assert stated == order.total_computed_amount
    assert order.total_sent_amount - order.total_computed_amount == order.total_difference_amount
