"""Promises of units: placed, filled, given back and shipped, under the levels' locks.

Whoever calls holds `lock_levels` of the SKUs in the running transaction, which guards their reservations too.
"""

from inventory.services.reservations.consuming import Take, consume_reservations
from inventory.services.reservations.cutting import Cut, cut_reservations
from inventory.services.reservations.ending import end_reservations_at, promise_reservations_for
from inventory.services.reservations.expiring import expire_reservations
from inventory.services.reservations.filling import Fill, fill_reservations
from inventory.services.reservations.moving import Move, move_reservations
from inventory.services.reservations.placing import Claim, place_reservations, placeable
from inventory.services.reservations.releasing import release_reservations
from inventory.services.reservations.requeueing import Requeue, requeue_reservations

__all__ = [
    "Claim",
    "Cut",
    "Fill",
    "Move",
    "Requeue",
    "Take",
    "consume_reservations",
    "cut_reservations",
    "end_reservations_at",
    "expire_reservations",
    "fill_reservations",
    "move_reservations",
    "place_reservations",
    "placeable",
    "promise_reservations_for",
    "release_reservations",
    "requeue_reservations",
]
