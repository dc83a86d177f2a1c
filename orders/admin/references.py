"""What a reservation for an order is called on the pages of the stock room."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _

from inventory.references import ResolvedReference, register_reference
from orders.models import LinePart


def order_line_parts(ids: Iterable[int]) -> dict[int, ResolvedReference]:
    """Line parts by id, as their order; one statement."""
    rows = LinePart.objects.filter(pk__in=list(ids)).values_list(
        "pk", "line__order_id", "line__order__number"
    )
    return {
        pk: ResolvedReference(
            _("Order %(number)s") % {"number": number}, reverse("admin:orders_order_change", args=[order_id])
        )
        for pk, order_id, number in rows
    }


register_reference("order_line_part", order_line_parts)
