"""What timelines, channels and mails hear of a confirmed change: one event an action, one fact an order."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from config.kernel.actors import Actor
from config.kernel.events import Entry, Thread, record_events
from config.kernel.outbox import NewFact, record_facts
from orders.change_shapes import Line, Shape
from orders.changes import (
    KINDS,
    Action,
    AddLine,
    GiveDiscount,
    RemoveLine,
    SetAddress,
    SetPrice,
    SetQuantity,
    SetShipping,
)
from orders.services.proposals.foreseeing import Planned

CHANGED = "order.changed"
Facts = dict[str, Any]


def confirmed_facts(one: Planned) -> Facts:
    """What the event of the confirmed change carries."""
    before, after = one.plan.before.sums().total, one.plan.after.sums().total
    return {"before": text(before), "after": text(after), "currency": one.order.currency}


def tell(
    chosen: Sequence[Planned],
    actions: Mapping[int, Mapping[int, Action]],
    *,
    actor: Actor,
    is_told: bool = True,
) -> None:
    """Record an event for each action on its order's timeline, and the fact `order.changed`.

    Without `is_told` the fact names no kinds of action, and no buyer is told.
    """
    entries = []
    for one in chosen:
        for position, action in sorted(actions[one.proposal.pk].items()):
            kind = f"changed_{KINDS[type(action)].value}"
            facts = {"change": one.proposal.pk, **action_facts(action, *one.plan.steps[position])}
            entries.append(Entry(("order", one.order.pk), Thread("order", one.order.pk), kind, facts=facts))
    record_events(entries, actor=actor)
    news = [NewFact(CHANGED, ("order", one.order.pk), _what(one, actions, is_told)) for one in chosen]
    record_facts(news)


def _what(one: Planned, actions: Mapping[int, Mapping[int, Action]], is_told: bool) -> Facts:
    kinds = {KINDS[type(action)].value for action in actions[one.proposal.pk].values()}
    return {"change": one.proposal.pk, "kinds": sorted(kinds) if is_told else []}


def action_facts(action: Action, before: Shape, after: Shape) -> Facts:
    """What an action did, in ids, codes, counts and amounts as text."""
    match action:
        case AddLine():
            return {
                "code": action.sku_code,
                "units": action.quantity,
                "price": text(action.unit_amount),
                "currency": after.currency,
            }
        case RemoveLine() | SetQuantity():
            old, new = _line(before, action.line), _line(after, action.line)
            return {"code": old.name, "before": old.quantity, "after": new.quantity}
        case SetPrice():
            old = _line(before, action.line)
            return {
                "code": old.name,
                "before": text(old.unit_amount),
                "after": text(action.unit_amount),
                "currency": after.currency,
            }
        case GiveDiscount():
            given = after.sums().discounts - before.sums().discounts
            code = "" if action.line is None else _line(before, action.line).name
            return {"code": code, "amount": text(given), "currency": after.currency}
        case SetAddress():
            return {"address": action.address_id}
        case SetShipping():
            return {"method": action.method, "amount": text(action.amount), "currency": after.currency}


def _line(shape: Shape, ref: int) -> Line:
    return next(line for line in shape.lines if line.ref == ref)


def text(amount: Decimal | None) -> str | None:
    """The same amount as the same text, however many zeros its column keeps."""
    return None if amount is None else f"{amount.normalize():f}"
