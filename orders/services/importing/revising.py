"""Updates from a file: what it states anew of orders that nobody has begun to work on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import Conflict, NotAllowed
from config.kernel.events import Entry, Thread, record_events
from config.kernel.fastpath import set_in_rows, take_ids
from config.kernel.results import Results
from config.kernel.texts import storable
from orders.enums import HoldKind, ImportResult, ImportStatus
from orders.errors import OrderClosed
from orders.models import Address, ImportOrder, Order
from orders.neutral import NeutralOrder
from orders.search_texts import other_email, search_text
from orders.services.customers import address_row, email_of
from orders.services.holds import place_hold, release_holds
from orders.services.importing.address_holds import follow_addresses, restore_address_holds
from orders.services.importing.changing import change_goods
from orders.services.importing.comparing import compare
from orders.services.importing.restoring import restore_goods
from orders.services.importing.runs import hold_runs
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.texts import fit
from orders.sheets.problems import said
from orders.states import PLACE, PROPOSE

REVISED, RESTORED = "revised", "restored"
IMPORTER = Actor.rule("import")
PLAIN = ("note", "shipping_method", "email", "required_on", "ship_to_id", "bill_to_id", "search_text")
KEPT, FIELDS_KEPT = "goods_kept", "fields_kept"


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
    """Bring orders in line with a file: address, note, shipping method, e-mail and wanted day as they are, lines and
    amounts by a confirmed change each.

    At most 200 orders. Locks the run, then the orders by ascending pk, and compares again: an order that was
    closed or begun in the warehouse meanwhile is refused. What was before is kept on the staged order, and the
    order is held until the run is finished. The address hold follows the new address. One that has nothing to
    change any more is `unchanged`.

    Refuses: `OrderClosed`, `Conflict`, `NotFound`. Raises `ImportStopped`, `NotAllowed`.
    """
    actor.require(PLACE.permission)
    results: Results[int] = Results(one.key for one in revisions)
    with batch_transaction():
        hold_runs([run_id], status=ImportStatus.APPLYING)
        orders = {order.pk: order for order in lock_orders(results.keys, actor=actor)}
        refuse_unknown(results, list(orders.values()))
        stated = {one.order_id: one for one in revisions if one.order_id in orders}
        differences = compare({pk: one.stated for pk, one in stated.items()})
        for pk, difference in differences.items():
            if orders[pk].is_closed:
                results.refuse(pk, OrderClosed(orders[pk].number, orders[pk].status))
            elif difference.refusal:
                results.refuse(pk, Conflict(detail=said(difference.refusal, difference.why)))
            elif difference.wishes and not actor.may(PROPOSE):
                results.refuse(pk, NotAllowed(permission=PROPOSE))
            elif difference.changes:
                results.done(pk)
            else:
                results.unchanged(pk)
        befores = {pk: _image(orders[pk]) for pk in results.done_ids}
        _hold(results.done_ids, run_id)
        chosen = lock_orders(results.done_ids)
        cut = _write([(order, stated[order.pk].stated) for order in chosen])
        moved = [
            (order, stated[order.pk].stated, cut[order.pk])
            for order in chosen
            if any(one["field"].startswith("ship_to.") for one in differences[order.pk].changes)
        ]
        for pk, image in follow_addresses(moved, actor=IMPORTER).items():
            befores[pk] |= image
        for order in chosen:
            befores[order.pk]["wrote"] = _image(order)
        wishes = {pk: differences[pk].wishes for pk in results.done_ids if differences[pk].wishes}
        for pk, image in change_goods(wishes, run_id=run_id, actor=actor).items():
            befores[pk] |= image
        _keep(stated, befores, results)
        # Which fields, not their values: events keep no personal data.
        what = {pk: {"what": [one["field"] for one in differences[pk].changes]} for pk in results.done_ids}
        _tell(results.done_ids, REVISED, what, actor)
    return results


def _hold(order_ids: Sequence[int], run_id: int) -> None:
    """Until the run is finished nothing of these orders leaves, so that all can be taken back."""
    if order_ids:
        facts = {"run": run_id}
        place_hold(order_ids, kind=HoldKind.IMPORT, facts=facts, actor=IMPORTER).raise_refusals()


def _image(order: Order) -> dict[str, Any]:
    """What an update takes away: plain columns, and which addresses stood there (the rows themselves stay)."""
    wanted = order.required_on.isoformat() if order.required_on else None
    image = {name: getattr(order, name) for name in PLAIN if name != "required_on"}
    return {**image, "required_on": wanted}


def _write(changed: Sequence[tuple[Order, NeutralOrder]]) -> dict[int, tuple[str, ...]]:
    """Returns by order which fields of the address that it is sent to had to be cut."""
    new: list[Address] = []
    cut: dict[int, tuple[str, ...]] = defaultdict(tuple)
    ids = iter(take_ids({Address: 2 * len(changed)})[Address])
    for order, stated in changed:
        order.note = storable(stated.note) or order.note
        order.shipping_method = fit(Order, "shipping_method", stated.shipping_method) or order.shipping_method
        former, order.email = order.email, email_of(stated) or order.email
        order.search_text = other_email(order.search_text, before=former, after=order.email)
        order.required_on = stated.required_on or order.required_on
        for use, address in (("ship_to_id", stated.ship_to), ("bill_to_id", stated.bill_to)):
            if address is not None:
                row, fields = address_row(address, next(ids), order.customer_id)
                new.append(row)
                if use == "ship_to_id":
                    cut[order.pk] = fields
                setattr(order, use, row.pk)
                order.search_text = search_text(
                    known=order.search_text,
                    names=(row.name, row.company),
                    email=row.email,
                    phones=(row.phone,),
                )
        order.version += 1
    Address.objects.bulk_create(new)
    write_columns([order for order, _stated in changed])
    return cut


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
            search_text=order.search_text,
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


def _tell(order_ids: Sequence[int], kind: str, facts: Mapping[int, Mapping[str, Any]], actor: Actor) -> None:
    entries = [
        Entry(("order", pk), Thread("order", pk), kind, facts=dict(facts.get(pk, {}))) for pk in order_ids
    ]
    record_events(entries, actor=actor)


def restore_orders(staged: Sequence[ImportOrder], *, actor: Actor) -> None:
    """Give updated orders back what their update took away; in the caller's transaction, orders locked here.

    A closed order keeps what it has: nothing of it moves any more. What somebody changed since stays, goods or other
    columns, with a note on its staged order. The run is rolled back, so that its hold can be lifted.
    """
    images = {one.order_id: one.before for one in staged if one.order_id is not None}
    orders = [order for order in lock_orders(list(images)) if not order.is_closed]
    overwritten, returned = set(), []
    for order in orders:
        image, now = images[order.pk], _image(order)
        wrote = image.get("wrote", now)
        if now["ship_to_id"] == wrote["ship_to_id"]:
            returned.append(order)
        for name in image.keys() & set(PLAIN):
            if now[name] == wrote[name]:
                setattr(order, name, image[name])
            else:
                overwritten.add(order.pk)
        order.version += 1
    write_columns(orders)
    restore_address_holds(returned, images, actor=actor)
    open_ids = [order.pk for order in orders]
    release_holds(open_ids, kind=HoldKind.IMPORT, actor=actor)
    restored = restore_goods({pk: images[pk] for pk in open_ids if "goods" in images[pk]}, actor=actor)
    _tell(open_ids, RESTORED, restored.sums, actor)
    set_in_rows(ImportOrder, ("result",), {one.pk: (ImportResult.TAKEN_BACK.value,) for one in staged})
    for note, kept in ((FIELDS_KEPT, overwritten), (KEPT, restored.kept)):
        ImportOrder.objects.filter(pk__in=[one.pk for one in staged if one.order_id in kept]).update(
            note=note
        )
