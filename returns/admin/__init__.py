"""The admin pages of returns, and what they add to the order page."""

from returns.admin import order_page, references, rmas, words

__all__ = ["order_page", "references", "rmas", "words"]
