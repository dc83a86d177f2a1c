"""Two customers who are one: orders and addresses go to the one that is kept, e-mails go on finding them."""

from collections.abc import Collection, Mapping, Sequence

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput, NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.locks import lock_rows
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from config.kernel.visibility import seen_by
from orders.models import Address, Customer, Order
from orders.privacy import SEE_PERSONAL
from orders.services.naming import tell_renamed

MERGE = "orders.merge_customer"
MERGED = "customer.merged"
MOVE_MERGED = "orders.move_merged"
TAKEN_OVER = ("name", "phone", "language")


@verb
def merge_customers(customer_ids: Sequence[int], *, keep_id: int, actor: Actor) -> Results[int]:
    """Make customers one with the customer that is kept: their orders and addresses become that one's.

    At most 200. Locks their orders by ascending pk, then the customers. The merged rows stay, so that an order that
    comes in under their e-mail finds the kept one; what the kept one lacks of name, phone and language is taken
    over. One that was merged into it before is `unchanged`.

    Refuses: `InvalidInput` for the kept one itself and for one that was merged elsewhere, `NotFound`, also for one
    that the actor does not see. Raises `NotAllowed`, also to who may not see persons: whether two are one cannot be
    judged by numbers; and `NotFound` or `InvalidInput` for the kept one.
    """
    for right in (MERGE, SEE_PERSONAL):
        actor.require(right)
    results: Results[int] = Results(customer_ids)
    with batch_transaction():
        _lock_orders_of([*results.keys])
        rows = lock_customers([*results.keys, keep_id], actor)
        keep = rows.get(keep_id)
        if keep is None:
            raise NotFound()
        if keep.merged_into_id is not None:
            accepted = _("accepted is one that was not merged into another")
            raise InvalidInput(field="keep", value=str(keep), accepted=accepted)
        for pk in results.keys:
            if (problem := _refusal(pk, keep, rows)) is not None:
                results.refuse(pk, problem)
            elif rows[pk].merged_into_id == keep_id:
                results.unchanged(pk)
            else:
                results.done(pk)
        if results.done_ids:
            _merge([rows[pk] for pk in results.done_ids], keep, actor)
    return results


def lock_customers(customer_ids: Collection[int], actor: Actor) -> dict[int, Customer]:
    """Lock the customers that an actor sees by ascending pk, after their orders. Not a kind of the kernel's order:
    nothing is locked behind them but an order that came in under them meanwhile, whose intake has ended by then."""
    rows = seen_by(actor, Customer.objects.filter(pk__in=set(customer_ids))).order_by("pk")
    return {row.pk: row for row in rows.select_for_update(of=("self",))}


def _lock_orders_of(customer_ids: Collection[int]) -> list[Order]:
    return lock_rows("order", Order.objects.filter(customer__in=customer_ids).only("pk"))


def _refusal(pk: int, keep: Customer, rows: Mapping[int, Customer]) -> BancaleError | None:
    if pk not in rows:
        return NotFound()
    if pk == keep.pk:
        return InvalidInput(field="customer", value=str(keep), accepted=_("accepted are others"))
    if rows[pk].merged_into_id not in (None, keep.pk):
        accepted = _("accepted are customers that were not merged elsewhere")
        return InvalidInput(field="customer", value=str(rows[pk]), accepted=accepted)
    return None


def _merge(merged: Sequence[Customer], keep: Customer, actor: Actor) -> None:
    pks = [row.pk for row in merged]
    _move(pks, keep.pk)
    Customer.objects.filter(pk__in=pks).update(merged_into=keep.pk, version=F("version") + 1)
    Customer.objects.filter(merged_into__in=pks).update(merged_into=keep.pk)
    for name in TAKEN_OVER:
        if not getattr(keep, name):
            setattr(keep, name, next((value for row in merged if (value := getattr(row, name))), ""))
    keep.version += 1
    keep.save(update_fields=[*TAKEN_OVER, "version"])
    entries = [Entry(("customer", keep.pk), Thread("customer", keep.pk), "merged", facts={"customers": pks})]
    facts = {"customer": keep.pk}
    entries += [Entry(("customer", pk), Thread("customer", pk), "merged_away", facts=facts) for pk in pks]
    record_events(entries, actor=actor)
    record_facts([NewFact(MERGED, ("customer", pk)) for pk in pks])
    tell_renamed([keep.pk])


def _move(customer_ids: Collection[int], keep_id: int) -> int:
    moved = Order.objects.filter(customer__in=customer_ids)
    count = moved.update(customer=keep_id, version=F("version") + 1)
    return count + Address.objects.filter(customer__in=customer_ids).update(customer=keep_id)


def follow_merges() -> int:
    """Move what an intake under way stored under a customer while they were merged; returns how many rows."""
    orders = Order.objects.filter(customer__merged_into__isnull=False)
    addresses = Address.objects.filter(customer__merged_into__isnull=False)
    left = {
        *orders.values_list("customer_id", "customer__merged_into_id"),
        *addresses.values_list("customer_id", "customer__merged_into_id"),
    }
    count = 0
    for pk, keep_id in sorted((pk, keep) for pk, keep in left if pk is not None and keep is not None):
        with batch_transaction():
            _lock_orders_of([pk])
            count += _move([pk], keep_id)
            tell_renamed([keep_id])
    return count
