"""Raw orders tried again: their stored body is read once more, and what it tells of is accepted."""

from collections import defaultdict
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.results import Results
from orders.models import RawOrder
from orders.phone import SOURCE, read_phone_order
from orders.rereading import Rereader, register_rereader, rereader_of
from orders.services.accepting import Incoming, accept_orders
from orders.services.cancelling import fit_reason
from orders.services.raw import record_problems
from orders.states import PLACE

RAW_ORDER, CLOSED = "raworder", "closed"


class NotRefused(BancaleError):
    code = "not_refused"
    message = _("It has not been read yet; it is within a few minutes.")


class NoReader(BancaleError):
    """Nothing here reads bodies of this source. `facts`: `source`."""

    code = "no_reader"
    message = _("Nothing here reads bodies of the source “%(source)s”.")


@verb
def retry_raw_orders(raw_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Read raw orders again and accept them, each by the verb of its format; the value is its order's pk.

    At most 200 ids. One that became an order already is `unchanged` with that order. What refuses is written on
    the raw order as its problem. Refuses: `NoReader`, what the reader says, `InvalidInput`, `NotFound`. Raises
    `NotAllowed`.
    """
    actor.require(PLACE.permission)
    results: Results[int] = Results(raw_ids)
    rows = RawOrder.objects.defer("body").in_bulk(results.keys)
    groups: dict[Rereader, list[int]] = defaultdict(list)
    problems: dict[int, BancaleError] = {}
    for pk in results.keys:
        row = rows.get(pk)
        if row is None:
            results.refuse(pk, NotFound())
        elif row.order_id is not None:
            results.unchanged(pk, row.order_id)
        elif (rereader := rereader_of(row.source)) is not None:
            groups[rereader].append(pk)
        else:
            problems[pk] = NoReader(source=row.source)
            results.refuse(pk, problems[pk])
    record_problems(problems)
    for rereader, pks in groups.items():
        results.absorb(rereader(pks, actor=actor))
    return results


@verb
def close_raw_orders(raw_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Say of refused raw orders that nothing comes of them any more; body and problem stay, with the reason.

    At most 200 ids. Locks them by ascending pk. One that is settled already is `unchanged`. `reason`: 1 to 120
    characters, no personal data.

    Refuses: `NotFound`; `NotRefused` for one that nobody has read yet. Raises `NotAllowed`, `InvalidInput` for the
    reason.
    """
    actor.require(PLACE.permission)
    said = fit_reason(reason)
    results: Results[int] = Results(raw_ids)
    with batch_transaction():
        rows = RawOrder.objects.filter(pk__in=results.keys).defer("body").order_by("pk")
        found = {row.pk: row for row in rows.select_for_update(of=("self",))}
        for pk in results.keys:
            row = found.get(pk)
            if row is None:
                results.refuse(pk, NotFound())
            elif row.settled_at is not None:
                results.unchanged(pk)
            elif not row.problem:
                results.refuse(pk, NotRefused())
            else:
                results.done(pk)
        RawOrder.objects.filter(pk__in=results.done_ids).update(settled_at=clock.now())
        record_events(
            [
                Entry((RAW_ORDER, pk), Thread(RAW_ORDER, pk), CLOSED, facts={"reason": said})
                for pk in results.done_ids
            ],
            actor=actor,
        )
    return results


def accept_phone_bodies(raw_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Accept orders that staff typed in, from their stored bodies; see `retry_raw_orders`."""
    results: Results[int] = Results(raw_ids)
    incoming: dict[int, list[Incoming]] = defaultdict(list)
    for row in RawOrder.objects.filter(pk__in=raw_ids).order_by("pk"):
        try:
            incoming[row.sales_channel_id].append(Incoming(read_phone_order(row.body), raw_id=row.pk))
        except BancaleError as error:
            results.refuse(row.pk, error)
    record_problems(results.refusals)
    for channel_id, given in incoming.items():
        answers = accept_orders(given, sales_channel_id=channel_id, actor=actor)
        for one in given:
            raw_id = one.raw_id or 0
            if one.key in answers.refusals:
                results.refuse(raw_id, answers.refusals[one.key])
            else:
                results.done(raw_id, answers.values[one.key])
    return results


register_rereader([SOURCE.rpartition(":")[2]], accept_phone_bodies)
