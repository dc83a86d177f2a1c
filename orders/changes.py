"""What may be changed of a placed order: one frozen value an action, and how it is kept as JSON.

A line is named by its pk; one that an earlier action of the same proposal adds, by minus that action's position.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from orders.enums import ActionKind, MoneyOwner
from orders.parts import KitShare


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax that a new line or charge bears; `rate` in percent."""

    title: str
    rate: Decimal
    owner: MoneyOwner = MoneyOwner.SELLER


@dataclass(frozen=True, slots=True)
class AddLine:
    """A new line; title, taxes and, of a kit, `shares` are frozen as they are when the action is added."""

    sku_id: int
    sku_code: str
    title: str
    quantity: int
    unit_amount: Decimal
    taxes: tuple[TaxRate, ...] = ()
    shares: tuple[KitShare, ...] | None = None


@dataclass(frozen=True, slots=True)
class RemoveLine:
    """All of a line that has not left and is not cancelled already."""

    line: int


@dataclass(frozen=True, slots=True)
class SetQuantity:
    """Units of the line in all, those that were shipped or cancelled included."""

    line: int
    quantity: int


@dataclass(frozen=True, slots=True)
class SetPrice:
    """The price of one unit, in the basis of the order's prices."""

    line: int
    unit_amount: Decimal


@dataclass(frozen=True, slots=True)
class GiveDiscount:
    """A further discount on one line, or shared among all that are not cancelled (`line` None): an amount, or a part
    of what they cost."""

    line: int | None = None
    amount: Decimal | None = None
    percent: Decimal | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class SetAddress:
    """Where it is to be sent: a snapshot's pk."""

    address_id: int


@dataclass(frozen=True, slots=True)
class SetShipping:
    """How it is to be sent, and what the buyer pays for that in all; None leaves the charge as it is."""

    method: str
    amount: Decimal | None = None
    taxes: tuple[TaxRate, ...] = ()


Action = AddLine | RemoveLine | SetQuantity | SetPrice | GiveDiscount | SetAddress | SetShipping
Payload = dict[str, Any]
KINDS: Mapping[type, ActionKind] = {
    AddLine: ActionKind.ADD_LINE,
    RemoveLine: ActionKind.REMOVE_LINE,
    SetQuantity: ActionKind.QUANTITY,
    SetPrice: ActionKind.PRICE,
    GiveDiscount: ActionKind.DISCOUNT,
    SetAddress: ActionKind.ADDRESS,
    SetShipping: ActionKind.SHIPPING,
}


def write_action(action: Action) -> tuple[ActionKind, Payload]:
    """An action as its kind and a payload of ids, counts and texts."""
    return KINDS[type(action)], _payload(action)


def _payload(action: Action) -> Payload:
    match action:
        case AddLine():
            return {
                "sku": action.sku_id,
                "code": action.sku_code,
                "title": action.title,
                "quantity": action.quantity,
                "unit": str(action.unit_amount),
                "taxes": _write_taxes(action.taxes),
                "parts": None
                if action.shares is None
                else [[share.sku_id, share.per_unit, share.value_weight] for share in action.shares],
            }
        case RemoveLine():
            return {"line": action.line}
        case SetQuantity():
            return {"line": action.line, "quantity": action.quantity}
        case SetPrice():
            return {"line": action.line, "unit": str(action.unit_amount)}
        case GiveDiscount():
            return {
                "line": action.line,
                "amount": _text(action.amount),
                "percent": _text(action.percent),
                "title": action.title,
            }
        case SetAddress():
            return {"address": action.address_id}
        case SetShipping():
            return {
                "method": action.method,
                "amount": _text(action.amount),
                "taxes": _write_taxes(action.taxes),
            }


def read_action(kind: str, payload: Mapping[str, Any]) -> Action:
    """The action that `write_action` wrote."""
    match ActionKind(kind):
        case ActionKind.ADD_LINE:
            shares = payload["parts"]
            return AddLine(
                payload["sku"],
                payload["code"],
                payload["title"],
                payload["quantity"],
                Decimal(payload["unit"]),
                _read_taxes(payload["taxes"]),
                None if shares is None else tuple(KitShare(*share) for share in shares),
            )
        case ActionKind.REMOVE_LINE:
            return RemoveLine(payload["line"])
        case ActionKind.QUANTITY:
            return SetQuantity(payload["line"], payload["quantity"])
        case ActionKind.PRICE:
            return SetPrice(payload["line"], Decimal(payload["unit"]))
        case ActionKind.DISCOUNT:
            amount, percent = _number(payload["amount"]), _number(payload["percent"])
            return GiveDiscount(payload["line"], amount, percent, payload["title"])
        case ActionKind.ADDRESS:
            return SetAddress(payload["address"])
        case ActionKind.SHIPPING:
            return SetShipping(payload["method"], _number(payload["amount"]), _read_taxes(payload["taxes"]))


def _write_taxes(taxes: Sequence[TaxRate]) -> list[list[str]]:
    return [[tax.title, str(tax.rate), tax.owner.value] for tax in taxes]


def _read_taxes(rows: Sequence[Sequence[str]]) -> tuple[TaxRate, ...]:
    return tuple(TaxRate(title, Decimal(rate), MoneyOwner(owner)) for title, rate, owner in rows)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
