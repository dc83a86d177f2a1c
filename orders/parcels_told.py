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
_readers: list[ParcelSets] = []


def register_parcel_sets(reader: ParcelSets) -> ParcelSets:
    """Let a room tell of its parcels, from `AppConfig.ready()`; a function registers once."""
    if reader not in _readers:
        _readers.append(reader)
    return reader


def parcel_sets(parcel_ids: Collection[int]) -> dict[int, ParcelSet]:
    """The set of each parcel; one that nobody knows is left out."""
    found: dict[int, ParcelSet] = {}
    for reader in _readers:
        found |= reader(parcel_ids)
    return found
