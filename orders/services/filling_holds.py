"""The holds of intake, brought in step with what a channel stated later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from config.kernel.actors import Actor, ActorKind
from config.kernel.events import record_events
from config.kernel.outbox import record_facts
from orders.enums import GOODS_GONE, HoldKind, NeutralState
from orders.intake_rules import address_faults, difference_facts, needs_shipping
from orders.mail_kinds import hold_facts
from orders.models import Hold, Order
from orders.neutral import NeutralOrder
from orders.services.holds import PLACED, hold_entry, lift
from orders.totals import recompute

CHANGED_LATER = "changed_later"
SAID_ANEW = "hold_changed"
# What is missing while the channel itself holds an order.
RELEASE = "channel_release"


@dataclass(slots=True)
class HoldChanges:
    """Holds to lift, to raise and to say anew, collected before anything is written; `held` are the open ones."""

    held: Mapping[int, Sequence[Hold]]
    at: datetime
    actor: Actor
    lifted: list[Hold] = field(default_factory=list)
    raised: list[Hold] = field(default_factory=list)
    said_anew: list[Hold] = field(default_factory=list)

    @property
    def touched(self) -> set[int]:
        return {hold.order_id for hold in (*self.lifted, *self.raised, *self.said_anew)}

    def open(self, order: Order, kind: HoldKind) -> Hold | None:
        holds = (*self.held.get(order.pk, ()), *(one for one in self.raised if one.order_id == order.pk))
        return next((hold for hold in holds if hold.kind == kind), None)

    def lift(self, order: Order, kind: HoldKind) -> None:
        if (hold := self.open(order, kind)) is not None:
            self.lifted.append(hold)

    def know(self, order: Order, detail: str) -> None:
        """A detail that was awaited is known now, from whomever."""
        hold = self.open(order, HoldKind.AWAITING_DETAILS)
        missing = hold.facts.get("missing", ()) if hold is not None else ()
        if missing == [detail]:
            self.lift(order, HoldKind.AWAITING_DETAILS)
        elif detail in missing:
            left = [name for name in missing if name != detail]
            self.put(order, HoldKind.AWAITING_DETAILS, {"missing": left})

    def put(self, order: Order, kind: HoldKind, facts: Mapping[str, Any]) -> None:
        """Raise a hold, or say an open one anew where its facts have changed."""
        hold = self.open(order, kind)
        if hold is None:
            self.raised.append(
                Hold(order=order, kind=kind, facts=dict(facts), opened_at=self.at, opened_by=self.actor.kind)
            )
        elif hold.facts != facts:
            hold.facts = dict(facts)
            if hold.pk is not None:
                self.said_anew.append(hold)


def follow_details(
    changes: HoldChanges, order: Order, stated: NeutralOrder, what: Sequence[str], cut: tuple[str, ...]
) -> None:
    """Lift or say anew what was awaited, and raise what the filled values (`what`) call for."""
    if changes.open(order, HoldKind.AWAITING_DETAILS) is not None:
        if missing := _missing(order, stated):
            changes.put(order, HoldKind.AWAITING_DETAILS, {"missing": missing})
        else:
            changes.lift(order, HoldKind.AWAITING_DETAILS)
    if "address" in what and (faults := address_faults(stated, cut)):
        changes.put(order, HoldKind.ADDRESS, faults)
    if not {"amounts", "total"} & set(what):
        return
    if order.total_difference_amount:
        sums = (order.total_sent_amount, order.total_computed_amount, order.total_difference_amount)
        changes.put(order, HoldKind.TOTALS, difference_facts(*sums, order.currency))
    if order.is_free:
        changes.lift(order, HoldKind.UNPAID)


def _missing(order: Order, stated: NeutralOrder) -> list[str]:
    missing = {
        RELEASE: stated.state == NeutralState.HELD,
        "total": order.total_sent_amount is None,
        "amounts": order.total_computed_amount is None,
        "address": order.ship_to_id is None and order.ship_to is None and needs_shipping(stated),
    }
    return [name for name, is_missing in missing.items() if is_missing]


def follow_channel(changes: HoldChanges, told: Mapping[int, tuple[Order, NeutralOrder]]) -> None:
    """Hold orders with goods still here that their channel holds by now, until it lets them go. One that a person has
    let go of though the channel held it is not held again. One statement, none where no channel holds."""
    found = {
        pk: order
        for pk, (order, stated) in told.items()
        if stated.state == NeutralState.HELD
        and order.fulfillment_status not in GOODS_GONE
        and changes.open(order, HoldKind.AWAITING_DETAILS) is None
    }
    if not found:
        return
    rows = Hold.objects.filter(order__in=found, kind=HoldKind.AWAITING_DETAILS).order_by("pk")
    last = {hold.order_id: hold for hold in rows if RELEASE in hold.facts.get("missing", ())}
    for pk, order in found.items():
        if pk not in last or last[pk].lifted_by != ActorKind.USER:
            changes.put(order, HoldKind.AWAITING_DETAILS, {"missing": [RELEASE]})


def follow_difference(changes: HoldChanges, told: Mapping[int, tuple[Order, NeutralOrder]]) -> None:
    """Raise the totals hold where a body's sums differ from the known ones; a figure that staff accepted before
    is not raised again. One statement, none where nothing differs."""
    found = {pk: facts for pk, (order, stated) in told.items() if (facts := _difference(order, stated))}
    if not found:
        return
    accepted = Hold.objects.filter(order__in=found, kind=HoldKind.TOTALS, lifted_at__isnull=False)
    seen = {(hold.order_id, hold.facts.get("stated")) for hold in accepted}
    for pk, facts in found.items():
        order = told[pk][0]
        hold = changes.open(order, HoldKind.TOTALS)
        if hold is not None:
            changes.put(order, HoldKind.TOTALS, {**hold.facts, **facts})
        elif (pk, facts["stated"]) not in seen:
            changes.put(order, HoldKind.TOTALS, facts)


def _difference(order: Order, stated: NeutralOrder) -> dict[str, str] | None:
    pairs = (
        (order.total_sent_amount, stated.total_amount),
        (_unchanged(order), recompute(stated).computed_total),
    )
    for known, said in pairs:
        if known is not None and said is not None and known != said:
            return {
                "cause": CHANGED_LATER,
                "sent": _text(known),
                "stated": _text(said),
                "difference": _text(said - known),
                "currency": order.currency,
            }
    return None


def _unchanged(order: Order) -> Decimal | None:
    """Our sum without what we changed since: the channel knows nothing of that."""
    computed: Decimal | None = order.total_computed_amount
    return None if computed is None else computed - order.changed_amount


def _text(amount: Decimal) -> str:
    """The same amount as the same text, however many zeros its column keeps."""
    return f"{amount.normalize():f}"


def write_holds(changes: HoldChanges) -> None:
    """Write what was collected: eight statements at most, whatever the number of orders."""
    lift(changes.lifted, actor=changes.actor)
    Hold.objects.bulk_create(changes.raised)
    record_facts(hold_facts(changes.raised))
    Hold.objects.bulk_update(changes.said_anew, ["facts"])
    entries = [hold_entry(hold, PLACED) for hold in changes.raised]
    entries += [hold_entry(hold, SAID_ANEW) for hold in changes.said_anew]
    record_events(entries, actor=changes.actor)
