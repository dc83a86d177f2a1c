"""Stock health: a light for each invariant of the room, and setting a level to what its ledger says."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import (
    ExtraVerb,
    Queue,
    ReadOnlyAdmin,
    acting,
    admin_url,
    describe,
    queue_filter,
)
from config.kernel.admin.asked import number_of
from config.kernel.models import Job
from config.kernel.templatetags.bancale import badge, local_text, localtime, quantity
from inventory.enums import UnsellableReason
from inventory.models import Bin, StockCheck, StockLevel
from inventory.selectors.health import ASIDE, BIN, Difference, differences, levels_behind
from inventory.services.adjustments import LONGEST_REASON
from inventory.services.health import CHECK, start_stock_check
from inventory.services.repairing import REPAIR, REPAIRED, STOCK_LEVEL, repair_levels, repair_problem

WORDS = {"on_hand": _("On hand"), "reserved": _("Reserved"), "unsellable": _("Unsellable")}


def differing(rows: QuerySet[StockCheck]) -> QuerySet[StockCheck]:
    """Invariants that did not hold when they were last checked."""
    return rows.filter(violation_count__gt=0)


def wrong_of(level: StockLevel) -> list[Difference]:
    """A level's numbers that the ledger does not confirm, asked once an instance."""
    if not hasattr(level, "_wrong"):
        level._wrong = differences([level]).get(level.pk, [])  # type: ignore[attr-defined]
    return list(level._wrong)  # type: ignore[attr-defined]


class RepairForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=LONGEST_REASON, help_text=_("Stands on the level's timeline; no names.")
    )


def _lines(level: StockLevel) -> dict[str, Any]:
    wrong = wrong_of(level)
    bins = Bin.objects.in_bulk([one.key for one in wrong if one.what == BIN])
    rows = [[_named(one, bins), one.stored, one.found] for one in wrong]
    return {"columns": [_("Number"), _("Now"), _("By the ledger")], "rows": rows}


def _named(one: Difference, bins: dict[int, Bin]) -> Any:
    if one.what == BIN:
        found = bins.get(int(one.key))
        return gettext("Bin %(code)s") % {"code": found.code if found else one.key}
    if one.what == ASIDE:
        return gettext("Set aside: %(why)s") % {"why": UnsellableReason(str(one.key)).label}
    return WORDS[one.what]


def _what_it_does(level: StockLevel) -> list[Any]:
    if problem := repair_problem(level.pk):
        return [{"text": problem, "tone": "stop"}]
    return [
        _("The ledger stays as it is; the level, its bins and what is set aside are set to its sums."),
        _("If the shelf says otherwise, count it afterwards or correct the stock: that leaves a movement."),
    ]


REPAIR_LEVEL = ExtraVerb(
    name="repair",
    label=_("Set to the ledger…"),
    permission=REPAIR,
    title=_("Set the level to what its ledger says"),
    effect=_("Set it"),
    tone="risk",
    verb=repair_levels,
    form=RepairForm,
    success=lambda _level, count: (
        ngettext("%(n)s number is set to the ledger.", "%(n)s numbers are set to the ledger.", count)
        % {"n": count}
    ),
    consequences=_what_it_does,
    lines=_lines,
    undo=_("It cannot be taken back; the numbers before it stand on the level's timeline."),
    applies=lambda level: bool(wrong_of(level)),
    blocked=lambda level: str(repair_problem(level.pk) or ""),
)


@admin.register(StockCheck)
class StockCheckAdmin(ReadOnlyAdmin):
    change_form_template = "inventory/stock_check.html"
    list_display = ("what", "light", "found", "when", "took")
    list_filter = (
        queue_filter(
            (
                Queue(
                    "differing", _("Stock figures that do not add up"), differing, "stop",
                    permission=REPAIR, since="checked_at", on_front=False,
                ),
            )
        ),
    )  # fmt: skip
    # What does not hold first; the rules themselves are read in no order that a database knows.
    ordering = ("-violation_count", "code")
    list_display_links = ("what",)
    rows_called = _("rules")
    fields = readonly_fields = ("code", "when", "took")
    empty_title = _("Not checked yet")
    empty_text = _("Every night, and whenever you ask, each rule that stock must keep is checked here.")

    def get_urls(self) -> list[Any]:
        run = path("run/", self.admin_site.admin_view(self.run_view), name="inventory_stockcheck_run")
        return [run, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        may = request.user.has_perm(CHECK)
        url = admin_url(StockCheck, "run") if may else ""
        return super().changelist_view(request, {"run_url": url, **(extra_context or {})})

    def run_view(self, request: HttpRequest) -> HttpResponse:
        """GET shows what it will do; POST starts the job and leads to it."""
        if not request.user.has_perm(CHECK):
            raise PermissionDenied
        if request.method == "POST":
            pk = start_stock_check(gettext("Check the stock figures"), actor=acting(request))
            return HttpResponseRedirect(admin_url(Job, "change", pk))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Check the stock figures"),
            "effect": _("Check now"),
            "consequences": [
                _("Each rule that stock must keep is checked; nothing is changed."),
                _("It runs as a job, which you can watch and stop; one that runs already is shown instead."),
            ],
            "cancel_url": admin_url(StockCheck, "changelist"),
        }
        return TemplateResponse(request, "kernel/confirm.html", context)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        said = (gettext("Holds"), "ok") if not obj.violation_count else (gettext("Does not hold"), "stop")
        return {
            "title": str(obj),
            "badges": [said],
            "sub": [gettext("checked %(when)s") % {"when": local_text(obj.checked_at)}],
            "violations": violations_of(obj, request),
            "show_form": False,
        }

    @admin.display(description=_("rule"))
    def what(self, row: StockCheck) -> str:
        return str(row)

    @admin.display(description=_("state"))
    def light(self, row: StockCheck) -> Any:
        return badge(_("Does not hold"), "stop") if row.violation_count else badge(_("Holds"), "ok")

    @admin.display(description=_("violations"), ordering="violation_count")
    def found(self, row: StockCheck) -> Any:
        return quantity(row.violation_count)

    @admin.display(description=_("checked at"), ordering="checked_at")
    def when(self, row: StockCheck) -> Any:
        return localtime(row.checked_at)

    @admin.display(description=_("milliseconds"), ordering="milliseconds")
    def took(self, row: StockCheck) -> Any:
        return quantity(row.milliseconds)


def violations_of(check: StockCheck, request: HttpRequest) -> list[dict[str, str]]:
    """Each violation with where it is, and the way to repair it: a handful of statements."""
    subjects = [_subject(said) for said, _detail in check.violations]
    behind = levels_behind(subjects)
    levels = {
        level.pk: level
        for level in StockLevel.objects.filter(pk__in=set(behind.values())).select_related("sku", "location")
    }
    wrong = differences(list(levels.values())) if request.user.has_perm(REPAIR) else {}
    rows = []
    for subject, (said, detail) in zip(subjects, check.violations, strict=True):
        level = levels.get(behind.get(subject, 0))
        rows.append(
            {
                "where": f"{level.sku.code} · {level.location.name}" if level else said,
                "url": admin_url(level, "change", level.pk) if level else _url(subject),
                "detail": detail,
                "repair_url": admin_url(level, "repair", level.pk) if level and level.pk in wrong else "",
            }
        )
    return rows


def _subject(said: str) -> tuple[str, int]:
    kind, _colon, digits = said.rpartition(":")
    pk = number_of(digits)
    return (kind, pk) if pk else (said, 0)


def _url(subject: tuple[str, int]) -> str:
    kind, pk = subject
    model = {m._meta.model_name: m for m in admin.site._registry}.get(kind.replace("_", ""))
    return admin_url(model, "change", pk) if model is not None and pk else ""


def _repaired(facts: Any) -> str:
    said = "; ".join(f"{stored} → {found}" for _what, _key, stored, found in facts["numbers"])
    return f"{said}. {facts['reason']}"


describe(STOCK_LEVEL, REPAIRED, _("Set to the ledger"), detail=_repaired, tone="stop")
