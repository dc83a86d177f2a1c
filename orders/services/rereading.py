"""Raw orders tried again: read their stored body once more and accept what it tells of."""

from collections import defaultdict
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.batches import verb
from config.kernel.errors import BancaleError, NotFound
from config.kernel.results import Results
from orders.models import RawOrder
from orders.readers import reader_of
from orders.services.accepting import Incoming, accept_orders
from orders.services.raw import record_problems
from orders.states import PLACE


class NoReader(BancaleError):
    """Nothing here reads bodies of this source. `facts`: `source`."""

    code = "no_reader"
    message = _("Nothing here reads bodies of the source “%(source)s”.")


@verb
def retry_raw_orders(raw_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Read raw orders again and accept them; the value of each is its order's pk.

    At most 200 ids. One that became an order already is `unchanged` with that order. What refuses is written on
    the raw order as its problem. Refuses: `NoReader`, what the reader says, `InvalidInput`, `NotFound`. Raises
    `NotAllowed`.
    """
    actor.require(PLACE.permission)
    results: Results[int] = Results(raw_ids)
    rows = {row.pk: row for row in RawOrder.objects.filter(pk__in=raw_ids)}
    incoming: dict[int, list[tuple[int, Incoming]]] = defaultdict(list)
    for pk in results.keys:
        row = rows.get(pk)
        if row is None:
            results.refuse(pk, NotFound())
        elif row.order_id is not None:
            results.unchanged(pk, row.order_id)
        else:
            _read(row, incoming[row.sales_channel_id], results)
    record_problems({pk: str(error) for pk, error in results.refusals.items() if pk in rows})
    for channel_id, entries in incoming.items():
        given = [one for _pk, one in entries]
        answers = accept_orders(given, sales_channel_id=channel_id, actor=actor)
        for pk, one in entries:
            if one.key in answers.refusals:
                results.refuse(pk, answers.refusals[one.key])
            else:
                results.done(pk, answers.values[one.key])
    return results


def _read(row: RawOrder, entries: list[tuple[int, Incoming]], results: Results[int]) -> None:
    reader = reader_of(row.source)
    if reader is None:
        results.refuse(row.pk, NoReader(source=row.source))
        return
    try:
        entries.append((row.pk, Incoming(reader(row.body), raw_id=row.pk)))
    except BancaleError as error:
        results.refuse(row.pk, error)
