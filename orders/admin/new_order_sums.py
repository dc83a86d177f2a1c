"""What an order that is being typed comes to, and what stock there is for it; nothing is written."""

from collections import Counter
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.money import ZERO
from config.kernel.templatetags.bancale import money_text, number
from config.kernel.texts import storable
from config.kernel.visibility import visible_to
from inventory.models import Sku
from inventory.selectors.sku_page import search_skus
from inventory.selectors.stock import available_to_sell
from orders.neutral import NeutralLine, NeutralOrder
from orders.phone import read_phone_order, write_body
from orders.states import PLACE

OFFERED = 10


def skus_view(request: HttpRequest) -> JsonResponse:
    """SKUs that the letters typed so far could mean, each with what can be sold: {"skus": [{code, said}]}."""
    if not request.user.has_perm(PLACE.permission):
        raise PermissionDenied
    term = storable(request.GET.get("q", "")).strip()[:120]
    rows = visible_to(request.user, Sku.objects.filter(is_active=True))
    found = list(search_skus(rows, term).order_by("code")[:OFFERED]) if term else []
    free = available_to_sell([sku.pk for sku in found])
    return JsonResponse(
        {"skus": [{"code": sku.code, "said": f"{sku.title} · {free_words(free[sku.pk])}"} for sku in found]}
    )


def free_words(units: int) -> str:
    return ngettext("%(n)s free", "%(n)s free", units) % {"n": number(units)}


def sums_of(form: Any, lines: Any, typed: Any) -> dict[str, Any] | None:
    """{"rows": (SKU, units, line total, stock, tone), "sums": (label, amount)} of what is filled in so far.

    `typed` makes the body of an order from the form's values and the lines that are whole. None without a channel
    or a known SKU.
    """
    form.is_valid()
    lines.is_valid()
    values = {name: form.cleaned_data.get(name) or "" for name in form.fields}
    whole = [one for one in lines if one.has_changed() and not one.errors and "found" in one.cleaned_data]
    if not values["sales_channel"] or not whole:
        return None
    order = read_phone_order(write_body(typed(values, whole, "-")))
    units = Counter[int]()
    for one in whole:
        units[one.cleaned_data["found"].pk] += one.cleaned_data["quantity"]
    free = available_to_sell(units)
    rows = []
    for one, line in zip(whole, order.lines, strict=True):
        sku = one.cleaned_data["found"]
        said, tone = _stock(free[sku.pk], units[sku.pk])
        amount = money_text(line.subtotal_amount, order.currency)
        rows.append((f"{sku.code} · {sku.title}", line.quantity, amount, said, tone))
    return {"rows": rows, "sums": _sums(order)}


def _stock(free: int, asked: int) -> tuple[str, str]:
    if free >= asked:
        return free_words(free), "ok"
    missing = asked - free
    text = ngettext("%(free)s, %(n)s waits for stock", "%(free)s, %(n)s wait for stock", missing)
    return text % {"free": free_words(free), "n": number(missing)}, "wait"


def _sums(order: NeutralOrder) -> list[tuple[str, str]]:
    taxes = [one for part in order.lines for one in part.taxes]
    taxes += [one for part in order.charges for one in part.taxes]
    tax = sum((one.amount or ZERO for one in taxes), ZERO)
    goods = sum((_amount(line) for line in order.lines), ZERO)
    shipping = (order.total_amount or ZERO) - goods - (ZERO if order.prices_include_tax else tax)
    rows = [(_("Goods"), goods), (_("Shipping"), shipping)]
    if tax:
        rows.append((_("Tax, in the prices") if order.prices_include_tax else _("Tax"), tax))
    rows.append((_("Total"), order.total_amount or ZERO))
    return [(label, money_text(amount, order.currency)) for label, amount in rows]


def _amount(line: NeutralLine) -> Any:
    return line.subtotal_amount or ZERO


def sums_fragment(request: HttpRequest, sums: dict[str, Any] | None) -> HttpResponse:
    """The card's inside, for the open page."""
    return render(request, "orders/_sums.html", {"sums": sums})
