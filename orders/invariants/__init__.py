"""Invariants of this room as queries (`manage.py audit`); each reads whole tables in a fixed number of passes."""

from orders.invariants import goods, money, records

__all__ = ["goods", "money", "records"]
