"""A new transfer."""

from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.kernel import clock, idempotency
from config.kernel.actors import Actor
from config.kernel.batches import retried
from config.kernel.errors import BancaleError, InvalidInput, NotFound
from config.kernel.events import record_events
from config.kernel.numbering import next_numbers
from inventory.enums import TransferStatus
from inventory.errors import KitHoldsNoStock, LineRefused, LocationClosed
from inventory.models import Location, Sku, Transfer, TransferLine
from inventory.services.arrivals import refuse_quantity
from inventory.services.transfers.desk import REFERENCE
from inventory.states import TRANSFER

PLAN = "inventory.add_transfer"
MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class TransferUnits:
    sku_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class TransferPlan:
    origin_id: int
    destination_id: int
    lines: tuple[TransferUnits, ...]
    note: str = ""


def book_transfer(plan: TransferPlan, *, nonce: str, actor: Actor) -> int:
    """Write a draft of what is to go from one location to another; returns its pk. The same nonce again returns the
    same pk. Nothing is reserved or moved before it is sent. Units of a SKU on several lines are put together.

    Raises `NotAllowed`, `NotFound` for a location, `LocationClosed` for the destination, `InvalidInput` for the
    same location twice or no lines, `LineRefused` with the number of the first line that does not do,
    `KeyReused` for a nonce that came with another plan.
    """
    actor.require(PLAN)
    actor.require_place(plan.origin_id)
    request = {**asdict(plan), "actor": actor.id}

    def once() -> int:
        with transaction.atomic():
            before = idempotency.begin(REFERENCE, nonce, request)
            if before is not None:
                return int(before["transfer"])
            pk = _book(plan, actor)
            idempotency.finish(REFERENCE, nonce, {"transfer": pk})
            return pk

    return retried(once)


def _book(plan: TransferPlan, actor: Actor) -> int:
    _refuse(plan)
    (number,) = next_numbers(REFERENCE, 1, prefix="T-")
    transfer = Transfer.objects.create(
        number=number,
        origin_id=plan.origin_id,
        destination_id=plan.destination_id,
        status=TransferStatus.DRAFT,
        note=plan.note.strip()[:120],
        created_at=clock.now(),
    )
    units: dict[int, int] = {}
    for line in plan.lines:
        units[line.sku_id] = units.get(line.sku_id, 0) + line.quantity
    TransferLine.objects.bulk_create(
        TransferLine(transfer=transfer, sku_id=sku_id, quantity=quantity)
        for sku_id, quantity in units.items()
    )
    record_events([TRANSFER.created_entry(transfer, {"number": number})], actor=actor)
    return int(transfer.pk)


def _refuse(plan: TransferPlan) -> None:
    places = Location.objects.in_bulk([plan.origin_id, plan.destination_id])
    for pk in (plan.origin_id, plan.destination_id):
        if pk not in places:
            raise NotFound(location_id=pk)
    destination = places[plan.destination_id]
    if plan.origin_id == plan.destination_id:
        accepted = _("another location than the first is")
        raise InvalidInput(field=str(_("to")), value=destination.code, accepted=str(accepted))
    if not destination.is_active:
        raise LocationClosed(location=destination.code)
    if not 0 < len(plan.lines) <= MOST_LINES:
        most = _("1 to %(most)s lines are") % {"most": MOST_LINES}
        raise InvalidInput(field=str(_("lines")), value=len(plan.lines), accepted=str(most))
    skus = Sku.objects.in_bulk([line.sku_id for line in plan.lines])
    for number, line in enumerate(plan.lines, start=1):
        sku = skus.get(line.sku_id)
        problem: BancaleError | None = NotFound(sku_id=line.sku_id) if sku is None else None
        if sku is not None and sku.is_kit:
            problem = KitHoldsNoStock(sku=sku.code)
        if (problem := problem or refuse_quantity(line.quantity)) is not None:
            raise LineRefused(line=number, reason=str(problem))
