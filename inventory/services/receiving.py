"""Goods come in."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput
from config.kernel.results import Results
from inventory.enums import BinKind, MovementKind
from inventory.services.arrivals import Places, new_lines
from inventory.services.levels import by_place, ensure_levels, lock_levels, record_freed
from inventory.services.movements import Cause, Posting, keep_keys, post_movements

RECEIVE = "inventory.receive_stock"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Units that came in. `key` names the source line for ever ("receipt:7:3"); without `bin_id` they go to the
    location's default bin."""

    key: str
    sku_id: int
    location_id: int
    quantity: int
    bin_id: int | None = None


@verb
def receive_stock(
    receipts: Sequence[Receipt], *, reference: tuple[str, int], actor: Actor, reason: str = ""
) -> Results[str]:
    """Add units that were counted in at the door to their levels, for whoever is first in line.

    At most 200. Makes missing levels, locks all levels of the SKUs. A key posted before comes back
    `unchanged`. Records `stock.freed` for each SKU. A refused receipt writes nothing, the others go on.

    Refuses: `NotAllowed`; `NotFound` for unknown ids; `KitHoldsNoStock`; `LocationClosed`; `BinMissing`;
    `InvalidInput` for a quantity outside 1 to 1,000,000 or a bin that is not for sale.
    """
    actor.require(RECEIVE)
    results: Results[str] = Results(receipt.key for receipt in receipts)
    with batch_transaction():
        places = Places.of(receipts, [r.bin_id for r in receipts if r.bin_id is not None], actor=actor)
        fit = [receipt for receipt in receipts if _fits(receipt, places, results)]
        ensure_levels((receipt.sku_id, receipt.location_id) for receipt in fit)
        levels = lock_levels(receipt.sku_id for receipt in fit)
        fresh = new_lines(fit, "receive", results)
        at = by_place(levels)
        postings = []
        for receipt in fresh:
            level = at[receipt.sku_id, receipt.location_id]
            bin_id = receipt.bin_id or places.bin_of[receipt.location_id, BinKind.DEFAULT]
            postings.append(Posting(level.pk, bin_id, MovementKind.RECEIVE, delta=receipt.quantity))
            results.done(receipt.key)
        post_movements(postings, levels=levels, cause=Cause(reference, actor, reason))
        keep_keys(f"receive:{receipt.key}" for receipt in fresh)
        record_freed(receipt.sku_id for receipt in fresh)
    return results


def _fits(receipt: Receipt, places: Places, results: Results[str]) -> bool:
    needed = () if receipt.bin_id else (BinKind.DEFAULT,)
    problem = places.problem(receipt, bins=needed, opens=True) or _bin_problem(receipt, places)
    if problem is not None:
        results.refuse(receipt.key, problem)
    return problem is None


def _bin_problem(receipt: Receipt, places: Places) -> BancaleError | None:
    if receipt.bin_id is None:
        return None
    found = places.bins.get(receipt.bin_id)
    if found and found.location_id == receipt.location_id and found.kind != BinKind.QUARANTINE:
        return None
    accepted = _("a bin for sale of this location is")
    return InvalidInput(field=str(_("bin")), value=receipt.bin_id, accepted=str(accepted))
