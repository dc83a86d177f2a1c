"""Change stock by hand: the guided page with its preview, and the documents that it leaves."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import Foreseen, acting, admin_url, badge_column, describe, seen_choices
from config.kernel.admin.asked import number_of
from config.kernel.errors import BancaleError
from config.kernel.templatetags.bancale import localtime
from config.kernel.visibility import visible_to
from inventory.admin.adjustment_forms import AdjustmentForm, LineSet, changes_of, plan_of, reasons_of
from inventory.admin.foreseeing import foreseen, foreseen_reasons
from inventory.admin.guided import guided_page, is_agreed
from inventory.admin.line_forms import BLANK_LINES, MORE, MOST_LINES
from inventory.admin.numbered import name_by_number
from inventory.admin.pages import actor_of
from inventory.admin.undoing import (
    DocumentAdmin,
    bulk_undo,
    describe_undo,
    register_undo,
    undo_verb,
    undone_badges,
)
from inventory.admin.words import aside_words, signed
from inventory.enums import AdjustmentKind, UnsellableReason
from inventory.models import Location, Sku, StockAdjustment
from inventory.selectors.asides import units_aside
from inventory.selectors.sku_page import movements_of
from inventory.services.adjustment_booking import (
    PERMISSIONS,
    AdjustmentPlan,
    adjustment_problems,
    book_adjustment,
)
from inventory.services.adjustments import REFERENCE
from inventory.services.undoing.documents import UNDO_ADJUSTMENT, undo_adjustments

K, R = AdjustmentKind, UnsellableReason
FROM_ASIDE = (K.OTHER_REASON, K.PUT_BACK, K.SCRAP)
TITLES = {
    K.CORRECTION: _("Correct stock"),
    K.SET_ASIDE: _("Set units aside"),
    K.OTHER_REASON: _("Change why units are set aside"),
    K.PUT_BACK: _("Put units back for sale"),
    K.SCRAP: _("Write off units that were set aside"),
    K.MOVE: _("Move units between bins"),
}
HINTS = {
    K.CORRECTION: _("Units above 0 were found, units below 0 (−3) are missing."),
    K.SET_ASIDE: _("Units go to the quarantine bin: still on hand, not for sale."),
    K.OTHER_REASON: _("Units stay in the quarantine bin; they are for sale at no moment."),
    K.PUT_BACK: _("Units leave quarantine for the default bin and are free for whoever is first in line."),
    K.SCRAP: _("Units leave quarantine and are no longer on hand."),
    K.MOVE: _("What is on hand and what is promised stay as they are."),
}


def adjust_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """GET shows the empty page; POST shows what will be, and then books it, once a nonce."""
    kind = _kind(request)
    if kind is None:
        raise PermissionDenied
    if request.method != "POST":
        return _page(model_admin, request, kind, *_blank(request, kind))
    if MORE in request.POST:
        lines = _longer(request, kind)
        return _page(model_admin, request, kind, _form(request, kind, initial=request.POST.dict()), lines)
    form, lines = _form(request, kind, request.POST), LineSet(request.POST, form_kwargs={"kind": kind})
    if not form.is_valid() or not lines.is_valid() or not lines.bins_found(form.cleaned_data["location"]):
        return _page(model_admin, request, kind, form, lines)
    plan = plan_of(kind, form, lines)
    shown = _foreseen(plan)
    try:
        if not is_agreed(request, shown, REFERENCE):
            if lines.refuse(adjustment_problems(plan, actor=acting(request))):
                return _page(model_admin, request, kind, form, lines)
            return _page(model_admin, request, kind, form, lines, foreseen=shown)
        pk = book_adjustment(plan, nonce=form.cleaned_data["nonce"], actor=acting(request))
    except BancaleError as error:
        form.add_error(None, str(error))
        return _page(model_admin, request, kind, form, lines, foreseen=shown)
    document = StockAdjustment.objects.get(pk=pk)
    messages.success(request, gettext("%(number)s is booked.") % {"number": document.number})
    return HttpResponseRedirect(admin_url(StockAdjustment, "change", pk))


def _foreseen(plan: AdjustmentPlan) -> Foreseen:
    """What a plan would do now. Bins, reasons and what only they tell apart show in no figure of a level, so that the
    plan is part of the mark."""
    if plan.kind == K.OTHER_REASON:
        shown = foreseen_reasons(reasons_of(plan))
    else:
        shown = foreseen(changes_of(plan))
    return replace(shown, mark=f"{shown.mark}{plan.lines}{plan.aside}{plan.becomes}")


def _form(request: HttpRequest, *args: Any, **kwargs: Any) -> AdjustmentForm:
    return seen_choices(AdjustmentForm(*args, **kwargs), request, "location")


def _kind(request: HttpRequest) -> AdjustmentKind | None:
    """What the page is for: as the address says, else the first kind that this person may book."""
    asked = request.POST.get("kind") or request.GET.get("kind")
    kinds = [K(asked)] if asked in K.values else list(K)
    return next((kind for kind in kinds if request.user.has_perm(PERMISSIONS[kind])), None)


def _blank(request: HttpRequest, kind: AdjustmentKind) -> tuple[AdjustmentForm, Any]:
    sku = Sku.objects.filter(pk=number_of(request.GET.get("sku")), is_kit=False).first()
    asked = Location.objects.filter(pk=number_of(request.GET.get("location")))
    location_id = visible_to(request.user, asked).values_list("pk", flat=True).first() or 0
    start = {"nonce": uuid4().hex, "location": location_id, **_reasons(kind, sku, location_id)}
    rows: list[dict[str, str]] = [{"sku": sku.code}] if sku else []
    lines = LineSet(initial=[*rows, *[{}] * BLANK_LINES], form_kwargs={"kind": kind})
    return _form(request, kind, initial=start), lines


def _reasons(kind: AdjustmentKind, sku: Sku | None, location_id: int) -> dict[str, UnsellableReason]:
    """What units of the SKU are set aside for there, and another reason, for a page that begins with both."""
    if sku is None or kind not in FROM_ASIDE:
        return {}
    held = units_aside([(sku.pk, location_id)])
    aside = next((R(reason) for (_place, reason), units in sorted(held.items()) if units), R.DAMAGED)
    return {"aside": aside, "becomes": next(one for one in (R.QUARANTINE, R.DAMAGED) if one != aside)}


def _longer(request: HttpRequest, kind: AdjustmentKind) -> Any:
    """The same rows and five more, without complaints: the person has not finished typing."""
    total = min(number_of(request.POST.get("form-TOTAL_FORMS")), MOST_LINES - BLANK_LINES)
    names = ("sku", "quantity", "bin", "to_bin")
    typed = [{name: request.POST.get(f"form-{row}-{name}", "") for name in names} for row in range(total)]
    return LineSet(initial=[*typed, *[{}] * BLANK_LINES], form_kwargs={"kind": kind})


def _page(
    model_admin: Any,
    request: HttpRequest,
    kind: AdjustmentKind,
    form: AdjustmentForm,
    lines: Any,
    **more: Any,
) -> HttpResponse:
    asked = {name: request.GET[name] for name in ("location", "sku") if name in request.GET}
    words = {
        "title": TITLES[kind],
        "effect": TITLES[kind],
        "lines_title": gettext("Which units"),
        "hint": HINTS[kind],
        "kinds": [
            {"label": other.label, "url": f"?{urlencode({**asked, 'kind': other})}", "current": other == kind}
            for other in K
            if request.user.has_perm(PERMISSIONS[other])
        ],
    }
    return guided_page(model_admin, request, form, lines, **words, **more)


UNDO_IT = undo_verb(REFERENCE, undo_adjustments, UNDO_ADJUSTMENT)


@admin.register(StockAdjustment)
class StockAdjustmentAdmin(DocumentAdmin):
    extra_verbs = (UNDO_IT,)
    lock_kind = REFERENCE
    actions = (bulk_undo(UNDO_IT, "inventory.StockAdjustment"),)
    change_form_template = "inventory/adjustment.html"
    list_display = ("number", "kind_said", "state", "reason", "when", "who")
    list_filter = ("kind",)
    search_fields = ("reason__icontains", "=id")
    search_help_text = _("Words of the reason, or the number without A-")
    ordering = ("-id",)
    fields = readonly_fields = ("number", "kind", "reason", "when", "who")
    kind_said = badge_column("kind", AdjustmentKind, _("kind"))
    empty_title = _("Nothing has been changed by hand yet")
    empty_text = _("Found, missing, damaged or moved units are written down with “Add stock adjustment”.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(permission) for permission in set(PERMISSIONS.values()))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return adjust_view(self, request)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        movements = movements_of((REFERENCE, obj.pk))
        for row in movements:
            row.signed = signed(row.delta)  # type: ignore[attr-defined]
            row.aside = aside_words(row)  # type: ignore[attr-defined]
        return {
            **page,
            "title": gettext("Adjustment %(number)s") % {"number": obj.number},
            "badges": [(obj.get_kind_display(), "info"), *undone_badges(obj)],
            "sub": [localtime(obj.adjusted_at), actor_of(obj), obj.reason],
            "movements": movements,
            "show_form": False,
        }

    def buttons(self, request: HttpRequest, obj: Any) -> list[dict[str, Any]]:
        """Who may not book a kind may not take it back either."""
        if not request.user.has_perm(PERMISSIONS[AdjustmentKind(obj.kind)]):
            return []
        return super().buttons(request, obj)

    @admin.display(description=_("adjusted at"), ordering="id")
    def when(self, row: StockAdjustment) -> Any:
        return localtime(row.adjusted_at)


def adjust_url(kind: AdjustmentKind, *, location: Location | None = None, sku: Sku | None = None) -> str:
    """The guided page for a kind of change, begun with a place and a SKU."""
    more = [("location", location), ("sku", sku)]
    query = "".join(f"&{name}={row.pk}" for name, row in more if row is not None)
    return f"{admin_url(StockAdjustment, 'add')}?kind={kind.value}{query}"


def adjust_buttons(
    request: HttpRequest,
    *,
    location: Location | None = None,
    sku: Sku | None = None,
    has_aside: bool = False,
) -> list[dict[str, Any]]:
    """Buttons to the guided page for each kind that this person may book, with `has_aside` also for units that are
    set aside."""
    kinds = [K.CORRECTION, K.SET_ASIDE, *(FROM_ASIDE if has_aside else ()), K.MOVE]
    return [
        {"label": f"{TITLES[kind]}…", "url": adjust_url(kind, location=location, sku=sku), "tone": "plain"}
        for kind in kinds
        if request.user.has_perm(PERMISSIONS[kind])
    ]


describe(
    REFERENCE,
    "adjusted",
    _("Stock changed by hand"),
    detail=lambda facts: str(AdjustmentKind(facts["kind"]).label),
    tone="info",
)


name_by_number(REFERENCE, StockAdjustment, _("Adjustment %(number)s"))
register_undo(REFERENCE, StockAdjustment)
describe_undo(REFERENCE)
