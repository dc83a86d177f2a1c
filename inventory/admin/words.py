"""Tones, links and the words of the stock room's pages."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.admin import admin_url, set_tones
from config.kernel.admin.subjects import call_facts, call_jobs, call_subscribers
from inventory.admin.pages import reference_of
from inventory.enums import AdjustmentKind, CountStatus, MovementKind, ReservationState, TransferStatus
from inventory.models import Reservation, Sku, StockLevel, StockMovement
from inventory.selectors.cover import Cover
from inventory.selectors.waterfall import Waterfall, WaterfallRow

set_tones(
    ReservationState,
    {ReservationState.WAITING: "wait", ReservationState.OPEN: "info", ReservationState.CONSUMED: "ok"},
)
set_tones(
    MovementKind,
    {
        MovementKind.RECEIVE: "ok",
        MovementKind.SHIP: "info",
        MovementKind.RETURN: "back",
        MovementKind.SET_ASIDE: "wait",
        MovementKind.OTHER_REASON: "wait",
        MovementKind.PUT_BACK: "ok",
        MovementKind.SCRAP: "stop",
        MovementKind.CORRECTION: "wait",
        MovementKind.TRANSFER_OUT: "info",
        MovementKind.TRANSFER_IN: "ok",
    },
)
set_tones(
    AdjustmentKind,
    {
        AdjustmentKind.CORRECTION: "wait",
        AdjustmentKind.SET_ASIDE: "wait",
        AdjustmentKind.OTHER_REASON: "wait",
        AdjustmentKind.PUT_BACK: "ok",
        AdjustmentKind.SCRAP: "stop",
    },
)
set_tones(TransferStatus, {TransferStatus.SENT: "info", TransferStatus.RECEIVED: "ok"})
set_tones(CountStatus, {CountStatus.DRAFT: "info", CountStatus.COUNTED: "wait", CountStatus.APPROVED: "ok"})
LONGEST_COVER = 365
_BAR_TONES = {"reserved": "res", "unsellable": "un", "buffer": "buf"}


def linked(url: str, text: Any) -> SafeString | str:
    return format_html('<a href="{}">{}</a>', url, text) if url else str(text)


def reference_link(row: Any) -> SafeString | str:
    """A reservation's or movement's document."""
    resolved = reference_of(row)
    return linked(resolved.url, resolved.label)


def sku_link(sku: Sku) -> SafeString | str:
    return format_html('<a class="mono" href="{}">{}</a>', admin_url(Sku, "change", sku.pk), sku.code)


def sku_column(path: str) -> Callable[[Any, Any], SafeString | str]:
    """The code of the SKU at this path in a list whose cell leads to the row: a link in a link is none."""

    @admin.display(description=gettext_lazy("SKU"), ordering=f"{path}__code".replace(".", "__"))
    def sku_said(_admin: Any, row: Any) -> SafeString | str:
        return format_html('<span class="mono">{}</span>', attrgetter(path)(row).code)

    return sku_said


def bars(explained: Waterfall) -> list[dict[str, Any]]:
    """A waterfall for the `waterfall` tag, its sum last."""
    total = {"label": _("Available to sell"), "quantity": explained.available, "total": True}
    return [*(_bar(row) for row in explained.rows), total]


def _bar(row: WaterfallRow) -> dict[str, Any]:
    return {
        "label": row.label,
        "quantity": row.quantity,
        "detail": row.detail,
        "url": link_of(row.link),
        "tone": _BAR_TONES.get(row.kind, ""),
    }


def link_of(link: tuple[str, int]) -> str:
    """Where a waterfall's row is explained."""
    kind, pk = link
    pages = {"stock_level": StockLevel, "sku": Sku}
    if kind in pages:
        return admin_url(pages[kind], "change", pk)
    lists: dict[str, tuple[Any, str]] = {
        "reservations": (Reservation, f"level__id__exact={pk}&state__exact=open"),
        "movements": (StockMovement, f"level__id__exact={pk}"),
        "queue": (Reservation, f"sku__id__exact={pk}&queue=waiting"),
    }
    model, query = lists[kind]
    return f"{admin_url(model, 'changelist')}?{query}"


def signed(units: int) -> str:
    """A change with its sign: +12, −3, 0 for a change of kind only."""
    number = number_format(abs(units), use_l10n=True, force_grouping=True)
    return f"+{number}" if units > 0 else f"−{number}" if units < 0 else number


def aside_words(row: StockMovement) -> str:
    """What a movement changes of the units that are set aside: "Damaged +3"; "" where it changes none."""
    if not row.unsellable_delta:
        return ""
    return f"{row.get_unsellable_reason_display()} {signed(row.unsellable_delta)}"


def cover_words(cover: Cover) -> tuple[str, str]:
    """A span, and what went in it and for how long the rest lasts."""
    span = ngettext("Last %(n)s day", "Last %(n)s days", cover.span) % {"n": cover.span}
    if cover.lasts_days is None:
        return span, _("nothing was shipped")
    rate = number_format(round(cover.a_day, 1), decimal_pos=1, use_l10n=True)
    sold = ngettext(
        "%(n)s unit shipped, %(rate)s a day", "%(n)s units shipped, %(rate)s a day", cover.shipped
    )
    return span, f"{sold % {'n': cover.shipped, 'rate': rate}}: {_lasting(cover)}"


def _lasting(cover: Cover) -> str:
    days = cover.lasts_days or 0
    if cover.available <= 0:
        return _("nothing is left to sell")
    if days > LONGEST_COVER:
        return _("lasts more than a year")
    if days < 1:
        return _("lasts less than a day")
    return ngettext("lasts about %(n)s day", "lasts about %(n)s days", days) % {"n": days}


call_facts(
    {
        "stock.freed": gettext_lazy("Stock came free"),
        "stock.reorder_point_crossed": gettext_lazy("Stock crossed its reorder point"),
        "stock.alert_digest": gettext_lazy("A summary of low stock is due"),
    }
)
call_jobs({"stock_check": gettext_lazy("Check of the stock")})
call_subscribers(
    {
        "inventory.low_stock": gettext_lazy("Look whether stock is low"),
        "inventory.alert_digest": gettext_lazy("Mail about low stock"),
    }
)
