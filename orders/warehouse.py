"""What the warehouse has been asked for: the seam through which an upper room says which units are at work."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AskedUnits:
    """Units of one line part that live work of a location asks for; `number` is the work's name."""

    part_id: int
    location_id: int
    quantity: int
    number: str


# Line part ids → what is asked of them; called with the orders locked, a fixed number of statements.
AskedWork = Callable[[Collection[int]], Iterable[AskedUnits]]
_readers: list[AskedWork] = []


def register_asked_work(reader: AskedWork) -> AskedWork:
    """Let a room say what its live work asks for, from `AppConfig.ready()`; a function registers once."""
    if reader not in _readers:
        _readers.append(reader)
    return reader


def asked_of_warehouse(part_ids: Collection[int]) -> list[AskedUnits]:
    """Everything that live work asks of these line parts."""
    return [asked for reader in _readers for asked in reader(part_ids)]
