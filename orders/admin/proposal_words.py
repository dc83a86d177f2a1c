"""What a change would do, in words."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.admin.timeline import event_words
from config.kernel.models import Event
from config.kernel.templatetags.bancale import money_text
from orders.admin.words import hold_title
from orders.change_shapes import Line
from orders.changes import KINDS, SetAddress
from orders.enums import ChannelKind, HoldKind, MailKind, MoneyOwner
from orders.models import Address, Order
from orders.services.mail_occasions import TOLD_OF, nobody_to_tell
from orders.services.proposals.previewing import Preview, StockChange
from orders.services.proposals.telling import action_facts
from orders.services.readdressed import is_readdressed

MARKETPLACES = (ChannelKind.AMAZON, ChannelKind.EBAY)
Said = dict[str, str]


def said_effects(preview: Preview, order: Order) -> list[Said]:
    """Everything the change does beside its lines, the weightiest first."""
    refusals = [_said(str(problem), "stop") for problem in preview.plan.refusals.values()]
    rooms = [_said(str(effect.text), effect.tone) for effect in preview.effects]
    stock = [said for change in preview.stock for said in _stock(change)]
    return [*refusals, *_money(preview), *rooms, *stock, *_sending(preview, order), *_told(order)]


def _said(text: str, tone: str = "") -> Said:
    return {"text": text, "tone": tone}


def _money(preview: Preview) -> Iterator[Said]:
    plan, currency = preview.plan, preview.plan.after.currency
    if not plan.added_amount:
        return
    sums = {
        "before": money_text(preview.owed_before, currency),
        "after": money_text(preview.owed_after, currency),
    }
    yield _said(_("The buyer owes %(after)s instead of %(before)s.") % sums)
    left = preview.open_amount
    if left is None or not preview.paid:
        return
    if left > 0:
        text = _("%(amount)s are still to be paid; nothing is collected by this.")
        yield _said(text % {"amount": money_text(left, currency)}, "wait")
    elif left < 0:
        text = _("%(amount)s more has been paid than is owed: refund it where it was paid.")
        yield _said(text % {"amount": money_text(-left, currency)}, "stop")


def _stock(change: StockChange) -> Iterator[Said]:
    sku = change.sku
    if change.called_back:
        text = ngettext(
            "%(n)s of %(sku)s comes back from the warehouse's list and is free for others.",
            "%(n)s of %(sku)s come back from the warehouse's list and are free for others.",
            change.called_back,
        )
        yield _said(text % {"n": change.called_back, "sku": sku})
    for place, units in change.released:
        text = ngettext(
            "%(n)s of %(sku)s reserved at %(place)s is free for others at once.",
            "%(n)s of %(sku)s reserved at %(place)s are free for others at once.",
            units,
        )
        yield _said(text % {"n": units, "sku": sku, "place": place})
    if change.left_line:
        text = ngettext(
            "%(n)s of %(sku)s that waits leaves the line.",
            "%(n)s of %(sku)s that wait leave the line.",
            change.left_line,
        )
        yield _said(text % {"n": change.left_line, "sku": sku})
    for place, units in change.reserved:
        text = ngettext(
            "%(n)s more of %(sku)s is reserved at %(place)s.",
            "%(n)s more of %(sku)s are reserved at %(place)s.",
            units,
        )
        yield _said(text % {"n": units, "sku": sku, "place": place}, "ok")
    if change.waiting:
        yield _said(_waiting(change), "wait")
    if change.later:
        text = ngettext(
            "%(n)s more of %(sku)s is decided when the order is allocated.",
            "%(n)s more of %(sku)s are decided when the order is allocated.",
            change.later,
        )
        yield _said(text % {"n": change.later, "sku": sku})


def _waiting(change: StockChange) -> str:
    facts = {"n": change.waiting, "sku": change.sku, "ahead": change.ahead}
    if change.ahead:
        text = ngettext(
            "%(n)s of %(sku)s waits in line, behind %(ahead)s others.",
            "%(n)s of %(sku)s wait in line, behind %(ahead)s others.",
            change.waiting,
        )
    else:
        text = ngettext(
            "%(n)s of %(sku)s waits for stock.", "%(n)s of %(sku)s wait for stock.", change.waiting
        )
    return text % facts


def _sending(preview: Preview, order: Order) -> Iterator[Said]:
    if preview.plan.new_address:
        yield _said(_("It is sent to the new address; the one before stays on record."))
        for hold in order.holds.filter(lifted_at=None):
            awaits_it = hold.kind == HoldKind.AWAITING_DETAILS and hold.facts.get("missing") == ["address"]
            if hold.kind == HoldKind.ADDRESS or is_readdressed(hold) or awaits_it:
                title = hold_title(hold.kind, hold.facts).rstrip(".")
                what = HoldKind.ADDRESS.label if hold.kind == HoldKind.ADDRESS else title
                yield _said(_("Hold lifted: %(what)s") % {"what": what}, "ok")
    if preview.plan.new_method:
        text = _("It is sent by “%(method)s”.")
        yield _said(text % {"method": preview.plan.after.shipping_method})


def _told(order: Order) -> Iterator[Said]:
    """Who does not hear of it."""
    channel = order.sales_channel
    is_marketplace = channel.kind in MARKETPLACES or any(
        payment.owner == MoneyOwner.MARKETPLACE for payment in order.payments.all()
    )
    if is_marketplace:
        text = _(
            "%(channel)s is not told: its buyer goes on seeing the order as placed there, and its prices and money "
            "are settled there."
        )
        yield _said(text % {"channel": channel.name}, "wait")
    elif channel.kind not in (ChannelKind.PHONE, ChannelKind.CSV):
        text = _("%(channel)s is not told: the order there stays as the buyer placed it.")
        yield _said(text % {"channel": channel.name}, "wait")
    if order.status not in TOLD_OF:
        yield _said(_("No mail is sent by this: the confirmation tells the order as it stands then."))
    elif why := nobody_to_tell(order, MailKind.CHANGE):
        yield _said(_("No mail is sent by this: %(why)s.") % {"why": why})
    else:
        yield _said(_("The buyer is told by a mail to %(email)s.") % {"email": order.email})


def said_actions(preview: Preview, rows: Mapping[int, int]) -> list[dict[str, Any]]:
    """The wishes in sequence, with their pks (`rows` by position) and why one cannot be had."""
    said = []
    named = [action.address_id for action in preview.actions.values() if isinstance(action, SetAddress)]
    addresses = Address.objects.in_bulk(named) if named else {}
    for position, action in sorted(preview.actions.items()):
        problem = preview.plan.refusals.get(position)
        if problem is None:
            facts = action_facts(action, *preview.plan.steps[position])
            kind = f"changed_{KINDS[type(action)].value}"
            event = Event(subject_type="order", thread_type="order", kind=kind, facts=facts)
            title, detail, tone = event_words(event)
            title = str(KINDS[type(action)].label)
            if isinstance(action, SetAddress):
                detail = str(addresses.get(action.address_id, ""))
        else:
            title, detail, tone = str(KINDS[type(action)].label), str(problem), "stop"
        said.append({"pk": rows[position], "title": title, "detail": detail, "tone": tone})
    return said


def said_lines(preview: Preview) -> dict[str, Any]:
    """The lines that differ, before and after, as a table."""
    currency = preview.plan.after.currency
    rows = []
    for change in preview.plan.lines:
        old, new = change.before, change.after
        line: Line = new or old  # type: ignore[assignment]
        said = [_line_said(old, currency), _line_said(new, currency)]
        rows.append([f"{line.title} ({line.name})", *(_pair(*pair) for pair in zip(*said, strict=True))])
    return {"columns": [_("Line"), _("Ordered"), _("Price"), _("Line total"), _("Tax")], "rows": rows}


def _line_said(line: Line | None, currency: str) -> list[str | None]:
    """Quantity, price, total and tax of a line; nothing of one that is not there."""
    if line is None:
        return [None] * 4
    amounts = (line.unit_amount, line.price.total, line.price.tax)
    return [str(line.quantity), *(_money_of(amount, currency) for amount in amounts)]


def _money_of(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else money_text(amount, currency)


def _pair(before: Any, after: Any) -> str:
    """“2 → 5”; only one of them where nothing changes or nothing was there."""
    if before == after or before is None:
        return "–" if after is None else str(after)
    return f"{before} → {'–' if after is None else after}"


def said_sums(preview: Preview) -> list[tuple[Any, ...]]:
    """The order's sums, before and after."""
    old, new, currency = preview.plan.before.sums(), preview.plan.after.sums(), preview.plan.after.currency

    def row(label: str, before: Decimal | None, after: Decimal | None, tone: str = "") -> tuple[Any, ...]:
        return label, _pair(_money_of(before, currency), _money_of(after, currency)), tone

    rows = [
        row(_("Lines"), old.lines, new.lines),
        row(_("Discounts"), -old.discounts, -new.discounts),
        row(_("Charges"), old.charges, new.charges),
        row(_("Tax"), old.tax, new.tax),
        row(_("The buyer owes"), preview.owed_before, preview.owed_after, "sum"),
        (_("Paid"), money_text(preview.paid, currency)),
    ]
    left = preview.open_amount
    if left is not None and left < 0:
        rows.append((_("Paid too much"), money_text(-left, currency), "stop"))
    else:
        rows.append((_("Still to pay"), money_text(left, currency), "wait" if left else ""))
    return rows
