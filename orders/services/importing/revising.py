"""Updates from a file: what it states anew of orders that nobody has begun to work on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import Conflict
from config.kernel.events import Entry, Thread, record_events
from config.kernel.fastpath import set_in_rows, take_ids
from config.kernel.results import Results
from orders.enums import ImportResult, ImportStatus
from orders.errors import OrderClosed
from orders.models import Address, ImportOrder, Order
from orders.neutral import NeutralOrder
from orders.services.customers import address_row, email_of
from orders.services.importing.comparing import compare
from orders.services.importing.runs import hold_runs
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.texts import fit
from orders.states import PLACE

REVISED, RESTORED = "revised", "restored"
COLUMNS = ("note", "shipping_method", "email", "required_on", "ship_to_id", "bill_to_id", "version")


@dataclass(frozen=True, slots=True)
class Revision:
    """What a file states anew of one order, and the staged order that says so."""

    order_id: int
    stated: NeutralOrder
    import_order_id: int

    @property
    def key(self) -> int:
        return self.order_id


@verb
def revise_orders(revisions: Sequence[Revision], *, run_id: int, actor: Actor) -> Results[int]:
    """Bring addresses, note, shipping method, e-mail and wanted day of orders in line with a file.

    At most 200 orders. Locks the run, then the orders by ascending pk, and compares again: an order that was
    closed, begun in the warehouse or changed in its goods meanwhile is refused. The values before are kept on the
    staged order. One that has nothing to change any more is `unchanged`.

    Refuses: `OrderClosed`, `Conflict`, `NotFound`. Raises `ImportStopped`, `NotAllowed`.
    """
    actor.require(PLACE.permission)
    results: Results[int] = Results(one.key for one in revisions)
    with batch_transaction():
        hold_runs([run_id], status=ImportStatus.APPLYING)
        orders = {order.pk: order for order in lock_orders(results.keys)}
        refuse_unknown(results, list(orders.values()))
        stated = {one.order_id: one for one in revisions if one.order_id in orders}
        differences = compare({pk: one.stated for pk, one in stated.items()})
        for pk, difference in differences.items():
            if orders[pk].is_closed:
                results.refuse(pk, OrderClosed(orders[pk].number, orders[pk].status))
            elif difference.refusal:
                results.refuse(pk, Conflict(detail=difference.refusal))
            elif difference.changes:
                results.done(pk)
            else:
                results.unchanged(pk)
        befores = {pk: _image(orders[pk]) for pk in results.done_ids}
        _write([(orders[pk], stated[pk].stated) for pk in results.done_ids])
        _keep(stated, befores, results)
        _tell(results.done_ids, REVISED, {pk: differences[pk].changes for pk in results.done_ids}, actor)
    return results


def _image(order: Order) -> dict[str, Any]:
    """What an update takes away: plain columns, and which addresses stood there (the rows themselves stay)."""
    wanted = order.required_on.isoformat() if order.required_on else None
    image = {name: getattr(order, name) for name in COLUMNS if name not in ("required_on", "version")}
    return {**image, "required_on": wanted}


def _write(changed: Sequence[tuple[Order, NeutralOrder]]) -> None:
    new: list[Address] = []
    ids = iter(take_ids({Address: 2 * len(changed)})[Address])
    for order, stated in changed:
        order.note = stated.note.replace("\x00", "") or order.note
        order.shipping_method = fit(Order, "shipping_method", stated.shipping_method) or order.shipping_method
        order.email = email_of(stated) or order.email
        order.required_on = stated.required_on or order.required_on
        for use, address in (("ship_to_id", stated.ship_to), ("bill_to_id", stated.bill_to)):
            if address is not None:
                row, _cut = address_row(address, next(ids), order.customer_id)
                new.append(row)
                setattr(order, use, row.pk)
        order.version += 1
    Address.objects.bulk_create(new)
    write_columns([order for order, _stated in changed])


def write_columns(orders: Sequence[Order]) -> None:
    """The columns of an update, for locked orders."""
    for order in orders:
        Order.objects.filter(pk=order.pk).update(
            note=order.note,
            shipping_method=order.shipping_method,
            email=order.email,
            required_on=order.required_on,
            ship_to_id=order.ship_to_id,
            bill_to_id=order.bill_to_id,
            version=order.version,
        )


def _keep(
    stated: Mapping[int, Revision], befores: Mapping[int, dict[str, Any]], results: Results[int]
) -> None:
    rows = {one.import_order_id: pk for pk, one in stated.items() if pk not in results.refusals}
    staged = ImportOrder.objects.in_bulk(list(rows))
    for row in staged.values():
        row.before = befores.get(rows[row.pk], row.before)
        row.result = ImportResult.UPDATED if row.before else ImportResult.KEPT
    ImportOrder.objects.bulk_update(staged.values(), ["before", "result"])


def _tell(order_ids: Sequence[int], kind: str, changes: Mapping[int, Sequence[Any]], actor: Actor) -> None:
    """Which fields, not their values: events keep no personal data."""
    record_events(
        [
            Entry(
                ("order", pk),
                Thread("order", pk),
                kind,
                facts={"what": [one["field"] for one in changes.get(pk, ())]},
            )
            for pk in order_ids
        ],
        actor=actor,
    )


def restore_orders(staged: Sequence[ImportOrder], *, actor: Actor) -> None:
    """Give updated orders back what their update took away; in the caller's transaction, orders locked here.

    A closed order keeps what it has: nothing of it moves any more.
    """
    images = {one.order_id: one.before for one in staged if one.order_id is not None}
    orders = [order for order in lock_orders(list(images)) if not order.is_closed]
    for order in orders:
        for name, value in images[order.pk].items():
            setattr(order, name, value)
        order.version += 1
    write_columns(orders)
    _tell([order.pk for order in orders], RESTORED, {}, actor)
    set_in_rows(ImportOrder, ("result",), {one.pk: (ImportResult.TAKEN_BACK.value,) for one in staged})
