"""What buyers are told of the parcels that left together."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from fulfillment.enums import ParcelStatus
from fulfillment.models import Parcel, ParcelLine
from orders.parcels_told import ParcelSet

GONE = frozenset(ParcelStatus) - {ParcelStatus.LABELLED, ParcelStatus.VOIDED}


def parcel_sets(parcel_ids: Collection[int]) -> dict[int, ParcelSet]:
    """The parcels of each one's shipment, as one set: two statements."""
    if not parcel_ids:
        return {}
    shipments: dict[int, list[Parcel]] = defaultdict(list)
    asked = Parcel.objects.filter(pk__in=parcel_ids).values("shipment_id")
    for parcel in Parcel.objects.filter(shipment__in=asked).order_by("pk"):
        shipments[parcel.shipment_id].append(parcel)
    units: dict[int, Counter[int]] = defaultdict(Counter)
    lines = ParcelLine.objects.filter(parcel__shipment__in=list(shipments)).order_by("pk")
    for parcel_id, part_id, quantity in lines.values_list("parcel_id", "line_part_id", "quantity"):
        units[parcel_id][part_id] += quantity
    return {
        parcel.pk: told
        for pk, parcels in shipments.items()
        for told in [_told(pk, parcels, units)]
        for parcel in parcels
    }


def _told(shipment_id: int, parcels: Iterable[Parcel], units: Mapping[int, Counter[int]]) -> ParcelSet:
    parcels = list(parcels)
    left = [parcel for parcel in parcels if parcel.status in GONE]
    total = Counter[int]()
    for parcel in left:
        total.update(units.get(parcel.pk, Counter()))
    return ParcelSet(
        key=f"shipment:{shipment_id}",
        order_id=parcels[0].order_id,
        carriers=tuple(dict.fromkeys(parcel.carrier for parcel in left)),
        tracking_numbers=tuple(parcel.tracking_number for parcel in left),
        units=total,
        has_left=bool(left),
        has_arrived=bool(left) and all(parcel.status == ParcelStatus.DELIVERED for parcel in left),
    )
