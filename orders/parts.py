"""What has to leave the shelf for a line: its parts, with the line's value shared among them to the coin."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from config.kernel.money import split_amount


@dataclass(frozen=True, slots=True)
class KitShare:
    """One part of a kit: units a kit takes, and the weight of one unit in the kit's price."""

    sku_id: int
    per_unit: int
    value_weight: int


@dataclass(frozen=True, slots=True)
class KnownSku:
    """A SKU as intake needs it; `shares` is None for a plain one, empty for a kit without parts."""

    pk: int
    shares: tuple[KitShare, ...] | None = None


class PartShare(NamedTuple):
    """One part to freeze on a line; `sku_id` None while nobody knows what it is."""

    sku_id: int | None
    per_unit: int
    value_weight: int
    ordered: int
    value_amount: Decimal | None


def split_line(
    sku: KnownSku | None, *, quantity: int, total: Decimal | None, currency: str
) -> tuple[PartShare, ...]:
    """The parts of one line; their values sum to `total` exactly, or are None while it is unknown.

    A kit without parts counts as unknown: it could never be taken from a shelf.
    """
    shares: Sequence[KitShare] = sku.shares or () if sku is not None else ()
    if not shares:
        known = sku is not None and sku.shares is None
        return (PartShare(sku.pk if sku is not None and known else None, 1, 1, quantity, total),)
    weights = [share.value_weight * share.per_unit for share in shares]
    values = [None] * len(shares) if total is None else split_amount(total, weights, currency)
    return tuple(
        PartShare(share.sku_id, share.per_unit, share.value_weight, quantity * share.per_unit, value)
        for share, value in zip(shares, values, strict=True)
    )
