"""Wishes as a door hands them over, frozen into actions: what the catalogue and the order say now stands in them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from config.kernel.errors import BancaleError, InvalidInput
from config.kernel.fastpath import take_ids
from config.kernel.languages import filled
from config.kernel.money import round_money
from config.kernel.texts import storable
from inventory.models import KitPart, Sku
from orders.change_shapes import Shape
from orders.changes import (
    Action,
    AddLine,
    GiveDiscount,
    RemoveLine,
    SetAddress,
    SetPrice,
    SetQuantity,
    SetShipping,
    TaxRate,
)
from orders.enums import MoneyOwner
from orders.models import Address, Order
from orders.neutral import NeutralAddress
from orders.parts import KitShare
from orders.services.customers import address_row

MOST = Decimal(100_000_000_000_000)
FOUR = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class NewLine:
    """`tax_rate` in percent; None bears the taxes that most of the order's lines bear."""

    sku_id: int
    quantity: int
    unit_amount: Decimal
    tax_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NewAddress:
    address: NeutralAddress


Wish = NewLine | NewAddress | RemoveLine | SetQuantity | SetPrice | GiveDiscount | SetShipping


@dataclass(slots=True)
class Frozen:
    """The actions of one request, the address rows that they name, and why it cannot be had."""

    actions: list[Action] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    problem: BancaleError | None = None


@dataclass(frozen=True, slots=True)
class _Catalogue:
    skus: Mapping[int, Sku]
    shares: Mapping[int, tuple[KitShare, ...]]


def freeze(wishes: Mapping[int, Sequence[Wish]], shapes: Mapping[int, Shape]) -> dict[int, Frozen]:
    """By request: three statements at most. Nothing is written."""
    every = [wish for some in wishes.values() for wish in some]
    catalogue = _catalogue({wish.sku_id for wish in every if isinstance(wish, NewLine)})
    ids = iter(take_ids({Address: sum(isinstance(wish, NewAddress) for wish in every)})[Address])
    found: dict[int, Frozen] = {}
    for key, some in wishes.items():
        one = found[key] = Frozen()
        for wish in some:
            try:
                if isinstance(wish, NewAddress):
                    one.addresses.append(_address(wish.address, next(ids)))
                    one.actions.append(SetAddress(one.addresses[-1].pk))
                else:
                    one.actions.append(_frozen(wish, shapes[key], catalogue))
            except BancaleError as problem:
                one.problem = one.problem or problem
    return found


def write_addresses(some: Iterable[tuple[Frozen, Order]]) -> None:
    """Keep the snapshots, as the customer's of their order: one statement, none where no address was named."""
    rows = []
    for one, order in some:
        for row in one.addresses:
            row.customer_id = order.customer_id
            rows.append(row)
    if rows:
        Address.objects.bulk_create(rows)


def _catalogue(sku_ids: set[int]) -> _Catalogue:
    skus = Sku.objects.in_bulk(sku_ids) if sku_ids else {}
    kits = [pk for pk, sku in skus.items() if sku.is_kit]
    shares: dict[int, list[KitShare]] = defaultdict(list)
    for part in KitPart.objects.filter(kit__in=kits).order_by("pk") if kits else ():
        shares[part.kit_id].append(KitShare(part.part_id, part.per_unit, part.value_weight))
    return _Catalogue(skus, {pk: tuple(some) for pk, some in shares.items()})


def _frozen(wish: Wish, shape: Shape, catalogue: _Catalogue) -> Action:
    match wish:
        case NewLine():
            return _line(wish, shape, catalogue)
        case SetPrice():
            check_amount("price", wish.unit_amount, FOUR)
        case GiveDiscount():
            if wish.percent is not None and not 0 < wish.percent <= 100:
                accepted = _("accepted is more than 0 and at most 100 %")
                raise InvalidInput(field="discount", value=wish.percent, accepted=accepted)
            check_coins("discount", wish.amount, shape.currency)
        case SetShipping():
            check_coins("shipping", wish.amount, shape.currency)
            taxes = wish.taxes or usual_taxes(shape)
            return SetShipping(storable(wish.method).strip()[:120], wish.amount, taxes)
        case NewAddress():
            raise TypeError("an address is written before it is named")
        case RemoveLine() | SetQuantity():
            pass
    return wish


def _line(wish: NewLine, shape: Shape, catalogue: _Catalogue) -> AddLine:
    sku = catalogue.skus.get(wish.sku_id)
    shares = catalogue.shares.get(wish.sku_id)
    if sku is None or (sku.is_kit and not shares):
        accepted = _("accepted are SKUs that can be shipped")
        raise InvalidInput(field="sku", value=wish.sku_id if sku is None else sku.code, accepted=accepted)
    check_amount("price", wish.unit_amount, FOUR)
    if wish.tax_rate is None:
        taxes = usual_taxes(shape)
    else:
        taxes = (TaxRate("", wish.tax_rate),) if wish.tax_rate else ()
    return AddLine(sku.pk, sku.code, sku.title, wish.quantity, wish.unit_amount, taxes, shares)


def usual_taxes(shape: Shape) -> tuple[TaxRate, ...]:
    """The taxes that most lines of an order bear, where their rates are known; nothing where none does."""
    seen = Counter(
        tuple(TaxRate(tax.title, tax.rate, MoneyOwner(tax.owner)) for tax in line.price.taxes if tax.rate)
        for line in shape.lines
    )
    return seen.most_common(1)[0][0] if seen else ()


def check_amount(name: str, amount: Decimal, step: Decimal) -> None:
    """Refuse what is below nothing, too large, or finer than its column."""
    if not amount.is_finite() or not 0 <= amount < MOST or amount != amount.quantize(step):
        raise InvalidInput(field=name, value=amount, accepted=_("accepted are amounts from 0"))


def check_coins(name: str, amount: Decimal | None, currency: str) -> None:
    if amount is None:
        return
    check_amount(name, amount, FOUR)
    if amount != round_money(amount, currency):
        accepted = filled(_("accepted are whole coins of %(currency)s"), {"currency": currency})
        raise InvalidInput(field=name, value=amount, accepted=accepted)


def _address(stated: NeutralAddress, pk: int) -> Address:
    """A snapshot that can be sent to: street, city and country stand in it, and all of it fits."""
    row, cut = address_row(stated, pk, None)
    missing = [name for name in ("line1", "city") if not getattr(row, name)]
    if missing or cut or len(row.country_code) != 2:
        wrong = (*missing, *cut, *([] if len(row.country_code) == 2 else ["country_code"]))
        accepted = _("accepted is an address with street, city and a country of two letters")
        raise InvalidInput(field="address", value=", ".join(wrong), accepted=accepted)
    return row
