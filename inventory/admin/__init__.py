"""The admin pages of the stock room."""

from inventory.admin import adjustments, counts, places, receipts, records, skus, transfers, words

__all__ = ["adjustments", "counts", "places", "receipts", "records", "skus", "transfers", "words"]
