"""Invariants of this room as queries (`manage.py audit`)."""
