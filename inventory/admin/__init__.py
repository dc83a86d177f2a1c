"""The admin pages of the stock room."""

from inventory.admin import adjustments, alerts, counts, places, receipts, records, skus, transfers, words

__all__ = ["adjustments", "alerts", "counts", "places", "receipts", "records", "skus", "transfers", "words"]
