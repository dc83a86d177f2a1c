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
from inventory.services.receiving import RECEIVE, Receipt, receive_stock

REFERENCE = "stock_receipt"


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    sku_id: int
    quantity: int


def book_receipt(
    lines: Sequence[ReceivedLine], *, location_id: int, note: str, nonce: str, actor: Actor
) -> int:
    """Book one receipt with all its lines, or nothing; returns its pk. The same nonce again returns the same pk.

    At most 200 lines. Locks as `receive_stock` does. Raises `NotAllowed`, `NotFound` for the location,
    `InvalidInput` without a line, `LineRefused` with the number of the first line that `receive_stock` refuses,
    `KeyReused` for a nonce that came with other lines.
    """
    actor.require(RECEIVE)
    actor.require_place(location_id)
    if not lines:
        raise InvalidInput(field=str(_("lines")), value="", accepted=str(_("at least one line is needed")))
    request = {
        "lines": [asdict(line) for line in lines],
        "location": location_id,
        "note": note,
        "actor": actor.id,
    }

    def once() -> int:
        with transaction.atomic():
            before = idempotency.begin(REFERENCE, nonce, request)
            if before is not None:
                return int(before["receipt"])
            pk = _book(lines, location_id, note, actor)
            idempotency.finish(REFERENCE, nonce, {"receipt": pk})
            return pk

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
