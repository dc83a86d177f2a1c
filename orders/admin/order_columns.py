"""Columns that people may add to the order list."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import OptionalColumn
from config.kernel.countries import country_name
from config.kernel.templatetags.bancale import badge, code, localtime, quantity
from orders.enums import HoldKind
from orders.models import Order
from orders.phone import told_reference
from orders.privacy import SEE_PERSONAL
from orders.selectors import list_columns

MOST_GOODS = 3
LONGEST_NOTE = 80


def _reference(order: Order) -> Any:
    return code(order.external_number or told_reference(order.external_id))


def _goods(lines: Sequence[tuple[int, str]]) -> str:
    said = ", ".join(f"{units} × {what}" for units, what in lines[:MOST_GOODS])
    more = len(lines) - MOST_GOODS
    if more <= 0:
        return said
    text = ngettext("%(goods)s and %(n)s line more", "%(goods)s and %(n)s lines more", more)
    return text % {"goods": said, "n": more}


def _holds(kinds: Sequence[str]) -> Any:
    labels = dict.fromkeys(HoldKind(kind).label for kind in kinds)
    return format_html_join(" ", "{}", ((badge(label, "stop"),) for label in labels))


def _phone(order: Order) -> str:
    numbers = (row.phone for row in (order.ship_to, order.customer) if row is not None)
    return next((number for number in numbers if number), "")


def _day(day: date | None) -> str:
    return date_format(day, gettext("j M")) if day else ""


def _note(order: Order) -> str:
    note = " ".join(order.note.split())
    return note if len(note) <= LONGEST_NOTE else f"{note[:LONGEST_NOTE]}…"


COLUMNS = (
    OptionalColumn("reference", _("channel reference"), _reference),
    OptionalColumn("ordered_goods", _("goods"), _goods, reads=list_columns.goods_listed),
    OptionalColumn("units", _("units"), quantity, reads=list_columns.units_of),
    OptionalColumn("tags", _("tags"), ", ".join, reads=list_columns.tags_of),
    OptionalColumn("held_because", _("held because of"), _holds, reads=list_columns.open_kinds_of),
    OptionalColumn("ships_from", _("ships from"), ", ".join, reads=list_columns.locations_of),
    OptionalColumn(
        "buyer_email", _("e-mail"), lambda order: order.email, needs=SEE_PERSONAL, sorts_by="email"
    ),
    OptionalColumn("buyer_phone", _("phone"), _phone, needs=SEE_PERSONAL),
    OptionalColumn(
        "ship_city", _("city"), lambda order: order.ship_to and order.ship_to.city, needs=SEE_PERSONAL
    ),
    OptionalColumn(
        "ship_country", _("country"), lambda order: order.ship_to and country_name(order.ship_to.country_code)
    ),
    OptionalColumn("shipped_by", _("shipping method"), lambda order: order.shipping_method),
    OptionalColumn("wanted_on", _("wanted by"), lambda order: _day(order.required_on)),
    # Numbered as they are accepted, so the key sorts by the time without an index of its own.
    OptionalColumn("received", _("accepted at"), lambda order: localtime(order.accepted_at), sorts_by="id"),
    OptionalColumn("confirmed", _("confirmed at"), lambda order: localtime(order.confirmed_at)),
    OptionalColumn("completed", _("completed at"), lambda order: localtime(order.completed_at)),
    OptionalColumn("cancelled", _("cancelled at"), lambda order: localtime(order.cancelled_at)),
    OptionalColumn(
        "entity", _("legal entity"), lambda order: order.legal_entity.name, related=("legal_entity",)
    ),
    OptionalColumn("buyer_note", _("buyer's note"), _note, needs=SEE_PERSONAL),
)
