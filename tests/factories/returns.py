"""Returns at each stage, brought there by the verbs."""

from collections.abc import Mapping
from itertools import count

from config.kernel.actors import Actor
from fulfillment.models import Parcel
from inventory.models import Location
from orders.models import LinePart, Order
from returns.enums import Condition, Disposition, ReturnReason
from returns.models import ReturnUnit, Rma
from returns.services.approving import approve_returns
from returns.services.inspecting import Inspection, Verdict, inspect_returns
from returns.services.receiving import ReturnReceipt, receive_returns
from returns.services.requesting import ReturnRequest, request_returns
from tests.factories.fulfillment import make_delivered

ACTOR = Actor.system("tests")
AS_NEW = Verdict(Condition.AS_NEW, Disposition.RESTOCK)
BROKEN = Verdict(Condition.DAMAGED, Disposition.SCRAP)
_numbers = count(1)


def first_part(order: Order) -> LinePart:
    return LinePart.objects.filter(line__order=order).order_by("pk")[0]


def wish(order: Order, count: int = 1, *, location: Location, **fields: object) -> ReturnRequest:
    """A request for so many units of the order's first part."""
    given: dict[str, object] = {
        "key": f"test:{next(_numbers)}",
        "order_id": order.pk,
        "units": {first_part(order).pk: count},
        "reason": ReturnReason.CHANGED_MIND,
        "location_id": location.pk,
    }
    return ReturnRequest(**given | fields)  # type: ignore[arg-type]


def place_of(parcel: Parcel) -> Location:
    return parcel.shipment.fulfillment_order.location


def make_requested(units: int = 1, shipped: Mapping[str, int] | None = None) -> Rma:
    parcel = make_delivered(shipped)
    asked = wish(parcel.order, units, location=place_of(parcel))
    return Rma.objects.get(pk=request_returns([asked], actor=ACTOR).only())


def make_approved(units: int = 1, shipped: Mapping[str, int] | None = None) -> Rma:
    rma = make_requested(units, shipped)
    approve_returns([rma.pk], actor=ACTOR).raise_refusals()
    rma.refresh_from_db()
    return rma


def units_of(rma: Rma) -> list[ReturnUnit]:
    return list(ReturnUnit.objects.filter(rma=rma).order_by("pk"))


def receipt(rma: Rma, arrived: int | None = None) -> ReturnReceipt:
    """The first so many units arrived; all of them by default."""
    return ReturnReceipt(rma.pk, tuple(unit.pk for unit in units_of(rma)[:arrived]))


def make_received(units: int = 1, shipped: Mapping[str, int] | None = None) -> Rma:
    rma = make_approved(units, shipped)
    receive_returns([receipt(rma)], actor=ACTOR).raise_refusals()
    rma.refresh_from_db()
    return rma


def inspection(rma: Rma, *verdicts: Verdict) -> Inspection:
    """These verdicts for the first units."""
    return Inspection(rma.pk, dict(zip([unit.pk for unit in units_of(rma)], verdicts, strict=False)))


def make_inspected(*verdicts: Verdict) -> Rma:
    verdicts = verdicts or (AS_NEW,)
    rma = make_received(len(verdicts), {"MUG": len(verdicts)})
    inspect_returns([inspection(rma, *verdicts)], actor=ACTOR).raise_refusals()
    rma.refresh_from_db()
    return rma
