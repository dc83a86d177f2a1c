"""Parcels by the work they carry and by the number on them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from config.kernel.fastpath import Among
from fulfillment.enums import ParcelStatus
from fulfillment.models import Parcel


def parcels_of_work(fulfillment_order_ids: Iterable[int]) -> dict[int, list[Parcel]]:
    """Parcels that are not voided, by fulfillment order; one statement."""
    rows = Parcel.objects.filter(shipment__fulfillment_order__in=list(fulfillment_order_ids))
    found: dict[int, list[Parcel]] = defaultdict(list)
    for parcel in rows.exclude(status=ParcelStatus.VOIDED).select_related("shipment").order_by("pk"):
        found[parcel.shipment.fulfillment_order_id].append(parcel)
    return found


def parcels_with_numbers(tracking_numbers: Iterable[str]) -> dict[tuple[str, str], Parcel]:
    """Parcels that are not voided, by carrier in lower case and number; one statement."""
    rows = Parcel.objects.filter(tracking_number__in=set(tracking_numbers)).select_related("order")
    return {
        (parcel.carrier.lower(), parcel.tracking_number): parcel
        for parcel in rows.exclude(status=ParcelStatus.VOIDED)
    }


def tracking_of(order_ids: Sequence[int]) -> Mapping[int, list[tuple[str, str]]]:
    """(carrier, number) of the parcels of orders that are not voided, by order; one statement."""
    rows = Parcel.objects.filter(Among("order_id", order_ids)).exclude(status=ParcelStatus.VOIDED)
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for pk, carrier, number in rows.order_by("pk").values_list("order_id", "carrier", "tracking_number"):
        found[pk].append((carrier, number))
    return dict(found)
