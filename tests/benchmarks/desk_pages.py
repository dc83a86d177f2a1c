"""The pages of the desk benchmark, and the people who open them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """A login of a role; `place` is the code of the one location that the person is bound to."""

    role: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    name: str
    url: str
    who: Person


SUPPORT = Person("Support")
# People who may not see buyers: their searches read other columns.
PICKER, READER, BOUND = Person("Picker"), Person("Reader"), Person("Picker", "NEAR")
PEOPLE = (SUPPORT, PICKER, READER, BOUND)
_CALLED = {SUPPORT: "", PICKER: "warehouse: ", READER: "read only: ", BOUND: "one place: "}
_LIST = "/orders/order/"
_FOUND = f"{_LIST}?q="
_PALETTE = "/palette/?q="
_SCANNED = "/find/?q="


def client_of(person: Person) -> Any:
    """A browser in which the person is logged in."""
    from django.contrib.auth.models import Group, User
    from django.test import Client

    import config.wsgi  # noqa: F401  (as a server's worker begins)
    from inventory.models import Location

    name = f"{person.role}-{person.place}".lower().strip("-")
    user, _made = User.objects.get_or_create(username=name, is_staff=True)
    user.groups.add(Group.objects.get(name=person.role))
    for place in Location.objects.filter(code=person.place):
        place.staff.get_or_create(user=user)
    client = Client()
    client.force_login(user)
    return client


def pages() -> list[Page]:
    """Every page that is measured but those that are reached by pressing."""
    known = _known()
    named = [(SUPPORT, name, url) for name, url in (*_lists(known), *_searches(known), *_others(known))]
    named += [(who, name, url) for who in (PICKER, READER, BOUND) for name, url in _without_buyers(known)]
    return [Page(f"{_CALLED[who]}{name}", url, who) for who, name, url in named]


def _known() -> dict[str, Any]:
    """What people type: of an order in the midst of the list, and of goods."""
    from fulfillment.models import Parcel
    from inventory.models import Barcode, Sku
    from orders.models import Order

    order = Order.objects.select_related("customer").order_by("-id")[1000]
    sku = Sku.objects.order_by("id")[123]
    assert order.customer is not None
    barcode, _made = Barcode.objects.get_or_create(code="8006363001234", defaults={"sku": sku})
    return {
        "order": order,
        "phone": order.customer.phone.replace("+39", "").strip().replace(" ", "+"),
        "sku": sku.code,
        "barcode": barcode.code,
        "parcel": Parcel.objects.order_by("-id")[100].tracking_number,
    }


def _lists(known: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("order list", _LIST),
        ("filtered: status", f"{_LIST}?status__exact=completed"),
        ("filtered: channel", f"{_LIST}?sales_channel__id__exact={known['order'].sales_channel_id}"),
        ("filtered: two", f"{_LIST}?status__exact=confirmed&payment_status__exact=paid"),
        ("queue: to confirm", f"{_LIST}?queue=to_confirm"),
        ("queue: on hold", f"{_LIST}?queue=on_hold"),
        ("queue: to allocate", f"{_LIST}?queue=to_allocate"),
        ("queue: backordered", f"{_LIST}?queue=backordered"),
        ("queue: late", f"{_LIST}?queue=late"),
        ("queue: to release", f"{_LIST}?queue=to_release"),
        ("sorted by dispatch", f"{_LIST}?o=9"),
    ]


def _searches(known: dict[str, Any]) -> list[tuple[str, str]]:
    order = known["order"]
    return [
        ("search: number", f"{_FOUND}{order.number}"),
        ("search: reference", f"{_FOUND}{order.external_id}"),
        ("search: e-mail", f"{_FOUND}{order.email}"),
        ("search: part of an e-mail", f"{_FOUND}k298.buy"),
        ("search: part of a name", f"{_FOUND}iordan"),
        ("search: two words", f"{_FOUND}elena+giord"),
        ("search: two letters", f"{_FOUND}gi"),
        ("search: common word", f"{_FOUND}example.com"),
        ("search: phone", f"{_FOUND}{known['phone']}"),
        ("search: SKU", f"{_FOUND}{known['sku']}"),
        ("search: barcode", f"{_FOUND}{known['barcode']}"),
        ("search: tracking number", f"{_FOUND}{known['parcel']}"),
        ("search: nothing", f"{_FOUND}zzyzx"),
    ]


def _others(known: dict[str, Any]) -> list[tuple[str, str]]:
    order = known["order"]
    return [
        ("palette: number", f"{_PALETTE}{order.number}"),
        ("palette: part of a name", f"{_PALETTE}iordan"),
        ("palette: two words", f"{_PALETTE}elena+giord"),
        ("palette: two letters", f"{_PALETTE}gi"),
        ("palette: common word", f"{_PALETTE}example.com"),
        ("palette: e-mail", f"{_PALETTE}{order.email}"),
        ("palette: part of an e-mail", f"{_PALETTE}k298.buy"),
        ("palette: phone", f"{_PALETTE}{known['phone']}"),
        ("palette: SKU", f"{_PALETTE}{known['sku']}"),
        ("palette: barcode", f"{_PALETTE}{known['barcode']}"),
        ("palette: tracking number", f"{_PALETTE}{known['parcel']}"),
        ("palette: nothing", f"{_PALETTE}zzyzx"),
        ("scanned: tracking number", f"{_SCANNED}{known['parcel']}"),
        ("scanned: nothing", f"{_SCANNED}zzyzx"),
        ("next in the list", f"{_LIST}{order.pk}/next/?_changelist_filters=status__exact%3Dcompleted"),
        ("order page", f"{_LIST}{order.pk}/change/"),
        ("dashboard", "/"),
    ]


def _without_buyers(known: dict[str, Any]) -> list[tuple[str, str]]:
    """What those open who may not see buyers; the last two find nothing for them."""
    order = known["order"]
    asked = (
        ("number", order.number),
        ("beginning of a number", order.number[:3]),
        ("reference", order.external_id),
        ("SKU", known["sku"]),
        ("beginning of a SKU", known["sku"][:3]),
        ("barcode", known["barcode"]),
        ("tracking number", known["parcel"]),
        ("e-mail", order.email),
        ("name", "giordano"),
    )
    return [
        ("order list", _LIST),
        ("last page", f"{_LIST}?last=1"),
        ("queue: to release", f"{_LIST}?queue=to_release"),
        *((f"search: {what}", f"{_FOUND}{text}") for what, text in asked),
        *((f"palette: {what}", f"{_PALETTE}{text}") for what, text in asked),
        ("order page", f"{_LIST}{order.pk}/change/"),
        ("dashboard", "/"),
    ]
