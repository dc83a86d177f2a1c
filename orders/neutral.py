"""The neutral order: what every door hands over, whatever the channel calls its parts.

Amounts are `Decimal` in `currency`, already rounded to that currency's smallest coin, or None where the
channel has not stated them yet. `prices_include_tax` says how the amounts *here* are given: adapters that
receive net lines say False even when the shop types gross prices. A line is worth
`subtotal_amount − Σ discounts`; the taxes stand beside it when prices are net, inside it when they include tax.
`required_on` is the day the buyer wants it by.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from orders.enums import ChargeKind, MoneyOwner, NeutralState, PaymentStatus


@dataclass(frozen=True, slots=True)
class NeutralTax:
    """`rate` in percent (22 means 22 %), None when the channel does not say."""

    title: str
    amount: Decimal | None
    rate: Decimal | None = None
    owner: MoneyOwner = MoneyOwner.SELLER


@dataclass(frozen=True, slots=True)
class NeutralDiscount:
    """A discount's share on one line or charge; `amount` is positive, in the basis of the line's prices."""

    amount: Decimal
    code: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class NeutralLine:
    """`shipped_quantity` are units that the channel no longer waits for: they left before we knew the order. No parcel
    of ours will tell of them, so they count as delivered."""

    external_id: str
    sku_code: str
    title: str
    quantity: int
    unit_amount: Decimal | None
    subtotal_amount: Decimal | None
    discounts: tuple[NeutralDiscount, ...] = ()
    taxes: tuple[NeutralTax, ...] = ()
    requires_shipping: bool = True
    shipped_quantity: int = 0


@dataclass(frozen=True, slots=True)
class NeutralCharge:
    """Shipping, a fee (may be negative), gift wrap, tip or rounding; worth `amount − Σ discounts`."""

    kind: ChargeKind
    external_id: str
    title: str
    amount: Decimal | None
    discounts: tuple[NeutralDiscount, ...] = ()
    taxes: tuple[NeutralTax, ...] = ()


@dataclass(frozen=True, slots=True)
class NeutralAddress:
    """`country_code` is ISO 3166-1 alpha-2 in upper case; empty where the channel gave none."""

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country_code: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class NeutralBuyer:
    external_id: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class NeutralPayment:
    """Money as the channel reports it. `owner` marketplace means that it is never captured or refunded by us."""

    provider: str
    external_id: str
    status: PaymentStatus
    authorised_amount: Decimal
    captured_amount: Decimal
    refunded_amount: Decimal = Decimal(0)
    owner: MoneyOwner = MoneyOwner.SELLER


@dataclass(frozen=True, slots=True)
class NeutralOrder:
    """`buyer_currency` and `buyer_total_amount` are what the buyer saw, where that is not the shop's currency."""

    external_id: str
    placed_at: datetime
    currency: str
    prices_include_tax: bool
    lines: tuple[NeutralLine, ...]
    number: str = ""
    updated_at: datetime | None = None
    state: NeutralState = NeutralState.OPEN
    buyer: NeutralBuyer = field(default_factory=NeutralBuyer)
    ship_to: NeutralAddress | None = None
    bill_to: NeutralAddress | None = None
    charges: tuple[NeutralCharge, ...] = ()
    payments: tuple[NeutralPayment, ...] = ()
    total_amount: Decimal | None = None
    shipping_method: str = ""
    note: str = ""
    is_test: bool = False
    required_on: date | None = None
    buyer_currency: str = ""
    buyer_total_amount: Decimal | None = None
