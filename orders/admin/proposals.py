"""Changes to placed orders: the page where one is worked out, with all that it would do in sight."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from config.kernel.admin import (
    ExtraVerb,
    TransitionAdmin,
    TransitionVerb,
    acting,
    admin_url,
    badge_column,
    set_tones,
    status_badge,
)
from config.kernel.admin.asked import number_of
from config.kernel.admin.timeline import actor_words, in_words
from config.kernel.errors import BancaleError
from config.kernel.models import Event
from config.kernel.names import with_actor_names
from config.kernel.templatetags.bancale import localtime
from orders.admin.panels import PanelContext, register_order_button, register_order_panel
from orders.admin.proposal_forms import FORMS
from orders.admin.proposal_words import said_actions, said_effects, said_lines, said_sums
from orders.admin.records import OrderLinked
from orders.enums import ProposalStatus
from orders.models import Address, Order, Proposal
from orders.privacy import SEE_MONEY, SEE_PERSONAL
from orders.selectors.order_rows import rows_of
from orders.services.proposals.adding import (
    ACTIONS_ADDED,
    ACTIONS_WITHDRAWN,
    NewActions,
    add_actions,
    withdraw_actions,
)
from orders.services.proposals.confirming import confirm_proposals
from orders.services.proposals.locking import fixed
from orders.services.proposals.opening import drop_proposals, open_proposals, renew_proposals
from orders.services.proposals.previewing import Preview, preview_proposal
from orders.states import PROPOSAL, PROPOSE, RENEW

SHOWN = 8
set_tones(
    ProposalStatus,
    {"open": "info", "confirmed": "ok", "dropped": "idle", "stale": "wait"},
)


def preview_of(proposal: Proposal) -> Preview:
    """What it would do on the order as it is now, asked once an instance."""
    if not hasattr(proposal, "_preview"):
        proposal._preview = preview_proposal(proposal, proposal.order)  # type: ignore[attr-defined]
    return proposal._preview  # type: ignore[attr-defined]


def is_open(proposal: Proposal) -> bool:
    return proposal.status in (ProposalStatus.OPEN, ProposalStatus.STALE)


def is_outdated(proposal: Proposal) -> bool:
    """Whether the order moved since it was worked out."""
    moved = proposal.base_version != proposal.order.version
    return proposal.status == ProposalStatus.STALE or (is_open(proposal) and moved)


def changed_meanwhile(proposal: Proposal) -> list[str]:
    """The order's events since the change was worked out, newest first."""
    events = (
        Event.objects.filter(thread_type="order", thread_id=proposal.order_id, id__gt=proposal.base_event)
        .exclude(subject_type="proposal", subject_id=proposal.pk)
        .exclude(subject_type="proposal", kind__in=(ACTIONS_ADDED, ACTIONS_WITHDRAWN))
        .order_by("-id")
    )
    return [str(row) for row in in_words(events[:SHOWN])]


def _who(row: Any) -> str:
    """Who opened a change that was read `with_actor_names`."""
    return actor_words(row.actor_kind, row.actor_id, "", {row.actor_id: row.actor_name or ""})


def _blocked(proposal: Proposal) -> str:
    preview = preview_of(proposal)
    if not preview.actions:
        return _("It says nothing yet.")
    problem = fixed(proposal.order) or preview.planned.refusal
    return "" if problem is None else str(problem)


def _said(proposal: Proposal) -> list[dict[str, str]]:
    return said_effects(preview_of(proposal), proposal.order)


VERBS = {
    "confirm": TransitionVerb(
        verb=confirm_proposals,
        effect=gettext_lazy("Change the order"),
        success=gettext_lazy("The order is changed."),
        consequences=_said,
        lines=lambda proposal: said_lines(preview_of(proposal)),
        undo=gettext_lazy("By another change; what was free for others meanwhile may be gone."),
        blocked=_blocked,
        applies=lambda proposal: not is_outdated(proposal),
        then=lambda proposal, _pk: admin_url(Order, "change", proposal.order_id),
    ),
    "drop": TransitionVerb(
        verb=drop_proposals,
        success=gettext_lazy("Dropped; the order is as it was."),
        consequences=lambda _proposal: [_("Nothing of the order moves.")],
        then=lambda proposal, _pk: admin_url(Order, "change", proposal.order_id),
    ),
}
GO_ON = ExtraVerb(
    name="renew",
    label=RENEW.label,
    permission=PROPOSE,
    tone="primary",
    verb=renew_proposals,
    success=gettext_lazy("Worked out on the order as it is now; look at it before you confirm."),
    consequences=changed_meanwhile,
    applies=lambda proposal: is_outdated(proposal) and fixed(proposal.order) is None,
)


@admin.register(Proposal)
class ProposalAdmin(OrderLinked, TransitionAdmin):
    machine = PROPOSAL
    lock_kind = "order"
    lock_through = "order"
    verbs = VERBS
    extra_verbs = (GO_ON,)
    change_form_template = "orders/proposal.html"
    list_display = ("__str__", "order_link", "state", "reason", "opened", "who")
    list_filter = ("status", "actor_kind")
    list_select_related = ("order",)
    search_fields = ("=order__number",)
    search_help_text = gettext_lazy("Number of the order")
    ordering = ("-id",)
    state = badge_column("status", ProposalStatus, gettext_lazy("status"))
    empty_title = gettext_lazy("No changes yet")
    empty_text = gettext_lazy("“Change order…” on an order's page begins one.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        rows: QuerySet[Proposal] = super().get_queryset(request)
        return with_actor_names(
            rows.select_related("order__sales_channel", "order__legal_entity", "order__ship_to")
        )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.act_view)
        return [path("<int:pk>/act/", view, name="orders_proposal_act"), *super().get_urls()]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Everything here is about prices and addresses."""
        sees = request.user.has_perms((SEE_MONEY, SEE_PERSONAL))
        return sees and super().has_view_permission(request, obj)

    def timeline_of(self, obj: Any) -> list[Any] | None:
        """The order's own page tells the story."""
        return None

    @admin.display(description=gettext_lazy("opened at"), ordering="opened_at")
    def opened(self, row: Proposal) -> Any:
        return localtime(row.opened_at)

    @admin.display(description=gettext_lazy("by"))
    def who(self, row: Any) -> str:
        return _who(row)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        return {**page, **page_of(obj, request, {})}

    def act_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Adds what a form says, or takes a wish back, on the version that was shown; then the page again."""
        if not request.user.has_perm(PROPOSE) or not self.has_view_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, str(pk))
        if obj is None:
            raise Http404
        page_url = admin_url(Proposal, "change", pk)
        if request.method != "POST":
            return HttpResponseRedirect(page_url)
        what = request.POST.get("what", "")
        form = None
        try:
            if what == "withdraw":
                self._seen(request, pk, lambda: self._withdraw(request, obj))
            elif what in FORMS:
                form = form_of(what, obj, request.POST)
                if not form.is_valid():
                    return self._again(request, obj, {what: form})
                wishes = tuple(form.wishes())
                if not wishes:
                    messages.info(request, _("Nothing differs from what stands here already."))
                    return HttpResponseRedirect(page_url)
                self._seen(request, pk, lambda: self._add(request, pk, wishes))
        except BancaleError as refusal:
            if form is None:
                messages.error(request, str(refusal))
                return HttpResponseRedirect(page_url)
            form.add_error(None, str(refusal))
            return self._again(request, obj, {what: form})
        return HttpResponseRedirect(page_url)

    def _seen(self, request: HttpRequest, pk: int, act: Any) -> None:
        """Act only on the version that was shown: a double click adds nothing twice."""
        with transaction.atomic():
            now = self.locked(pk)
            if now is None or request.POST.get("version") != str(now.version):
                raise BancaleError(
                    _("This change was worked on meanwhile; nothing was added. Look at it again.")
                )
            act()

    def _add(self, request: HttpRequest, pk: int, wishes: tuple[Any, ...]) -> None:
        add_actions([NewActions(pk, wishes)], actor=acting(request)).only()

    def _withdraw(self, request: HttpRequest, obj: Proposal) -> None:
        action = obj.actions.filter(pk=number_of(request.POST.get("action"))).first()
        if action is not None:
            withdraw_actions([action.pk], actor=acting(request)).only()

    def _again(self, request: HttpRequest, obj: Proposal, bound: dict[str, Any]) -> HttpResponse:
        """The same page with the form that was not accepted, and why."""
        page = self.page_context(request, obj) or {}
        page |= page_of(obj, request, bound)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "title": str(obj),
            "change": True,
            "page": page,
            "has_view_permission": True,
        }
        return TemplateResponse(request, "orders/proposal.html", context)


def form_of(what: str, proposal: Proposal, data: Any = None) -> Any:
    shape = preview_of(proposal).plan.after
    address = proposal.order.ship_to
    if shape.address_id and shape.address_id != proposal.order.ship_to_id:
        address = Address.objects.filter(pk=shape.address_id).first()
    return FORMS[what](data, prefix=what, shape=shape, address=address)


def page_of(proposal: Proposal, request: HttpRequest, bound: dict[str, Any]) -> dict[str, Any]:
    """What the page shows beside head and buttons; `bound` are forms that were not accepted."""
    order, preview = proposal.order, preview_of(proposal)
    may = (
        request.user.has_perm(PROPOSE)
        and proposal.status == ProposalStatus.OPEN
        and not is_outdated(proposal)
    )
    positions = dict(proposal.actions.values_list("position", "pk"))
    over = not is_open(proposal)
    return {
        "title": _("Order %(number)s: change %(pk)s") % {"number": order.number, "pk": proposal.pk},
        "sub": [part for part in (proposal.reason, order.sales_channel.name) if part],
        "show_form": False,
        "order": order,
        "orders_url": admin_url(Order, "changelist"),
        "order_url": admin_url(Order, "change", order.pk),
        "act_url": admin_url(Proposal, "act", proposal.pk),
        "version": proposal.version,
        "changed": changed_meanwhile(proposal) if is_outdated(proposal) else [],
        "outdated": is_outdated(proposal),
        "over": over,
        "may": may,
        "said": [] if over else said_actions(preview, positions),
        "told": list(positions) if over else [],
        "effects": said_effects(preview, order) if preview.actions and not over else [],
        "diff": said_lines(preview) if not over else {},
        "sums": said_sums(preview) if not over else [],
        "forms": {what: bound.get(what) or form_of(what, proposal) for what in FORMS} if may else {},
        "failed": next(iter(bound), ""),
    }


def _may_change(order: Order) -> bool:
    return fixed(order) is None


register_order_button(
    ExtraVerb(
        name="change_order",
        label=gettext_lazy("Change order…"),
        rank=-1,
        permission=PROPOSE,
        verb=open_proposals,
        form=None,
        effect=gettext_lazy("Begin a change"),
        success=gettext_lazy("Nothing has changed yet: say what, look at what it does, then confirm."),
        consequences=lambda _order: [
            _("You say what is to change: lines, quantities, prices, discount, address, shipping."),
            _("You see what it does to price, tax, stock and the warehouse before anything moves."),
            _("Nothing of the order changes before you confirm it."),
        ],
        applies=_may_change,
        then=lambda _order, pk: admin_url(Proposal, "change", pk),
    )
)


@register_order_panel
def changes_panel(order: Order, request: HttpRequest) -> PanelContext | None:
    """The order's changes; nothing before the first."""
    if not request.user.has_perm("orders.view_proposal"):
        return None
    rows = rows_of(order, "changes")
    if not rows:
        return None
    return PanelContext(
        title=pgettext_lazy("noun", "Changes"),
        template="orders/_changes.html",
        context={
            "rows": [
                {
                    "label": str(row),
                    "url": admin_url(Proposal, "change", row.pk),
                    "badge": status_badge(ProposalStatus, row.status),
                    "reason": row.reason,
                    "who": _who(row),
                    "at": localtime(row.closed_at or row.opened_at),
                }
                for row in rows
            ]
        },
        column="side",
        place=10,
        flush=False,
    )
