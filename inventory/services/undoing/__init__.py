"""What was booked by mistake is taken back by opposite entries."""

from inventory.services.undoing.counts import undo_counts
from inventory.services.undoing.documents import undo_adjustments, undo_receipts
from inventory.services.undoing.transfers import undo_sending

__all__ = ["undo_adjustments", "undo_counts", "undo_receipts", "undo_sending"]
