"""The warehouse's admin pages, and what they add to the order page."""

from fulfillment.admin import order_page, parcels, references, words, work

__all__ = ["order_page", "parcels", "references", "words", "work"]
