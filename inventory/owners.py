"""Who stands behind reservations, and is told in the same transaction when promised units are no longer there.

Upper rooms register the owners of their kinds in `ready()`; this room only knows ("order_line_part", 42).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from config.kernel.actors import Actor

Reference = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Loss:
    """Units of one open reservation that are no longer there; `units_left` of it stay open. `document` took them."""

    reservation_id: int
    sku_id: int
    location_id: int
    reference: Reference
    quantity: int
    units_left: int
    document: Reference = ("", 0)


@dataclass(frozen=True, slots=True)
class Expired:
    """A reservation whose time has run out, or units of it that stood alone then; `was_open` when they were held."""

    reservation_id: int
    sku_id: int
    reference: Reference
    quantity: int
    was_open: bool


@dataclass(frozen=True, slots=True)
class Requeued:
    """A waiting reservation that somebody moved in its queue from one place to another, both counted from 1."""

    reservation_id: int
    sku_id: int
    reference: Reference
    quantity: int
    place_before: int
    place: int
    reason: str


class ReservationOwner(Protocol):
    """What an upper room does for the reservations of its references."""

    def lock(self, reference_ids: Collection[int]) -> None:
        """Lock its rows behind these references, in the kernel's order; no stock level is locked yet."""

    def bound_units(self, reference_ids: Collection[int]) -> Mapping[tuple[int, int], int]:
        """Units by (reference id, location id) that somebody is working on: they are the last to be lost."""

    def lose(self, losses: Sequence[Loss], *, actor: Actor) -> None:
        """Bring its own rows in step: these units have just become waiting ones."""

    def expire(self, expired: Sequence[Expired], *, actor: Actor) -> None:
        """Bring its own rows in step: these reservations have just been closed."""

    def keep(self, kept: Sequence[Expired], *, actor: Actor) -> None:
        """Write down that the end of these has just been taken off, because an owner works on their units."""

    def requeue(self, moved: Sequence[Requeued], *, actor: Actor) -> None:
        """Write down that these have just been moved in line; they wait as before."""


OWNERS: dict[str, list[ReservationOwner]] = defaultdict(list)


def register_owner(kind: str, owner: ReservationOwner) -> None:
    """Add an owner of a reference kind. They are asked in the order of registering, lower rooms first."""
    OWNERS[kind].append(owner)


def ids_by_kind(references: Collection[Reference]) -> dict[str, list[int]]:
    """Reference ids, ascending, by kind."""
    found: dict[str, set[int]] = defaultdict(set)
    for kind, pk in references:
        found[kind].add(pk)
    return {kind: sorted(found[kind]) for kind in sorted(found)}
