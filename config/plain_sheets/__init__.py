"""Plain sheets: SKUs, bins, counts, receipts and stock figures from CSV and Excel files, read by django-import-export.

A file is read whole, shown as what it would change, and written by the verbs of the stock room, all or nothing.
"""
