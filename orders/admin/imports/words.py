"""Imports in words: tones of their statuses, what was detected, what is planned."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin import describe, set_tones
from config.kernel.templatetags.bancale import money_text
from orders.enums import ImportPlan, ImportResult, ImportStatus
from orders.models import ImportRun
from orders.sheets.fields import BY_NAME
from orders.sheets.profiles import BY_CODE
from orders.sheets.values import EXAMPLES

set_tones(
    ImportStatus,
    {"uploaded": "wait", "checked": "info", "applying": "info", "applied": "wait", "finished": "ok"},
)
set_tones(ImportPlan, {"create": "ok", "update": "info", "refuse": "stop"})
set_tones(ImportResult, {"created": "ok", "updated": "info", "refused": "stop", "taken_back": "back"})
EVENTS = {
    "created": gettext_lazy("Uploaded"),
    "checked": gettext_lazy("Checked"),
    "remap": gettext_lazy("Columns changed"),
    "apply": gettext_lazy("Applying began"),
    "applied": gettext_lazy("Applied"),
    "finish": gettext_lazy("Finished"),
    "cancel": gettext_lazy("Cancelled"),
    "roll_back": gettext_lazy("Rolled back"),
}
for _kind, _words in EVENTS.items():
    describe("import_run", _kind, _words)
SEPARATORS = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
    "|": gettext_lazy("bar"),
}
FIELD_WORDS = {
    "note": gettext_lazy("Note"),
    "shipping_method": gettext_lazy("Shipping method"),
    "email": gettext_lazy("E-mail"),
    "required_on": gettext_lazy("Wanted by"),
    "total": gettext_lazy("Order total"),
    "shipping_amount": gettext_lazy("Shipping of the order"),
}
# Fields of one line, which follow as `quantity:MUG`.
LINE_WORDS = {
    "quantity": gettext_lazy("Quantity of %(code)s"),
    "price": gettext_lazy("Unit price of %(code)s"),
    "discount": gettext_lazy("Discount on %(code)s"),
    "line": gettext_lazy("Line of %(code)s"),
}
NOTE_WORDS = {
    "written_off": gettext_lazy("Stock written off, typed as a sale"),
    "sent": gettext_lazy("Sent already, says the file; the mode “History” brings it in"),
    "cancelled": gettext_lazy("Cancelled, says the file; cancel it here if it stands here"),
    "closed": gettext_lazy("Refunded or closed, says the file; the mode “History” brings it in"),
    "pending": gettext_lazy("Not paid at the marketplace yet, says the file; it comes in when it is"),
    "fields_kept": gettext_lazy("Some of its details were changed by somebody since, and stay as they are"),
    "goods_kept": gettext_lazy("Its lines were changed by somebody since, and stay as they are"),
}


def field_words(name: str) -> str:
    """A changed field of an order: `ship_to.city` as its column's label, `quantity:MUG` with its SKU."""
    kind, colon, code = name.partition(":")
    if colon and kind in LINE_WORDS:
        return str(LINE_WORDS[kind]) % {"code": code}
    use, dot, part = name.partition(".")
    if dot:
        part = {"country_code": "country"}.get(part, part)
        field = BY_NAME.get(f"{use.removesuffix('_to')}_{part}")
        return str(field.label) if field else name
    return str(FIELD_WORDS.get(name, name))


def detected_rows(run: ImportRun) -> list[tuple[str, Any]]:
    """What was found out about the file, as a list of facts."""
    reading = run.reading
    if not reading:
        return []
    rows: list[tuple[str, Any]] = [(_("Channel"), run.sales_channel), (_("Mode"), run.get_mode_display())]
    profile = BY_CODE.get(run.profile)
    rows.append((_("Layout"), str(profile.label) if profile else _("By its headings")))
    if reading["kind"] == "csv":
        rows.append((_("Characters"), reading["encoding"].upper()))
        rows.append((_("Separator"), str(SEPARATORS.get(reading["separator"], reading["separator"]))))
    else:
        rows.append((_("Kind"), "Excel (.xlsx)"))
    rows.append((_("Heading on line"), reading["header_line"]))
    if run.number_style:
        rows.append((_("Numbers like"), EXAMPLES.get(run.number_style, "")))
    if run.date_style:
        rows.append((_("Dates like"), f"{EXAMPLES.get(run.date_style, '')}, 2026-12-31"))
    if "rows" in run.summary:
        rows.append((_("Rows"), run.summary["rows"]))
    if footers := run.summary.get("footers"):
        rows.append((_("Left out at the end"), " · ".join(footers[:3])))
    return rows


def plan_tiles(run: ImportRun) -> list[dict[str, Any]]:
    """How many orders of each plan."""
    plans = run.summary.get("plans", {})
    return [
        {
            "label": plan.label,
            "orders": plans[plan]["orders"],
            "rows": plans[plan]["rows"],
            "plan": plan.value,
        }
        for plan in ImportPlan
        if plan in plans
    ]


def total_rows(run: ImportRun) -> list[dict[str, Any]]:
    """Totals by plan and currency."""
    return [
        {
            "plan": ImportPlan(total["plan"]).label,
            "orders": total["orders"],
            "units": total["units"],
            "total": money_text(total["total"], total["currency"]),
        }
        for total in run.summary.get("totals", ())
    ]
