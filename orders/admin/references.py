"""What a reservation for an order is called on the pages of the stock room, and which mails its loss brings about."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _

from inventory.aftermath import register_teller
from inventory.references import ResolvedReference, register_reference
from orders.admin.mail_news import backorder_mails
from orders.models import LinePart
from orders.selectors.demand import ORDER_LINE_PART


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


register_reference(ORDER_LINE_PART, order_line_parts)
register_teller(ORDER_LINE_PART, backorder_mails)
