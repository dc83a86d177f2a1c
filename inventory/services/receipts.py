"""The document of goods that came in."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.kernel import clock, idempotency
from config.kernel.actors import Actor, ActorKind
from config.kernel.batches import retried
from config.kernel.errors import InvalidInput, NotFound
from inventory.errors import LineRefused
from inventory.models import Location, StockReceipt
from inventory.services.levels import lock_levels, lock_skus
from inventory.services.receiving import RECEIVE, Receipt, receive_stock

REFERENCE = "stock_receipt"


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    sku_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """What arrived at one location at once; at most 200 lines."""

    location_id: int
    lines: tuple[ReceivedLine, ...]
    note: str = ""


def book_receipt(
    lines: Sequence[ReceivedLine], *, location_id: int, note: str, nonce: str, actor: Actor
) -> int:
    """Book one receipt with all its lines, or nothing; returns its pk. As `book_receipts`."""
    return book_receipts([Delivery(location_id, tuple(lines), note)], nonce=nonce, actor=actor)[0]


def book_receipts(deliveries: Sequence[Delivery], *, nonce: str, actor: Actor) -> list[int]:
    """Book a receipt a delivery, all or nothing; returns their pks. The same nonce again returns the same pks.

    Locks as `receive_stock` does; for several deliveries all SKUs, then all their levels, first. Raises `NotAllowed`,
    `NotFound` for a location, `InvalidInput` without a line, `LineRefused` with the number of the first line that
    `receive_stock` refuses, `KeyReused` for a nonce that came with other lines.
    """
    actor.require(RECEIVE)
    for delivery in deliveries:
        actor.require_place(delivery.location_id)
        if not delivery.lines:
            raise InvalidInput(
                field=str(_("lines")), value="", accepted=str(_("at least one line is needed"))
            )
    request = {"deliveries": [asdict(delivery) for delivery in deliveries], "actor": actor.id}

    def once() -> list[int]:
        with transaction.atomic():
            before = idempotency.begin(REFERENCE, nonce, request)
            if before is not None:
                return [int(pk) for pk in before["receipts"]]
            if len(deliveries) > 1:
                # A later delivery may make a level, for which its SKU is locked: before any level, as everywhere.
                sku_ids = {line.sku_id for delivery in deliveries for line in delivery.lines}
                lock_skus(sku_ids)
                lock_levels(sku_ids)
            pks = [
                _book(delivery.lines, delivery.location_id, delivery.note, actor) for delivery in deliveries
            ]
            idempotency.finish(REFERENCE, nonce, {"receipts": pks})
            return pks

    return retried(once)


def _book(lines: Sequence[ReceivedLine], location_id: int, note: str, actor: Actor) -> int:
    if not Location.objects.filter(pk=location_id).exists():
        raise NotFound(location_id=location_id)
    document = StockReceipt.objects.create(
        location_id=location_id,
        note=note[:120],
        received_at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label="" if actor.kind == ActorKind.USER else actor.label[:80],
    )
    receipts = [
        Receipt(f"{REFERENCE}:{document.pk}:{number}", line.sku_id, location_id, line.quantity)
        for number, line in enumerate(lines, start=1)
    ]
    results = receive_stock(receipts, reference=(REFERENCE, document.pk), actor=actor, reason=note)
    for number, receipt in enumerate(receipts, start=1):
        if (problem := results.refusals.get(receipt.key)) is not None:
            raise LineRefused(line=number, reason=str(problem))
    return int(document.pk)
