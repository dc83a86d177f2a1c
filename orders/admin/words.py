"""Orders in words: tones of their statuses, their events, and what a hold means."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.admin import describe, set_tones
from config.kernel.admin.subjects import call_subscribers
from config.kernel.admin.timeline import Lookup, detail_by
from config.kernel.templatetags.bancale import local_text, money_text
from orders.enums import (
    ADDRESS_CHANGED,
    SENT_BACK,
    TEST_ORDER,
    UNCLEAR_PAYMENT,
    ActionKind,
    HoldKind,
    MailKind,
    OrderStatus,
    PaymentAxis,
    PaymentStatus,
    Step,
)
from orders.enums import FulfillmentStatus as F
from orders.models import Address, Hold
from orders.privacy import SEE_MONEY, SEE_NOTE, SEE_PERSONAL
from orders.selectors.holds import hold_reasons
from orders.selectors.notes import note_texts
from orders.services.mail_values import address_lines
from orders.states import HOLD_REFUSES

set_tones(
    OrderStatus,
    {"placed": "wait", "confirmed": "info", "completed": "ok", "cancelled": "idle", "void": "idle"},
)
set_tones(
    F,
    {
        F.UNALLOCATED: "wait",
        F.PARTLY_ALLOCATED: "wait",
        F.ALLOCATED: "info",
        F.BACKORDERED: "wait",
        F.PARTLY_SHIPPED: "info",
        F.SHIPPED: "info",
        F.DELIVERED: "ok",
    },
)
set_tones(
    PaymentAxis,
    {
        "unpaid": "wait", "authorised": "info", "partly_paid": "wait", "paid": "ok", "overpaid": "stop",
        "partly_refunded": "back", "refunded": "back",
    },
)  # fmt: skip
set_tones(
    PaymentStatus,
    {"pending": "wait", "authorised": "info", "captured": "ok", "failed": "stop", "expired": "stop"},
)

MISSING = {
    "channel_release": gettext_lazy("the channel holds it itself"),
    "total": gettext_lazy("the total"),
    "amounts": gettext_lazy("prices"),
    "address": gettext_lazy("the address"),
    "bill_to": gettext_lazy("the billing address"),
    "email": gettext_lazy("the e-mail address"),
    "line1": gettext_lazy("street"),
    "city": gettext_lazy("city"),
    "country_code": gettext_lazy("country"),
    "postal_code": gettext_lazy("post code"),
}


def _listed(codes: Sequence[str]) -> str:
    return ", ".join(str(MISSING.get(code, code)) for code in codes)


def money_said(amount: Any, currency: str) -> str:
    """An amount that a fact carries as text."""
    try:
        return money_text(Decimal(str(amount)), currency)
    except InvalidOperation:
        return str(amount)


CAUSES = {
    TEST_ORDER: gettext_lazy("It is a test order."),
    UNCLEAR_PAYMENT: gettext_lazy("What the channel now says of its payment was refused."),
    SENT_BACK: gettext_lazy("What was paid has been sent back."),
    ADDRESS_CHANGED: gettext_lazy("The channel now states another address."),
}


def hold_title(kind: str, facts: Mapping[str, Any]) -> str:
    """A hold as a short sentence."""
    if (cause := facts.get("cause")) in CAUSES:
        return str(CAUSES[cause])
    if kind == HoldKind.TOTALS and "difference" in facts:
        apart = money_said(facts["difference"], facts.get("currency", ""))
        return _("Totals differ by %(amount)s.") % {"amount": apart}
    if kind == HoldKind.DUPLICATE and facts.get("order"):
        return _("It seems to repeat order %(number)s.") % {"number": facts["order"]}
    sentences = {
        HoldKind.AWAITING_DETAILS: _("The channel has not stated everything yet."),
        HoldKind.UNPAID: _("Nothing has been paid yet."),
        HoldKind.UNKNOWN_SKU: _("A line names a SKU that we do not know."),
        HoldKind.TOTALS: _("The totals differ."),
        HoldKind.ADDRESS: _("The address is not complete."),
        HoldKind.DUPLICATE: _("It seems to repeat another order."),
        HoldKind.FRAUD: _("It is under suspicion of fraud."),
        HoldKind.CANCEL_REQUESTED: _("The buyer asked to cancel it."),
        HoldKind.MANUAL: _("Held by staff."),
        HoldKind.IMPORT: _("The import that brought it is not finished."),
    }
    return sentences.get(HoldKind(kind), str(kind))


def hold_text(hold: Hold, *, personal: bool = True) -> str:
    """What was found, what would lift the hold, and which steps it refuses. What a person wrote may speak of the buyer:
    only those who see personal data read it."""
    written = (hold_reason(hold), _stated_address(hold)) if personal else ()
    parts = [_found(hold), *written, _remedy(hold), _refusals(hold)]
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)


def hold_reason(hold: Hold) -> str:
    """What a person wrote, not what only names a cause that the title says in words."""
    return "" if hold.facts.get("cause") in CAUSES else hold.reason


def _stated_address(hold: Hold) -> str:
    """Where the channel says that the order goes; one statement for a hold about it."""
    if hold.facts.get("cause") != ADDRESS_CHANGED:
        return ""
    return ", ".join(address_lines(Address.objects.filter(pk=hold.facts["address"]).first()))


def _found(hold: Hold) -> str:
    facts = hold.facts
    if hold.kind == HoldKind.TOTALS and "stated" in facts:
        sums = {name: money_said(facts.get(name), facts.get("currency", "")) for name in ("sent", "stated")}
        return _("It came to %(sent)s when it was accepted; now the channel says %(stated)s.") % sums
    if hold.kind == HoldKind.TOTALS and "sent" in facts:
        sums = {name: money_said(facts.get(name), facts.get("currency", "")) for name in ("sent", "computed")}
        return _("The channel sent %(sent)s; lines, charges and taxes add up to %(computed)s.") % sums
    if hold.kind == HoldKind.UNKNOWN_SKU and facts.get("skus"):
        return _unknown(facts["skus"], facts.get("too_many", ()))
    said = []
    if facts.get("missing"):
        said.append(_("Missing: %(what)s.") % {"what": _listed(facts["missing"])})
    if facts.get("cut"):
        said.append(_("Too long and cut: %(what)s.") % {"what": _listed(facts["cut"])})
    return " ".join(said)


def _unknown(names: Sequence[str], too_many: Sequence[str]) -> str:
    """Of a line that is too large the SKU is known: mapping it is no way out."""
    said = []
    if unknown := [name for name in names if name not in too_many]:
        said.append(_("Unknown: %(skus)s.") % {"skus": ", ".join(unknown)})
    if too_many:
        text = _("More units of a kit's part than one line can have: %(skus)s.")
        said.append(text % {"skus": ", ".join(too_many)})
    return " ".join(said)


def _remedy(hold: Hold) -> str:
    if hold.facts.get("cause") == UNCLEAR_PAYMENT:
        return _("Find out whether it is paid, then lift the hold or cancel the order.")
    if hold.facts.get("cause") == ADDRESS_CHANGED:
        return _("Change the address if that is right, which lifts the hold; else lift it.")
    return {
        HoldKind.AWAITING_DETAILS: _("Lift it once the channel has stated the rest."),
        HoldKind.UNPAID: _("It lifts by itself when a payment is reported."),
        HoldKind.UNKNOWN_SKU: _("Map it to one of our SKUs, or cancel its line."),
        HoldKind.TOTALS: _("Lift it to go on with the order as it stands here."),
        HoldKind.ADDRESS: _("Ask the buyer, then lift it."),
        HoldKind.IMPORT: _("It lifts by itself when the import is finished."),
        HoldKind.DUPLICATE: _("Cancel this one if it is the same, else lift the hold."),
        HoldKind.FRAUD: _("Lift it when the check is passed, else cancel the order."),
        HoldKind.CANCEL_REQUESTED: _("Cancel the order, or lift the hold if the buyer changed their mind."),
    }.get(HoldKind(hold.kind), "")


def hold_stops(hold: Hold) -> str:
    """Which steps a hold refuses, without what was found: that may speak of money."""
    return _refusals(hold)


def _refusals(hold: Hold) -> str:
    steps = HOLD_REFUSES[HoldKind(hold.kind)] - set(hold.facts.get("allows", ()))
    words = ", ".join(str(step.label).lower() for step in Step if step in steps)
    return _("Refused meanwhile: %(steps)s.") % {"steps": words}


def _held(facts: Mapping[str, Any]) -> str:
    if facts["kind"] == HoldKind.MANUAL and facts.get("cause") not in CAUSES:
        return _("Held by staff")
    title = hold_title(facts["kind"], facts).rstrip(".")
    return _("Held: %(what)s") % {"what": title[:1].lower() + title[1:]}


def _of_money(facts: Mapping[str, Any]) -> str:
    return SEE_MONEY if "difference" in facts else ""


def _lifted(facts: Mapping[str, Any]) -> str:
    return _("Hold lifted: %(what)s") % {"what": HoldKind(facts["kind"]).label}


def _units(facts: Mapping[str, Any]) -> str:
    count = facts.get("units") or 0
    return ngettext("%(count)s unit", "%(count)s units", count) % {"count": count}


def _amounts(facts: Mapping[str, Any]) -> str:
    said = {
        name: money_said(facts.get(name, 0), facts.get("currency", "")) for name in ("captured", "refunded")
    }
    return _("captured %(captured)s, refunded %(refunded)s") % said


def _first_amount(facts: Mapping[str, Any]) -> str:
    """Of a payment as it was reported first; events of before its amounts stood in them say nothing."""
    words = {"captured": _("captured %(amount)s"), "authorised": _("authorised %(amount)s")}
    for name, text in words.items():
        if name in facts and Decimal(facts[name]):
            return text % {"amount": money_said(facts[name], facts.get("currency", ""))}
    return ""


def _filled(facts: Mapping[str, Any]) -> str:
    return _listed(facts.get("what", ()))


def _how_received(facts: Mapping[str, Any]) -> str:
    if facts.get("left_before"):
        return _("its goods had left before: nothing is left to do")
    return _("imported as history") if facts.get("history") else _("raw body kept")


def _reason(facts: Mapping[str, Any]) -> str:
    return str(facts.get("reason", ""))


def _limited(facts: Mapping[str, Any]) -> str:
    return _("Stock held until %(when)s") % {"when": local_text(datetime.fromisoformat(facts["until"]))}


def _wished(facts: Mapping[str, Any]) -> str:
    return ", ".join(str(ActionKind(kind).label) for kind in dict.fromkeys(facts.get("kinds", ())))


def _totals(facts: Mapping[str, Any]) -> str:
    sums = {name: money_said(facts.get(name), facts.get("currency", "")) for name in ("before", "after")}
    return "" if facts.get("before") == facts.get("after") else _("from %(before)s to %(after)s") % sums


def _added(facts: Mapping[str, Any]) -> str:
    price = money_said(facts.get("price"), facts.get("currency", ""))
    return f"{facts.get('units')} × {facts.get('code')}, {price}"


def _from_to(facts: Mapping[str, Any]) -> str:
    return _("%(code)s from %(before)s to %(after)s") % facts


def _price_from_to(facts: Mapping[str, Any]) -> str:
    sums = {name: money_said(facts.get(name), facts.get("currency", "")) for name in ("before", "after")}
    return _("%(code)s from %(before)s to %(after)s") % {"code": facts["code"], **sums}


def _discount(facts: Mapping[str, Any]) -> str:
    return " ".join(
        (str(facts.get("code") or ""), money_said(facts.get("amount"), facts.get("currency", "")))
    )


def _shipping(facts: Mapping[str, Any]) -> str:
    said = [str(facts.get("method") or "")]
    if facts.get("amount") is not None:
        said.append(money_said(facts["amount"], facts.get("currency", "")))
    return ", ".join(part for part in said if part)


def _mail(facts: Mapping[str, Any]) -> str:
    return str(dict(MailKind.choices).get(facts.get("mail", ""), ""))


def _mail_and_reason(facts: Mapping[str, Any]) -> str:
    return f"{_mail(facts)}: {facts.get('reason', '')}"


describe("order", "created", gettext_lazy("Order received"), detail=_how_received, tone="info")
describe("order", "place", gettext_lazy("Placed"), tone="info")
describe("order", "confirm", gettext_lazy("Confirmed"), tone="ok")
describe("order", "complete", gettext_lazy("Completed"), tone="ok")
describe("order", "close", gettext_lazy("Completed"), tone="ok")
describe("order", "reopen", gettext_lazy("Opened again"), tone="info")
describe(
    "order",
    "cancel",
    gettext_lazy("Cancelled"),
    detail=lambda facts: str(facts.get("reason", "")),
    tone="stop",
)
describe(
    "order",
    "units_cancelled",
    gettext_lazy("Units cancelled"),
    detail=lambda facts: f"{_units(facts)}: {facts.get('reason', '')}",
    tone="stop",
)
describe("order", "sku_mapped", gettext_lazy("SKU “%(code)s” is known now"), tone="ok")
describe(
    "sku_alias",
    "mapped",
    gettext_lazy("A channel's SKU means this one"),
    detail=lambda facts: str(facts.get("code", "")),
    tone="info",
)
describe(
    "order", "details_filled", gettext_lazy("The channel stated what was missing"), detail=_filled, tone="ok"
)
describe(
    "order",
    "hold_changed",
    gettext_lazy("Hold brought up to date"),
    detail=lambda facts: _held(facts),
    tone="wait",
    need=_of_money,
)
describe("order", "hold_placed", _held, tone="stop", need=_of_money)
describe("order", "hold_lifted", _lifted, tone="ok")
describe("order", "allocated", gettext_lazy("Stock reserved"), detail=_units, tone="ok")
describe("order", "reallocated", gettext_lazy("Planned anew"), detail=_units, tone="info")
describe(
    "order",
    "allocation_overridden",
    gettext_lazy("Where it ships from was chosen by hand"),
    detail=lambda facts: str(facts.get("reason", "")),
    tone="info",
)
describe("order", "backordered", gettext_lazy("Waits for stock"), detail=_units, tone="wait")
describe("order", "lost_stock", gettext_lazy("Lost reserved stock"), detail=_units, tone="stop")
describe("order", "promise_expired", gettext_lazy("Reservation expired"), detail=_units, tone="stop")
describe(
    "order",
    "promise_kept",
    gettext_lazy("Reservation without an end now: the warehouse is at work on it"),
    detail=_units,
    tone="info",
)
describe("order", "stock_limited", _limited, detail=_units, tone="wait")
describe("order", "stock_unlimited", gettext_lazy("Stock held without an end"), detail=_units, tone="ok")
describe(
    "order",
    "requeued",
    gettext_lazy("Moved in line from place %(from)s to %(to)s"),
    detail=lambda facts: str(facts.get("reason", "")),
    tone="info",
)
describe("order", "backorder_filled", gettext_lazy("Backorder filled"), detail=_units, tone="ok")
describe("order", "shipped", gettext_lazy("Goods left"), detail=_units, tone="info")
describe("order", "delivered", gettext_lazy("Goods delivered"), detail=_units, tone="ok")
describe("order", "returned", gettext_lazy("Goods came back"), detail=_units, tone="back")
describe(
    "payment",
    "created",
    gettext_lazy("Payment reported"),
    detail=_first_amount,
    tone="info",
    need=SEE_MONEY,
)
describe(
    "payment",
    "amounts_reported",
    gettext_lazy("Payment amounts reported"),
    detail=_amounts,
    tone="info",
    need=SEE_MONEY,
)
describe("proposal", "created", gettext_lazy("Change begun"), detail=_reason, tone="info")
describe(
    "proposal", "confirm", gettext_lazy("Order changed"), detail=_totals, tone="ok", detail_need=SEE_MONEY
)
describe("proposal", "actions_added", gettext_lazy("Added to a change"), detail=_wished, tone="info")
describe("proposal", "actions_withdrawn", gettext_lazy("Taken out of a change"), detail=_wished, tone="idle")
describe("proposal", "overtake", gettext_lazy("Change overtaken by change %(by)s"), tone="wait")
describe("proposal", "renew", gettext_lazy("Change taken up again"), tone="info")
describe("proposal", "drop", gettext_lazy("Change dropped"), tone="idle")
describe(
    "order", "changed_add_line", gettext_lazy("Line added"), detail=_added, tone="info", detail_need=SEE_MONEY
)
describe("order", "changed_remove_line", gettext_lazy("Line removed"), detail=_from_to, tone="info")
describe("order", "changed_quantity", gettext_lazy("Quantity changed"), detail=_from_to, tone="info")
describe(
    "order",
    "changed_price",
    gettext_lazy("Price changed"),
    detail=_price_from_to,
    tone="info",
    need=SEE_MONEY,
)
describe(
    "order", "changed_discount", gettext_lazy("Discount given"), detail=_discount, tone="info", need=SEE_MONEY
)
describe("order", "changed_address", gettext_lazy("Address changed"), tone="info")
describe(
    "order",
    "changed_shipping",
    gettext_lazy("Shipping method changed"),
    detail=_shipping,
    tone="info",
    detail_need=SEE_MONEY,
)
describe("order", "revised", gettext_lazy("Changed by an import"), tone="info")
describe("order", "restored", gettext_lazy("Change of an import taken back"), tone="back")
describe("order", "void", gettext_lazy("Taken away with its import"), tone="idle")
describe("order", "note_added", gettext_lazy("Note"), tone="info")
describe(
    "order", "tagged", gettext_lazy("Tagged"), detail=lambda facts: ", ".join(facts["tags"]), tone="idle"
)
describe(
    "order",
    "untagged",
    gettext_lazy("Tag taken off"),
    detail=lambda facts: ", ".join(facts["tags"]),
    tone="idle",
)
describe(
    "customer",
    "merged",
    gettext_lazy("Merged with"),
    detail=lambda facts: ", ".join(f"#{pk}" for pk in facts["customers"]),
    tone="info",
)
describe("customer", "merged_away", gettext_lazy("Merged into customer #%(customer)s"), tone="stop")
detail_by(
    "order",
    ["note_added"],
    Lookup("note", note_texts, lambda _facts, note: note[0] if note else _("(erased)"), need=SEE_NOTE),
)
detail_by(
    "order",
    ["hold_placed", "hold_lifted"],
    Lookup("hold", hold_reasons, lambda _facts, hold: hold[0] if hold else "", need=SEE_PERSONAL),
)
describe("order", "mail_sent", gettext_lazy("Mail sent"), detail=lambda facts: str(_mail(facts)), tone="ok")
describe("order", "mail_again", gettext_lazy("Mail sent once more"), detail=_mail_and_reason, tone="info")
describe(
    "order", "mail_suppressed", gettext_lazy("Mail not to be sent"), detail=_mail_and_reason, tone="stop"
)
describe("order", "mails_stopped", gettext_lazy("Mails stopped"), detail=_reason, tone="stop")
describe("order", "mails_allowed", gettext_lazy("Mails allowed again"), tone="info")
describe("order", "mail_forgotten", gettext_lazy("Mail to be sent again"), tone="wait")
call_subscribers(
    {
        "orders.allocate_accepted": gettext_lazy("Reserve stock for the order"),
        "orders.auto_confirm": gettext_lazy("Confirm the order by itself"),
        "orders.revive_mapped": gettext_lazy("Go on with orders whose SKU is known now"),
        "orders.move_merged": gettext_lazy("Move what belonged to a merged customer"),
        "orders.name_orders": gettext_lazy("Find a customer's orders by the new name"),
        "orders.fill_backorders": gettext_lazy("Give stock that came free to who waits"),
    }
)


# Names that are written in a way of their own.
_BRANDS = {"ebay": "eBay", "paypal": "PayPal", "woocommerce": "WooCommerce"}


def provider_words(code: str) -> str:
    """Who keeps the money, as its name is written: the code `cash_on_delivery` is read Cash on delivery."""
    return _BRANDS.get(code, code[:1].upper() + code[1:].replace("_", " "))
