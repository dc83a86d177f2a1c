"""The import desk's pages: uploading, columns, check, preview, applying, taking back."""

from orders.admin.imports import words
from orders.admin.imports.runs import ImportRunAdmin

__all__ = ["ImportRunAdmin", "words"]
