"""What the order page shows, put together from selectors and in words."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.actors import places_of
from config.kernel.admin import admin_url, status_pair, tone_of
from config.kernel.countries import country_name
from config.kernel.languages import language_name
from config.kernel.money import ZERO
from config.kernel.templatetags.bancale import badge, local_text, money_text
from orders.admin.decision import decision_words
from orders.admin.mapping import unknown_choices
from orders.admin.order_mails import mails_card
from orders.admin.panels import panels_of
from orders.admin.verbs import holds_of
from orders.admin.words import hold_stops, hold_text, hold_title, provider_words
from orders.enums import (
    FulfillmentStatus,
    HoldKind,
    MoneyOwner,
    OrderStatus,
    PaymentAxis,
    PaymentStatus,
    Step,
)
from orders.models import Address, Hold, Order
from orders.phone import told_reference
from orders.privacy import SEE_MONEY, SEE_PERSONAL, sees_recipient
from orders.selectors.holds import refusing
from orders.selectors.order_page import (
    LineView,
    kept_until,
    line_views,
    newest_decision,
    tax_sums,
)
from orders.selectors.order_rows import rows_of
from orders.selectors.work import days_late
from orders.services.editing import EDIT
from orders.services.holds import HOLD_ORDER
from orders.services.mapping import MAP_SKU

F = FulfillmentStatus
DECIDED = frozenset({F.ALLOCATED, F.BACKORDERED, F.PARTLY_SHIPPED, F.SHIPPED, F.DELIVERED, F.NOTHING_TO_SHIP})
LEFT = frozenset({F.SHIPPED, F.DELIVERED})
GONE = frozenset({OrderStatus.CANCELLED, OrderStatus.VOID})


def page_of(order: Order, request: HttpRequest) -> dict[str, Any]:
    """The cards of the page beside head, buttons and timeline."""
    lines = line_views(order)
    panels = panels_of(order, request)
    personal, money = (request.user.has_perm(right) for right in (SEE_PERSONAL, SEE_MONEY))
    return {
        "title": _("Order %(number)s") % {"number": order.number},
        "badges": badges_of(order, money=money),
        "sub": list(_sub(order)),
        "notices": _notices(order, lines, request),
        "steps": steps_of(order),
        "show_form": False,
        "lines": lines,
        "lines_more": _lines_more(lines),
        "links_line": _sees_line(request),
        "why": None if order.status in GONE else decision_words(newest_decision(order)),
        "main_panels": [panel for panel in panels if panel.column == "main"],
        "side_panels": [panel for panel in panels if panel.column != "main"],
        "shows_money": money,
        "shows_personal": personal,
        "customer": list(_customer(order) if personal else _recipient(order, request)),
        "customer_more": _customer_more(order, request, personal=personal),
        "edit_url": admin_url(Order, "edit", order.pk)
        if request.user.has_perms((EDIT, SEE_PERSONAL))
        else "",
        "money": list(_money(order)) if money else [],
        "payments": list(_payments(order)) if money else [],
        "mails": mails_card(order, request) if personal else [],
        "note": order.note if personal else "",
    }


def badges_of(order: Order, *, money: bool = True) -> list[tuple[str, str]]:
    """Its three axes, or two for those who see no money, and that it is held or late."""
    badges = [status_pair(OrderStatus, order.status)]
    if days := days_late(order):
        badges.insert(0, (ngettext("%(n)d day late", "%(n)d days late", days) % {"n": days}, "stop"))
    if holds_of(order):
        badges.insert(0, (_("On hold"), "stop"))
    badges.append(status_pair(FulfillmentStatus, order.fulfillment_status))
    if money:
        badges.append(status_pair(PaymentAxis, order.payment_status))
    if order.is_test:
        badges.append((_("Test order"), "idle"))
    return badges


def _sub(order: Order) -> Iterator[Any]:
    reference = order.external_number or told_reference(order.external_id)
    yield f"{order.sales_channel.name} {reference}".strip()
    yield _("placed %(when)s") % {"when": local_text(order.placed_at)}
    if order.is_history:
        yield _("imported as history")
    elif order.dispatch_by_on is not None and not order.is_closed and order.fulfillment_status not in LEFT:
        said = _("promised to leave by %(day)s") if days_late(order) else _("leaves by %(day)s")
        yield said % {"day": date_format(order.dispatch_by_on, _("D j M"))}
    if order.required_on is not None:
        yield _("wanted by %(day)s") % {"day": date_format(order.required_on, _("D j M"))}


def _notices(order: Order, lines: Sequence[LineView], request: HttpRequest) -> list[dict[str, Any]]:
    until = kept_until(lines)
    may_lift = request.user.has_perm(HOLD_ORDER) and order.status not in GONE
    personal, money = (request.user.has_perm(right) for right in (SEE_PERSONAL, SEE_MONEY))
    return [
        {
            "tone": "wait",
            "title": hold_title(hold.kind, hold.facts if money else {}),
            "text": f"{_explained(hold, personal=personal, money=money)} {_kept(hold, until)}".strip(),
            **(_way_out(order, hold, request) if may_lift else {"url": "", "label": ""}),
        }
        for hold in holds_of(order)
    ]


def _explained(hold: Hold, *, personal: bool, money: bool) -> str:
    return hold_text(hold, personal=personal) if money else hold_stops(hold)


def _kept(hold: Hold, until: datetime | None) -> str:
    """For how long an order that is not paid keeps its stock."""
    if hold.kind != HoldKind.UNPAID or until is None:
        return ""
    return _("The order’s stock is held until %(when)s, then it goes back.") % {"when": local_text(until)}


def _way_out(order: Order, hold: Hold, request: HttpRequest) -> dict[str, Any]:
    """The button of a hold's notice: map the SKU where that is what it waits for, else lift the hold."""
    may_map = hold.kind == HoldKind.UNKNOWN_SKU and request.user.has_perm(MAP_SKU)
    if may_map and (choices := unknown_choices(order)):
        code, name = next(iter(choices.items()))
        url = f"{admin_url(Order, 'map_sku', order.pk)}?{urlencode({'code': code})}"
        return {"url": url, "label": _("Map %(code)s to…") % {"code": name}}
    url = admin_url(Order, "release_hold", order.pk)
    return {"url": f"{url}?kind={hold.kind}", "label": _("Lift hold")}


def steps_of(order: Order) -> list[tuple[str, str]]:
    """Place, confirm, allocate, ship, deliver: what is done, which comes now, and whether a hold refuses it."""
    if order.status in GONE:
        confirmed = [(_("Confirmed"), "done")] if order.confirmed_at else []
        return [(_("Placed"), "done"), *confirmed, (str(OrderStatus(order.status).label), "stop")]
    goods = order.fulfillment_status
    steps = [
        (_("Place"), _("Placed"), order.status != OrderStatus.DRAFT),
        (_("Confirm"), _("Confirmed"), order.status in (OrderStatus.CONFIRMED, OrderStatus.COMPLETED)),
        (_("Allocate"), _("Allocated"), goods in DECIDED and goods != F.BACKORDERED),
        (_("Ship"), _("Shipped"), goods in LEFT or order.status == OrderStatus.COMPLETED),
        _last_step(order),
    ]
    first = next((place for place, (*_words, is_done) in enumerate(steps) if not is_done), None)
    step = {1: Step.CONFIRM, 2: Step.ALLOCATE, 3: Step.SHIP}.get(-1 if first is None else first)
    now = "stop" if step is not None and refusing(holds_of(order), step) else "now"
    return [
        (past, "done") if is_done else (verb, now if place == first else "")
        for place, (verb, past, is_done) in enumerate(steps)
    ]


def _last_step(order: Order) -> tuple[str, str, bool]:
    """Of one that was ended by hand nobody has said that it was delivered."""
    is_over, goods = order.status == OrderStatus.COMPLETED, order.fulfillment_status
    if is_over and goods == F.SHIPPED:
        return _("Deliver"), str(OrderStatus.COMPLETED.label), True
    return _("Deliver"), _("Delivered"), is_over or goods == F.DELIVERED


def _sees_line(request: HttpRequest) -> bool:
    """Whether a place in line leads to the line: who waits there is seen by who sees the whole business."""
    user = request.user
    return user.has_perm("inventory.view_reservation") and places_of(user) is None


def _lines_more(lines: Sequence[LineView]) -> str:
    units = sum(view.line.quantity for view in lines)
    said = ngettext("%(n)s line", "%(n)s lines", len(lines)) % {"n": len(lines)}
    return f"{said} · " + ngettext("%(n)s unit", "%(n)s units", units) % {"n": units}


def _customer(order: Order) -> Iterator[tuple[Any, ...]]:
    yield _("Name"), order.customer.name if order.customer else (order.ship_to.name if order.ship_to else "")
    yield _("E-mail"), order.email
    yield (
        _("Phone"),
        (order.ship_to.phone if order.ship_to else "") or (order.customer.phone if order.customer else ""),
    )
    yield _("Ship to"), _address(order.ship_to)
    if order.bill_to is not None and _address(order.bill_to) != _address(order.ship_to):
        yield _("Bill to"), _address(order.bill_to)
    yield _("Language"), language_name(order.language)
    if order.shipping_method:
        yield _("Shipping method"), order.shipping_method
    if order.preferred_location is not None:
        yield _("Preferred location"), order.preferred_location.name


def _recipient(order: Order, request: HttpRequest) -> Iterator[tuple[Any, ...]]:
    """As far as it is needed to send the goods: nothing of the buyer once nothing is to be sent any more."""
    if order.ship_to is not None and sees_recipient(request.user, is_live=not order.is_closed):
        yield _("Name"), order.ship_to.name
        yield _("Ship to"), _address(order.ship_to)
    if order.shipping_method:
        yield _("Shipping method"), order.shipping_method
    if order.preferred_location is not None:
        yield _("Preferred location"), order.preferred_location.name


def _address(address: Address | None) -> str:
    if address is None:
        return ""
    place = f"{address.postal_code} {address.city}".strip()
    country = country_name(address.country_code)
    parts = (address.company, address.line1, address.line2, place, address.region, country)
    return ", ".join(part for part in parts if part)


def _customer_more(order: Order, request: HttpRequest, *, personal: bool) -> dict[str, str]:
    if order.customer is None or not request.user.has_perm("orders.view_customer"):
        return {}
    label = str(order.customer) if personal else f"#{order.customer.pk}"
    return {"label": label, "url": admin_url(order.customer, "change", order.customer.pk)}


def _money(order: Order) -> Iterator[tuple[Any, ...]]:
    currency = order.currency
    yield _("Lines"), money_text(order.lines_amount, currency)
    if order.discount_amount:
        yield _("Discounts"), money_text(-order.discount_amount, currency)
    for charge in rows_of(order, "charges"):
        kind = charge.get_kind_display()
        label = f"{kind} ({charge.title})" if charge.title and charge.title != kind else kind
        yield label, money_text(charge.total_amount, currency)
    for tax in tax_sums(order):
        yield _tax_label(order, tax), money_text(tax.amount, currency)
    yield _("Total, computed"), money_text(order.total_computed_amount, currency), "sum"
    yield _("Total, sent by the channel"), money_text(order.total_sent_amount, currency)
    if order.changed_amount:
        yield _("Changed since"), money_text(order.changed_amount, currency)
    if order.cancelled_amount:
        yield _("Cancelled since"), money_text(-order.cancelled_amount, currency)
        yield _("Total, still owed"), money_text(order.owed_amount, currency), "sum"
    if order.total_difference_amount:
        yield _("Difference"), badge(money_text(order.total_difference_amount, currency), "stop")


def _tax_label(order: Order, tax: Any) -> str:
    name = tax.title or _("Tax")
    rate = "" if tax.rate is None else f" {tax.rate.normalize():f} %"
    label = _("%(tax)s in it") if order.prices_include_tax else _("%(tax)s on top")
    said = label % {"tax": f"{name}{rate}" if rate.strip() not in name else name}
    if tax.owner == MoneyOwner.MARKETPLACE:
        owes = _("the marketplace owes it")
        return f"{said} ({owes})"
    return said


def _payments(order: Order) -> Iterator[dict[str, Any]]:
    for payment in rows_of(order, "payments"):
        amount = payment.captured_amount or payment.authorised_amount
        detail = []
        if payment.refunded_amount > ZERO:
            detail.append(
                _("%(amount)s refunded") % {"amount": money_text(payment.refunded_amount, payment.currency)}
            )
        if payment.owner == MoneyOwner.MARKETPLACE:
            detail.append(_("held by the marketplace"))
        yield {
            "provider": provider_words(payment.provider),
            "reference": told_reference(payment.external_id),
            "amount": money_text(amount, payment.currency),
            "badge": badge(payment.get_status_display(), tone_of(PaymentStatus, payment.status)),
            "detail": ", ".join(detail),
        }
