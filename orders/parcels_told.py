"""What mails say of parcels: the seam through which an upper room tells what left together."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParcelSet:
    """The parcels that left together: one mail when they left, one when all of them have arrived.

    `units` are by line part. `has_left` is false once none of them is on its way any more.
    """

    key: str
    order_id: int
    carriers: tuple[str, ...]
    tracking_numbers: tuple[str, ...]
    units: Mapping[int, int]
    has_left: bool
    has_arrived: bool


# Parcel ids → the set each belongs to; a fixed number of statements.
ParcelSets = Callable[[Collection[int]], Mapping[int, ParcelSet]]
# Order ids → the parcels that were made for them, oldest first, each with its order; one statement.
ParcelsOf = Callable[[Collection[int]], Mapping[int, int]]
_readers: dict[ParcelSets, ParcelsOf] = {}


def register_parcel_sets(reader: ParcelSets, of_orders: ParcelsOf) -> None:
    """Let a room tell of its parcels, from `AppConfig.ready()`; a function registers once."""
    _readers[reader] = of_orders


def parcel_sets(parcel_ids: Collection[int]) -> dict[int, ParcelSet]:
    """The set of each parcel; one that nobody knows is left out."""
    found: dict[int, ParcelSet] = {}
    for reader in _readers:
        found |= reader(parcel_ids)
    return found


def parcels_of(order_ids: Collection[int]) -> dict[int, int]:
    """Parcel ids of orders, oldest first, with the order of each."""
    found: dict[int, int] = {}
    for of_orders in _readers.values():
        found |= of_orders(order_ids)
    return found
