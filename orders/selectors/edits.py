"""What staff edited of orders."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from orders.models import OrderEdit


def edited_texts(edit_ids: Collection[int]) -> QuerySet[OrderEdit, tuple[Any, ...]]:
    """Edits, what was before and after; without those that were erased."""
    return OrderEdit.objects.filter(pk__in=edit_ids).values_list("pk", "before", "after")
