"""What an empty business does first: from the company that sells to the first order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import admin_url
from inventory.models import Location, Sku, StockMovement, StockReceipt
from orders.models import LegalEntity, Order, SalesChannel

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser


@dataclass(frozen=True, slots=True)
class FirstStep:
    """`url` is empty once it is done, for who may not do it, and before the steps that it needs."""

    title: str | Promise
    text: str | Promise
    label: str | Promise
    done: bool = False
    url: str = ""
    is_next: bool = False


def first_steps(user: "AbstractUser | AnonymousUser") -> list[FirstStep]:
    """The steps in their order until there is an order, none for who may do none of them.

    One statement once there is an order, six before.
    """
    if Order.objects.exists():
        return []
    models = (LegalEntity, SalesChannel, Location, Sku, StockMovement)
    entity, channel, location, sku, stock = (model._default_manager.exists() for model in models)
    skus = admin_url(Sku, "changelist")
    steps = [
        (_STEPS[0], entity, True, "orders.add_legalentity", admin_url(LegalEntity, "add")),
        (_STEPS[1], channel, entity, "orders.add_saleschannel", admin_url(SalesChannel, "add")),
        (_STEPS[2], location, True, "inventory.add_location", admin_url(Location, "add")),
        (_STEPS[3], sku, True, "inventory.add_sku", skus),
        (_STEPS[4], stock, location and sku, "inventory.receive_stock", admin_url(StockReceipt, "add")),
        (_STEPS[5], False, channel and sku, "orders.place_order", admin_url(Order, "add")),
    ]
    return _open(user, steps)


def _open(user: Any, steps: Sequence[tuple[tuple[Any, Any, Any], bool, bool, str, str]]) -> list[FirstStep]:
    may = {need: user.has_perm(need) for _words, _done, _can, need, _url in steps}
    if not any(may.values()):
        return []
    urls = [url if can and may[need] and not done else "" for _words, done, can, need, url in steps]
    following = next((url for url in urls if url), None)
    return [
        FirstStep(*words, done=done, url=shown, is_next=bool(shown) and shown == following)
        for (words, done, _can, _need, _url), shown in zip(steps, urls, strict=True)
    ]


# Title, what for, and what the button says.
_STEPS = (
    (
        _("The company that sells"),
        _("Its time zone decides its days, its country its invoices."),
        _("Add legal entity"),
    ),
    (
        _("Where it sells"),
        _("A web shop, a marketplace, the phone: each order belongs to one."),
        _("Add sales channel"),
    ),
    (_("Where stock lies"), _("Each warehouse and shop that holds stock and may ship."), _("Add location")),
    (_("What it sells"), _("One SKU a thing, from a sheet with “Import…” or one by one."), _("Open SKUs")),
    (_("What is there"), _("Count in what lies on the shelves today."), _("Receive stock")),
    (
        _("The first order"),
        _("Typed from the phone, or many from a file under Orders, Imports."),
        _("New order"),
    ),
)
