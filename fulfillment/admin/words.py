"""The warehouse in words: tones of its statuses and its events."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin import describe, set_tones
from config.kernel.admin.subjects import call_facts, call_subscribers
from fulfillment.enums import FulfillmentOrderStatus as F
from fulfillment.enums import ParcelStatus as P
from fulfillment.services.changed_orders import ORDER_CHANGED
from fulfillment.services.stock_loss import LOST_STOCK

set_tones(
    F,
    {
        F.OPEN: "wait",
        F.RELEASED: "wait",
        F.PICKING: "info",
        F.PICKED: "info",
        F.PACKED: "info",
        F.SHIPPED: "ok",
    },
)
set_tones(
    P,
    {
        P.LABELLED: "wait",
        P.HANDED_OVER: "info",
        P.IN_TRANSIT: "info",
        P.OUT_FOR_DELIVERY: "info",
        P.DELIVERED: "ok",
        P.EXCEPTION: "stop",
        P.RETURNED_TO_SENDER: "stop",
        P.LOST: "stop",
    },
)


def _number(facts: Mapping[str, Any]) -> str:
    return str(facts.get("number", ""))


def _parcel(facts: Mapping[str, Any]) -> str:
    return f"{facts.get('carrier', '')} {facts.get('tracking_number', '')}".strip()


def _shipped(facts: Mapping[str, Any]) -> str:
    return _("%(number)s shipped") % {"number": _number(facts)}


def _cancelled(facts: Mapping[str, Any]) -> str:
    why = WHY.get(facts.get("why", ""), "")
    return f"{_number(facts)} {why}".strip()


WHY = {
    LOST_STOCK: gettext_lazy("units it asked for are lost"),
    ORDER_CHANGED: gettext_lazy("the order changed"),
}
WORK = "fulfillment_order"
describe(WORK, "created", gettext_lazy("Work made out for the warehouse"), detail=_number, tone="info")
describe(WORK, "release", gettext_lazy("Released to the warehouse"), detail=_number, tone="info")
describe(WORK, "ship_by_hand", _shipped, detail=_parcel, tone="ok")
describe(WORK, "cancel", gettext_lazy("Warehouse work cancelled"), detail=_cancelled, tone="stop")
PARCEL = "parcel"
describe(PARCEL, "created", gettext_lazy("Parcel packed"), detail=_parcel, tone="info")
describe(PARCEL, "hand_over", gettext_lazy("Parcel handed to the carrier"), detail=_parcel, tone="info")
describe(PARCEL, "move", gettext_lazy("Parcel in transit"), detail=_parcel, tone="info")
describe(PARCEL, "go_out", gettext_lazy("Parcel out for delivery"), detail=_parcel, tone="info")
describe(PARCEL, "deliver", gettext_lazy("Parcel delivered"), detail=_parcel, tone="ok")
describe(PARCEL, "void", gettext_lazy("Parcel voided"), detail=_parcel, tone="stop")
describe(PARCEL, "trouble", gettext_lazy("Parcel: problem at the carrier"), detail=_parcel, tone="stop")
describe(PARCEL, "send_back", gettext_lazy("Parcel returned to us"), detail=_parcel, tone="stop")
describe(PARCEL, "lose", gettext_lazy("Parcel lost"), detail=_parcel, tone="stop")
call_facts(
    {
        "parcel.shipped": gettext_lazy("Parcel shipped"),
        "parcel.delivered": gettext_lazy("Parcel delivered"),
    }
)
call_subscribers({"fulfillment.call_back": gettext_lazy("Call work back from the warehouse")})
