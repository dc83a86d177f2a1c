"""Returns in words: tones of their statuses and their events."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.admin import describe, set_tones
from config.kernel.admin.subjects import call_subscribers
from returns.enums import Condition, Disposition, Reception, RmaStatus

R = RmaStatus
set_tones(
    R,
    {
        R.REQUESTED: "wait",
        R.APPROVED: "back",
        R.IN_TRANSIT: "back",
        R.RECEIVED: "wait",
        R.INSPECTED: "wait",
        R.RESOLVED: "ok",
        R.REJECTED: "stop",
    },
)
set_tones(Reception, {"expected": "back", "received": "ok", "lost": "stop", "wrong": "stop"})
set_tones(
    Disposition,
    {"quarantine": "wait", "restock": "ok", "refurbish": "info", "scrap": "stop", "to_vendor": "info"},
)


def _number(facts: Mapping[str, Any]) -> str:
    return str(facts.get("number", ""))


def _number_and_units(facts: Mapping[str, Any]) -> str:
    count = facts.get("units") or 0
    said = ngettext("%(n)s unit", "%(n)s units", count) % {"n": count}
    return f"{_number(facts)}, {said}"


def _unit(facts: Mapping[str, Any]) -> str:
    return str(facts.get("sku", ""))


def _inspected(facts: Mapping[str, Any]) -> str:
    condition = dict(Condition.choices).get(facts.get("condition", ""), "")
    return ", ".join(filter(None, (_unit(facts), _("found: %(condition)s") % {"condition": condition})))


describe("rma", "created", gettext_lazy("Return requested"), detail=_number_and_units, tone="back")
describe("rma", "approve", gettext_lazy("Return approved"), detail=_number, tone="back")
describe("rma", "reject", gettext_lazy("Return rejected"), detail=_number, tone="stop")
describe("rma", "send", gettext_lazy("Return on its way back"), detail=_number, tone="back")
describe("rma", "receive", gettext_lazy("Return received"), detail=_number_and_units, tone="back")
describe("rma", "inspect", gettext_lazy("Return inspected"), detail=_number, tone="back")
describe("rma", "resolve", gettext_lazy("Return closed"), detail=_number, tone="ok")
describe("rma", "cancel", gettext_lazy("Return cancelled"), detail=_number, tone="idle")
describe("rma", "expire", gettext_lazy("Return expired"), detail=_number, tone="idle")
UNIT = "return_unit"
describe(UNIT, "created", gettext_lazy("Unit expected"), detail=_unit, tone="back")
describe(UNIT, "arrive", gettext_lazy("Unit arrived"), detail=_unit, tone="ok")
describe(UNIT, "miss", gettext_lazy("Unit did not arrive"), detail=_unit, tone="stop")
describe(UNIT, "mistake", gettext_lazy("Something else arrived"), detail=_unit, tone="stop")
FATE = "return_disposition"
describe(FATE, "quarantine", gettext_lazy("Set aside in quarantine"), detail=_unit, tone="wait")
describe(FATE, "restock", gettext_lazy("Back to stock"), detail=_inspected, tone="ok")
describe(FATE, "refurbish", gettext_lazy("To be refurbished"), detail=_inspected, tone="info")
describe(FATE, "scrap", gettext_lazy("Scrapped"), detail=_inspected, tone="stop")
describe(FATE, "to_vendor", gettext_lazy("To the supplier"), detail=_inspected, tone="info")
call_subscribers({"returns.call_off": gettext_lazy("Cancel the returns of an order that was taken away")})
