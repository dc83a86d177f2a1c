"""Counting what is on the shelves: a list, what was found, and the approval that corrects the books."""

from inventory.services.counts.approving import Judged, approve_counts
from inventory.services.counts.booking import CountPlan, book_count, book_counts
from inventory.services.counts.recording import CountSheet, cancel_counts, record_counts, recount

__all__ = [
    "CountPlan",
    "CountSheet",
    "Judged",
    "approve_counts",
    "book_count",
    "book_counts",
    "cancel_counts",
    "record_counts",
    "recount",
]
