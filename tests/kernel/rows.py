"""One row of each machine in any of its states, written as directly as the database allows."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.models import Delivery, Fact, Job
from config.kernel.states import Edge, Machine
from fulfillment.models import FulfillmentOrder, Parcel, Shipment
from inventory.models import LowStockAlert, Reservation, StockCount, Transfer
from orders.models import ImportRun, LinePart, Order, Payment, Proposal
from returns.models import ReturnUnit, Rma
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import make_channel, make_order

ACTOR = Actor.system("tests")


def order(status: str) -> Order:
    row = make_order()
    Order.objects.filter(pk=row.pk).update(status=status)
    return Order.objects.get(pk=row.pk)


def payment(status: str) -> Payment:
    return Payment.objects.create(
        order=make_order(),
        provider="bank",
        external_id="b-1",
        status=status,
        currency="EUR",
        authorised_amount=Decimal(5),
        captured_amount=Decimal(5),
        reported_at=clock.now(),
    )


def proposal(status: str) -> Proposal:
    at = clock.now()
    return Proposal.objects.create(
        order=make_order(),
        status=status,
        base_version=1,
        opened_at=at,
        actor_kind="system",
        closed_at=at if status in ("confirmed", "dropped") else None,
    )


def reservation(state: str) -> Reservation:
    sku, at = make_sku(), clock.now()
    level = make_level(sku, make_location(), on_hand=5)
    live = state in ("waiting", "open")
    return Reservation.objects.create(
        sku=sku,
        level=None if state == "waiting" else level,
        quantity=1,
        reference_kind="test",
        reference_id=1,
        state=state,
        queued_at=at,
        waiting_since=at if state == "waiting" else None,
        opened_at=at if state in ("open", "consumed") else None,
        closed_at=None if live else at,
    )


def transfer(status: str) -> Transfer:
    at = clock.now()
    return Transfer.objects.create(
        number=f"T-{Transfer.objects.count()}",
        origin=make_location(),
        destination=make_location(),
        status=status,
        created_at=at,
        sent_at=at if status in ("sent", "received") else None,
        received_at=at if status == "received" else None,
    )


def stock_count(status: str) -> StockCount:
    at = clock.now()
    return StockCount.objects.create(
        number=f"C-{StockCount.objects.count()}",
        location=make_location(),
        status=status,
        created_at=at,
        counted_at=at if status in ("counted", "approved", "undone") else None,
        approved_at=at if status in ("approved", "undone") else None,
    )


def low_stock_alert(status: str) -> LowStockAlert:
    at = clock.now()
    return LowStockAlert.objects.create(
        level=make_level(make_sku(), make_location()),
        status=status,
        units=0,
        reorder_point=1,
        raised_at=at,
        snoozed_until=at if status == "snoozed" else None,
        cleared_at=at if status == "cleared" else None,
    )


def fulfillment_order(status: str) -> FulfillmentOrder:
    at = clock.now()
    return FulfillmentOrder.objects.create(
        number=f"F-{FulfillmentOrder.objects.count()}",
        order=make_order(),
        location=make_location(),
        status=status,
        created_at=at,
        released_at=None if status in ("open", "cancelled") else at,
        shipped_at=at if status == "shipped" else None,
    )


def parcel(status: str) -> Parcel:
    work = fulfillment_order("shipped")
    shipment = Shipment.objects.create(
        number=f"S-{work.pk}", order=work.order, fulfillment_order=work, shipped_at=clock.now()
    )
    return Parcel.objects.create(
        shipment=shipment, order=work.order, carrier="GLS", tracking_number=f"T{work.pk}", status=status
    )


def rma(status: str) -> Rma:
    return Rma.objects.create(
        number=f"R-{Rma.objects.count()}",
        order=make_order(),
        status=status,
        reason="other",
        location=make_location(),
        requested_at=clock.now(),
    )


def return_unit(reception: str, disposition: str = "") -> ReturnUnit:
    whole = rma("approved")
    part = LinePart.objects.filter(line__order=whole.order).first()
    return ReturnUnit.objects.create(
        rma=whole, order=whole.order, line_part=part, reception=reception, disposition=disposition
    )


def return_disposition(disposition: str) -> ReturnUnit:
    return return_unit("received", disposition)


def delivery(state: str) -> Delivery:
    at = clock.now()
    fact = Fact.objects.create(kind="test.fact", subject_type="test", subject_id=1, recorded_at=at)
    return Delivery.objects.create(fact=fact, subscriber="test", state=state, due_at=at)


def job(state: str) -> Job:
    return Job.objects.create(
        kind="test", title="A job", state=state, queued_at=clock.now(), actor_kind="system"
    )


def import_run(status: str) -> ImportRun:
    return ImportRun.objects.create(
        sales_channel=make_channel(),
        status=status,
        mode="live",
        file_name="a.csv",
        file_size=1,
        uploaded_at=clock.now(),
        actor_kind="system",
    )


ROWS: Mapping[str, Callable[[str], Any]] = {
    "order": order,
    "payment": payment,
    "proposal": proposal,
    "import_run": import_run,
    "reservation": reservation,
    "transfer": transfer,
    "stock_count": stock_count,
    "low_stock_alert": low_stock_alert,
    "fulfillment_order": fulfillment_order,
    "parcel": parcel,
    "rma": rma,
    "return_unit": return_unit,
    "return_disposition": return_disposition,
    "delivery": delivery,
    "job": job,
}


# Times that stand exactly while, or ever since, a status does.
STAMPED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "transfer": {"sent_at": ("sent", "received"), "received_at": ("received",)},
    "stock_count": {"counted_at": ("counted", "approved", "undone"), "approved_at": ("approved", "undone")},
    "low_stock_alert": {"snoozed_until": ("snoozed",), "cleared_at": ("cleared",)},
    "proposal": {"closed_at": ("confirmed", "dropped")},
}


def columns_for(machine: Machine, edge: Edge, row: Any) -> dict[str, Any]:
    """Further columns that the database wants to see changed together with the status."""
    at = clock.now()
    if machine.name in STAMPED:
        return {name: at if edge.target in when else None for name, when in STAMPED[machine.name].items()}
    if machine.name == "fulfillment_order" and edge.target == "shipped":
        return {"shipped_at": at}
    if machine.name == "reservation":
        if edge.target == "waiting":
            return {"level": None, "waiting_since": at}
        if edge.target == "open":
            return {"level": make_level(row.sku, make_location(), on_hand=5), "opened_at": at}
        return {"closed_at": at}
    return {}
