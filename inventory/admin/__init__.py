"""The admin pages of the stock room."""

from inventory.admin import (
    adjustments,
    alerts,
    counts,
    places,
    receipts,
    records,
    reservations,
    skus,
    transfers,
    words,
)

__all__ = [
    "adjustments",
    "alerts",
    "counts",
    "places",
    "receipts",
    "records",
    "reservations",
    "skus",
    "transfers",
    "words",
]
