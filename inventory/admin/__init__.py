"""The admin pages of the stock room."""

from inventory.admin import places, receipts, records, skus, words

__all__ = ["places", "receipts", "records", "skus", "words"]
