"""What mails say of parcels: the seam through which an upper room tells what left together."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet


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
# The rows of all parcels; each names its `order`.
ParcelRows = Callable[[], QuerySet[Any]]
_readers: dict[ParcelSets, ParcelRows] = {}


def register_parcel_sets(reader: ParcelSets, rows: ParcelRows) -> None:
    """Let a room tell of its parcels, from `AppConfig.ready()`; a function registers once."""
    _readers[reader] = rows


def parcel_sets(parcel_ids: Collection[int]) -> dict[int, ParcelSet]:
    """The set of each parcel; one that nobody knows is left out."""
    found: dict[int, ParcelSet] = {}
    for reader in _readers:
        found |= reader(parcel_ids)
    return found


def parcels_of(order_ids: Collection[int]) -> dict[int, int]:
    """Parcel ids of orders, oldest first, with the order of each; a statement for each room that has parcels."""
    found: dict[int, int] = {}
    for rows in _readers.values() if order_ids else ():
        found |= dict(rows().filter(order__in=order_ids).order_by("pk").values_list("pk", "order_id"))
    return found


def parcel_rows() -> list[QuerySet[Any]]:
    """The parcels of every room, to be asked about in a larger statement."""
    return [rows() for rows in _readers.values()]
