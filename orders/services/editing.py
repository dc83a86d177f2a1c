"""An order's own details, as staff correct them; lines, address and shipping are changed by proposals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import InvalidInput
from config.kernel.events import Entry, Thread, record_events
from config.kernel.results import Results
from config.kernel.texts import storable
from orders.models import Order, OrderEdit
from orders.privacy import SEE_PERSONAL
from orders.search_texts import other_email
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.texts import limit_of

EDIT, EDITED = "orders.edit_order", "edited"
LONGEST_TEXT = 2000


class Details(TypedDict, total=False):
    """What may be edited: where mails go and in which language, the buyer's words, and the day they want it by."""

    email: str
    language: str
    note: str
    required_on: date | None


@dataclass(frozen=True, slots=True)
class Edit:
    """What the named details of one order are to be; the others stay."""

    order_id: int
    details: Details

    @property
    def key(self) -> int:
        return self.order_id


@verb
def edit_orders(edits: Sequence[Edit], *, actor: Actor) -> Results[int]:
    """Set details of orders, open or closed; each that differs is told with what was before, by an event of its own.

    At most 200 orders. Locks them by ascending pk; their versions move by one. Mails that have not left go to the new
    address in the new language; the customer's own record stays as it is. An order that says all of it already is
    `unchanged`; so is a second call.

    Refuses: `NotFound`, `InvalidInput` for a value that is new and cannot be. Raises `NotAllowed`, also for an actor
    who sees no personal data.
    """
    for right in (EDIT, SEE_PERSONAL):
        actor.require(right)
    wanted = {one.order_id: _fit(one.details) for one in edits}
    results: Results[int] = Results(one.key for one in edits)
    with batch_transaction():
        orders = lock_orders(results.keys, actor=actor)
        refuse_unknown(results, orders)
        rows: list[tuple[str, OrderEdit]] = []
        for order in orders:
            changed = {name: now for name, now in wanted[order.pk].items() if getattr(order, name) != now}
            if (problem := _problem(changed)) is not None:
                results.refuse(order.pk, problem)
            elif changed:
                rows += _apply(order, changed)
                results.done(order.pk)
            else:
                results.unchanged(order.pk)
        done = [order for order in orders if order.pk in results.done_ids]
        Order.objects.bulk_update(done, [*Details.__annotations__, "search_text", "version"])
        OrderEdit.objects.bulk_create([row for _name, row in rows])
        record_events([_entry(row, name) for name, row in rows], actor=actor)
    return results


def _fit(details: Details) -> Mapping[str, Any]:
    """The details as they are stored: texts without outer spaces, the address in lower case."""
    values: dict[str, Any] = dict(details)
    for name, value in values.items():
        if isinstance(value, str):
            values[name] = storable(value).strip()
    if "email" in values:
        values["email"] = values["email"].lower()
    return values


def _problem(changed: Mapping[str, Any]) -> InvalidInput | None:
    """What of these values cannot be."""
    email, language, note = (changed.get(name, "") for name in ("email", "language", "note"))
    if email and not _is_address(email):
        accepted = _("accepted is an e-mail address of up to 254 characters")
        return InvalidInput(field="email", value=email[:80], accepted=accepted)
    if "language" in changed and language not in dict(settings.LANGUAGES):
        return InvalidInput(
            field="language", value=language[:8], accepted=", ".join(dict(settings.LANGUAGES))
        )
    if len(note) > LONGEST_TEXT:
        return InvalidInput(field="note", value=note[:80], accepted=_("accepted are up to 2000 characters"))
    return None


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= limit_of(Order, "email")


def _apply(order: Order, changed: Mapping[str, Any]) -> list[tuple[str, OrderEdit]]:
    """Change the locked order in memory; each detail with the row that keeps what was before."""
    if "email" in changed:
        order.search_text = other_email(order.search_text, before=order.email, after=str(changed["email"]))
    rows = [
        (name, OrderEdit(order=order, before=_text(getattr(order, name)), after=_text(value)))
        for name, value in changed.items()
    ]
    for name, value in changed.items():
        setattr(order, name, value)
    order.version += 1
    return rows


def _text(value: str | date | None) -> str:
    return value.isoformat() if isinstance(value, date) else value or ""


def _entry(row: OrderEdit, name: str) -> Entry:
    """The event names field and row: what it said may have to be erased."""
    thread = Thread("order", row.order_id)
    return Entry(("order", row.order_id), thread, EDITED, facts={"field": name, "edit": row.pk})
