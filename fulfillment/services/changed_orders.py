"""What a change to an order does to the warehouse: work that was not begun is called back, work in hand refuses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.utils.translation import gettext as _

from config.kernel.actors import Actor
from config.kernel.locks import lock_rows
from config.kernel.states import apply_transition
from fulfillment.enums import LIVE_FULFILLMENT, FulfillmentOrderStatus, ParcelStatus
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine, Parcel
from fulfillment.services.asking import count_asked
from fulfillment.states import CANCEL, FULFILLMENT_ORDER
from orders.errors import UnitsAtWork
from orders.previews import Effect, ForeseenChange
from orders.warehouse import AskedUnits

NOT_BEGUN = frozenset({FulfillmentOrderStatus.OPEN, FulfillmentOrderStatus.RELEASED})
ON_THE_WAY = frozenset(
    {
        ParcelStatus.LABELLED,
        ParcelStatus.HANDED_OVER,
        ParcelStatus.IN_TRANSIT,
        ParcelStatus.OUT_FOR_DELIVERY,
        ParcelStatus.EXCEPTION,
    }
)
ORDER_CHANGED = "order_changed"
Lines = Mapping[int, Sequence[FulfillmentOrderLine]]


class WarehouseEffects:
    """The warehouse's part in changes to orders (`orders.previews.PreviewContributor`)."""

    def foresee(self, changes: Sequence[ForeseenChange]) -> Mapping[int, Sequence[Effect]]:
        """Three statements; none of the warehouse is asked for where nothing it has is touched."""
        touching = [change for change in changes if change.taken or change.new_address]
        if not touching:
            return {}
        ids = [change.order_id for change in touching]
        work, lines = _live(ids)
        parcels: dict[int, list[Parcel]] = defaultdict(list)
        for parcel in Parcel.objects.filter(order__in=ids, status__in=ON_THE_WAY).order_by("pk"):
            parcels[parcel.order_id].append(parcel)
        return {
            change.order_id: [
                *_work_effects(change, work[change.order_id], lines),
                *_parcel_effects(change, parcels[change.order_id]),
            ]
            for change in touching
        }

    def follow(self, changes: Sequence[ForeseenChange], *, actor: Actor) -> None:
        """Call back the work that the changes need units of, or that was released to an address that is not it."""
        touching = [change for change in changes if change.taken or change.new_address]
        if not touching:
            return
        ids = [change.order_id for change in touching]
        rows = FulfillmentOrder.objects.filter(order__in=ids, status__in=LIVE_FULFILLMENT)
        lock_rows("fulfillment_order", rows)
        work, lines = _live(ids)
        chosen = [one for change in touching for one in called_back(change, work[change.order_id], lines)[0]]
        facts = {
            one.pk: {"number": one.number, "location_id": one.location_id, "why": ORDER_CHANGED}
            for one in chosen
        }
        chosen.sort(key=lambda one: one.pk)
        apply_transition(FULFILLMENT_ORDER, CANCEL, chosen, actor=actor, facts=facts)
        count_asked(chosen)


def _live(order_ids: Sequence[int]) -> tuple[dict[int, list[FulfillmentOrder]], Lines]:
    """Live fulfillment orders by order, the newest first, and their lines: two statements."""
    work: dict[int, list[FulfillmentOrder]] = defaultdict(list)
    rows = FulfillmentOrder.objects.filter(order__in=order_ids, status__in=LIVE_FULFILLMENT)
    for one in rows.select_related("location").order_by("-pk"):
        work[one.order_id].append(one)
    lines: dict[int, list[FulfillmentOrderLine]] = defaultdict(list)
    ids = [one.pk for some in work.values() for one in some]
    for line in FulfillmentOrderLine.objects.filter(fulfillment_order__in=ids).order_by("pk"):
        lines[line.fulfillment_order_id].append(line)
    return work, lines


def called_back(
    change: ForeseenChange, work: Iterable[FulfillmentOrder], lines: Lines
) -> tuple[list[FulfillmentOrder], dict[int, int]]:
    """The work that is called back, and the units by part that are still missing because others are in hand."""
    need = dict(change.taken)
    chosen = []
    for one in work:
        if one.status not in NOT_BEGUN:
            continue
        if change.new_address or any(need.get(line.line_part_id, 0) > 0 for line in lines[one.pk]):
            chosen.append(one)
            for line in lines[one.pk]:
                if line.line_part_id in need:
                    need[line.line_part_id] -= line.quantity
    return chosen, {pk: units for pk, units in need.items() if units > 0}


def _work_effects(change: ForeseenChange, work: Sequence[FulfillmentOrder], lines: Lines) -> Iterator[Effect]:
    chosen, missing = called_back(change, work, lines)
    for one in chosen:
        facts = {"work": one.number, "place": one.location.name}
        if change.new_address:
            text = _("%(work)s at %(place)s is called back: it was released to the old address.")
        else:
            text = _("%(work)s at %(place)s is called back; what stays of it can be released again.")
        yield Effect(text % facts, "wait", called_back=_asked(one, lines[one.pk]))
    for pk, units in missing.items():
        in_hand = [one for one in work if one not in chosen and _asks(pk, lines[one.pk])]
        names = ", ".join(f"{one.number} ({one.get_status_display()})" for one in in_hand)
        line = change.names.get(pk, "")
        refusal = UnitsAtWork(number=change.number, line=line, n=units, work=names, left=0)
        text = _("%(n)s of %(line)s are in hand in the warehouse: %(work)s. Call that back first.")
        yield Effect(text % refusal.facts, "stop", refusal)
    for one in work:
        if change.new_address and one not in chosen:
            text = _("%(work)s is in hand at %(place)s. It cannot leave to the old address: call it back.")
            yield Effect(text % {"work": one.number, "place": one.location.name}, "stop")


def _asked(one: FulfillmentOrder, lines: Iterable[FulfillmentOrderLine]) -> tuple[AskedUnits, ...]:
    return tuple(AskedUnits(line.line_part_id, one.location_id, line.quantity, one.number) for line in lines)


def _asks(part_id: int, lines: Iterable[FulfillmentOrderLine]) -> bool:
    return any(line.line_part_id == part_id for line in lines)


def _parcel_effects(change: ForeseenChange, parcels: Iterable[Parcel]) -> Iterator[Effect]:
    for parcel in parcels if change.new_address else ():
        if parcel.status == ParcelStatus.LABELLED:
            text = _("The label of %(parcel)s shows the old address; it is void.")
            yield Effect(text % {"parcel": parcel}, "stop")
        else:
            text = _("%(parcel)s has left to the old address; this does not turn it around.")
            yield Effect(text % {"parcel": parcel}, "wait")
