"""A list of what is to be counted."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.kernel import clock, idempotency
from config.kernel.actors import Actor
from config.kernel.batches import retried
from config.kernel.errors import InvalidInput, NotFound
from config.kernel.events import record_events
from config.kernel.numbering import next_numbers
from inventory.enums import CountStatus
from inventory.errors import KitHoldsNoStock
from inventory.models import Location, Sku, StockCount, StockCountLine, StockLevel
from inventory.services.counts.desk import REFERENCE
from inventory.states import COUNT_STOCK, STOCK_COUNT

MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class CountPlan:
    """What to count; without SKUs everything that is on hand at the location."""

    location_id: int
    sku_ids: tuple[int, ...] = ()
    note: str = ""


def book_count(plan: CountPlan, *, nonce: str, actor: Actor) -> int:
    """Write a list to count from; returns its pk. The same nonce again returns the same pk.

    Raises `NotAllowed`, `NotFound` for a location or SKU, `KitHoldsNoStock`, `InvalidInput` for nothing to count
    or more than 200 SKUs, `KeyReused` for a nonce that came with another plan.
    """
    return book_counts([plan], nonce=nonce, actor=actor)[0]


def book_counts(plans: Sequence[CountPlan], *, nonce: str, actor: Actor) -> list[int]:
    """Write several lists at once, all or nothing; as `book_count`."""
    actor.require(COUNT_STOCK)
    for plan in plans:
        actor.require_place(plan.location_id)
    request = {"plans": [asdict(plan) for plan in plans], "actor": actor.id}

    def once() -> list[int]:
        with transaction.atomic():
            before = idempotency.begin(REFERENCE, nonce, request)
            if before is not None:
                return [int(pk) for pk in before["counts"]]
            pks = [_book(plan, actor) for plan in plans]
            idempotency.finish(REFERENCE, nonce, {"counts": pks})
            return pks

    return retried(once)


def _book(plan: CountPlan, actor: Actor) -> int:
    location = Location.objects.filter(pk=plan.location_id).first()
    if location is None:
        raise NotFound(location_id=plan.location_id)
    sku_ids = _skus_of(plan)
    (number,) = next_numbers(REFERENCE, 1, prefix="C-")
    count = StockCount.objects.create(
        number=number,
        location=location,
        status=CountStatus.DRAFT,
        note=plan.note.strip()[:120],
        created_at=clock.now(),
    )
    StockCountLine.objects.bulk_create(StockCountLine(count=count, sku_id=pk) for pk in sku_ids)
    facts = {"number": number, "lines": len(sku_ids)}
    record_events([STOCK_COUNT.created_entry(count, facts)], actor=actor)
    return int(count.pk)


def _skus_of(plan: CountPlan) -> Sequence[int]:
    """The SKUs on the list, in the order of their codes."""
    if plan.sku_ids:
        rows = list(Sku.objects.filter(pk__in=plan.sku_ids).order_by("code"))
        if len(rows) < len(set(plan.sku_ids)):
            raise NotFound(sku_ids=sorted(set(plan.sku_ids) - {row.pk for row in rows}))
        for row in rows:
            if row.is_kit:
                raise KitHoldsNoStock(sku=row.code)
        found = [row.pk for row in rows]
    else:
        stocked = StockLevel.objects.filter(location_id=plan.location_id, on_hand__gt=0)
        found = list(stocked.order_by("sku__code").values_list("sku_id", flat=True)[: MOST_LINES + 1])
    if not 0 < len(found) <= MOST_LINES:
        accepted = _("1 to %(most)s SKUs are") % {"most": MOST_LINES}
        raise InvalidInput(field=str(_("SKUs")), value=len(found), accepted=str(accepted))
    return found
