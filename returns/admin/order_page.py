"""What returns add to the order page: the list of them, and the button that requests one."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.actors import Actor
from config.kernel.admin import ExtraVerb, acting, admin_url, ids_of, status_badge
from config.kernel.results import Results
from config.kernel.templatetags.bancale import localtime
from orders.admin import PanelContext, register_order_button, register_order_panel
from orders.enums import OrderStatus
from orders.models import Order
from orders.selectors.order_rows import register_order_rows, rows_of
from returns.admin.forms import PART, RequestForm, returnable_of
from returns.enums import RmaStatus
from returns.models import Rma
from returns.selectors.queues import with_units
from returns.selectors.units import spoken_for_of
from returns.services.requesting import REQUEST, ReturnRequest, request_returns


def request_typed(
    ids: Sequence[int], *, reason: str, location_id: int, actor: Actor, **given: Any
) -> Results[int]:
    """`request_returns` for the one order of a confirm page, answered by order id; the value is the RMA's id.

    The page's nonce makes a press count once, so that each press may have a key of its own.
    """
    units = {pk: count for pk, count in ids_of(given, PART).items() if count}
    keys = {pk: f"staff:{uuid4().hex}" for pk in ids}
    requests = [ReturnRequest(keys[pk], pk, units, reason, location_id) for pk in ids]
    answers = request_returns(requests, actor=actor)
    results: Results[int] = Results(ids)
    for pk, key in keys.items():
        if key in answers.refusals:
            results.refuse(pk, answers.refusals[key])
        else:
            results.done(pk, answers.values[key])
    return results


register_order_rows("rmas", lambda order: with_units(Rma.objects.filter(order=order)).order_by("pk"))
register_order_rows("returned", spoken_for_of)
register_order_button(
    ExtraVerb(
        name="request_return",
        label=gettext_lazy("Request a return"),
        permission=REQUEST,
        verb=request_typed,
        form=RequestForm,
        success=gettext_lazy("Requested; approve it, and the goods may come back."),
        consequences=lambda order: [
            _("A return is opened with a row for each unit."),
            _("No stock and no money moves yet."),
        ],
        undo=gettext_lazy("It can be rejected, or cancelled until goods arrive."),
        applies=lambda order: order.status != OrderStatus.VOID and bool(returnable_of(order)),
        then=lambda order, rma_id: admin_url(Rma, "change", rma_id),
    )
)


@register_order_panel
def returns_panel(order: Order, request: HttpRequest) -> PanelContext | None:
    """The order's returns; nothing when there are none."""
    actor = acting(request)
    may_see = actor.may("returns.view_rma")
    rows = [
        {
            "number": rma.number,
            "url": admin_url(Rma, "change", rma.pk) if may_see and actor.sees_place(rma.location_id) else "",
            "badge": status_badge(RmaStatus, rma.status),
            "units": rma.unit_count,
            "reason": rma.get_reason_display(),
            "at": localtime(rma.requested_at),
        }
        for rma in rows_of(order, "rmas")
    ]
    if not rows:
        return None
    return PanelContext(
        title=_("Returns"), template="returns/_order_panel.html", context={"rows": rows}, place=30
    )
