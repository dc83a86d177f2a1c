"""Stock counts: a list, what was found, and the approval."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.admin import (
    ObjectForm,
    Queue,
    SeenFilter,
    TransitionAdmin,
    TransitionVerb,
    acting,
    admin_url,
    badge_column,
    describe,
    ids_of,
    queue_filter,
    seen_choices,
)
from config.kernel.admin.asked import number_of
from config.kernel.admin.timeline import actor_words, user_names
from config.kernel.errors import BancaleError
from config.kernel.quantities import MOST_UNITS
from config.kernel.results import Results
from config.kernel.templatetags.bancale import localtime
from inventory.admin.count_approval import (
    ApproveForm,
    approve_pressed,
    foreseen_approval,
    what_approving_does,
)
from inventory.admin.guided import guided_page
from inventory.admin.line_forms import LINE
from inventory.admin.numbered import name_by_number
from inventory.admin.reasons import WhyForm
from inventory.admin.undoing import register_undo, undo_edge
from inventory.admin.words import signed
from inventory.enums import CountStatus
from inventory.models import Location, StockCount
from inventory.selectors.counting import counted_lines, to_approve
from inventory.selectors.sku_page import found_skus
from inventory.services.counts import (
    CountPlan,
    CountSheet,
    book_count,
    cancel_counts,
    record_counts,
    recount,
)
from inventory.services.counts.desk import REFERENCE
from inventory.services.undoing import undo_counts
from inventory.states import COUNT_STOCK, STOCK_COUNT


class FoundForm(ObjectForm):
    """How many of each SKU were found; what should be there is not shown, so that nobody copies it."""

    counted_at = forms.DateTimeField(
        label=_("Counted at"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty means now. What has moved since then is taken into account."),
    )

    def shape(self) -> None:
        fields = {
            f"{LINE}{line.pk}": forms.IntegerField(
                label=f"{line.sku.code} · {line.sku.title}", min_value=0, max_value=MOST_UNITS
            )
            for line in counted_lines(self.obj.pk)
        }
        self.fields = {**fields, **self.fields}


def count_pressed(
    ids: Sequence[int], *, actor: Actor, counted_at: datetime | None = None, **typed: int
) -> Results[int]:
    found = ids_of(typed, LINE)
    return record_counts([CountSheet(pk, found, counted_at) for pk in ids], actor=actor)


VERBS = {
    "count": TransitionVerb(
        verb=count_pressed,
        form=FoundForm,
        success=_("Counted. It changes the books when it is approved."),
        consequences=lambda _count: (_("Leave out units that are set aside. Nothing is corrected yet."),),
    ),
    "recount": TransitionVerb(
        verb=recount,
        form=WhyForm,
        success=_("The count starts over."),
        consequences=lambda _count: (_("What was counted is thrown away. Nothing was corrected."),),
    ),
    "approve": TransitionVerb(
        verb=approve_pressed,
        form=ApproveForm,
        success=_("Approved: the books say what was counted."),
        consequences=what_approving_does,
        foresee=foreseen_approval,
        undo=_("“Undo” on the count's page, while what it corrected is still free."),
    ),
    "undo": undo_edge(
        REFERENCE,
        undo_counts,
        success=_("Undone: the books say what they said before the count."),
        consequences=(
            _("Each correction gets its opposite, in the same bin; the ledger keeps both."),
            _("The count is over; count again with a new list."),
        ),
    ),
    "cancel": TransitionVerb(
        verb=cancel_counts,
        form=WhyForm,
        success=_("The count is cancelled."),
        consequences=lambda _count: (_("Nothing is corrected."),),
    ),
}


class CountForm(forms.Form):
    location = forms.ModelChoiceField(Location.objects.none(), label=_("Location"), empty_label=None)
    skus = forms.CharField(
        label=_("SKUs or barcodes"),
        required=False,
        widget=forms.Textarea({"rows": 5}),
        help_text=_("One a row. Empty means everything that is on hand there."),
    )
    note = forms.CharField(label=_("Note"), max_length=120, required=False)
    nonce = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["location"]
        field.queryset = Location.objects.all()

    def clean_skus(self) -> tuple[int, ...]:
        typed = [row.strip() for row in self.cleaned_data["skus"].splitlines() if row.strip()][:500]
        known = found_skus(typed)
        if unknown := [text for text in typed if text not in known]:
            raise forms.ValidationError(
                gettext("Not known: %(skus)s.") % {"skus": ", ".join(unknown[:10])[:300]}
            )
        return tuple(dict.fromkeys(known[text].pk for text in typed))


def _form(request: HttpRequest, *args: Any, **kwargs: Any) -> CountForm:
    return seen_choices(CountForm(*args, **kwargs), request, "location")


def count_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """GET shows the empty page; POST writes the list, once a nonce."""
    if not request.user.has_perm(COUNT_STOCK):
        raise PermissionDenied
    start = {"nonce": uuid4().hex, "location": number_of(request.GET.get("location"))}
    form = _form(request, request.POST) if request.method == "POST" else _form(request, initial=start)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        plan = CountPlan(values["location"].pk, values["skus"], values["note"])
        try:
            pk = book_count(plan, nonce=values["nonce"], actor=acting(request))
        except BancaleError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, gettext("The list is ready. Enter what you find on the shelves."))
            return HttpResponseRedirect(admin_url(StockCount, "change", pk))
    words = {"title": gettext("Count stock"), "effect": gettext("Make the list")}
    return guided_page(model_admin, request, form, foreseen_first=False, **words)


@admin.register(StockCount)
class StockCountAdmin(TransitionAdmin):
    machine = STOCK_COUNT
    verbs = VERBS
    lock_kind = "count"
    change_form_template = "inventory/count.html"
    list_display = ("number", "status_said", "location", "note", "when", "counted")
    list_filter = (
        queue_filter(
            (
                Queue(
                    "to_approve",
                    _("Counts to approve"),
                    to_approve,
                    permission="inventory.approve_stockcount",
                    since="counted_at",
                    on_front=False,
                ),
            )
        ),
        "status",
        ("location", SeenFilter),
    )
    list_select_related = ("location",)
    search_fields = ("number__istartswith", "note__icontains")
    search_help_text = _("Beginning of the number, or words of the note")
    ordering = ("-id",)
    fields = readonly_fields = ("number", "status", "location", "note", "when", "counted")
    status_said = badge_column("status", CountStatus, _("status"))
    empty_title = _("Nothing has been counted yet")
    empty_text = _("Make a list with “Add stock count”, walk the shelves, and let somebody approve it.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(COUNT_STOCK)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockCount]:
        return super().get_queryset(request).select_related("location")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return count_view(self, request)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        lines = counted_lines(obj.pk)
        for line in lines:
            line.signed = signed(line.variance)
        return {
            **page,
            "title": gettext("Count %(number)s") % {"number": obj.number},
            "sub": [
                obj.location.name,
                localtime(obj.counted_at or obj.created_at),
                _counter(obj),
                obj.note,
            ],
            "lines": lines,
            "tolerance": obj.tolerance,
            "is_counted": obj.counted_at is not None,
            "show_form": False,
        }

    @admin.display(description=_("begun at"), ordering="id")
    def when(self, row: StockCount) -> Any:
        return localtime(row.created_at)

    @admin.display(description=_("counted at"))
    def counted(self, row: StockCount) -> Any:
        return localtime(row.counted_at)


def _counter(count: StockCount) -> str:
    if not count.counter_kind:
        return "–"
    return actor_words(
        count.counter_kind, count.counter_id, count.counter_label, user_names([count.counter_id])
    )


def _differing(facts: Any) -> str:
    return gettext("%(differing)s of %(lines)s SKUs differ") % {
        "differing": facts.get("differing", 0),
        "lines": facts.get("lines", 0),
    }


def _approved(facts: Any) -> str:
    if not facts.get("by_hand"):
        return _differing(facts)
    before = gettext("%(units)s units of it had been corrected by hand")
    return f"{_differing(facts)}; {before % {'units': signed(facts['by_hand'])}}"


describe(REFERENCE, "created", _("List made"), detail=_("%(lines)s SKUs"), tone="info")
describe(REFERENCE, "count", _("Counted"), detail=_differing, tone="info")
describe(REFERENCE, "recount", _("To be counted again"), detail="%(reason)s", tone="wait")
describe(REFERENCE, "approve", _("Approved"), detail=_approved, tone="ok")
describe(REFERENCE, "undo", _("Undone"), detail="%(reason)s", tone="back")
describe(REFERENCE, "cancel", _("Cancelled"), detail="%(reason)s", tone="stop")


name_by_number(REFERENCE, StockCount, _("Count %(number)s"))
register_undo(REFERENCE, StockCount)
