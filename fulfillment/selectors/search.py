"""Finding work and parcels by what is printed on them; each lookup has an index, whatever the number of rows."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from fulfillment.models import FulfillmentOrder, Parcel

MOST_HITS = 200


def spellings(text: str) -> set[str]:
    """What may have been meant: as typed, and as numbers are stored."""
    words = " ".join(text.split())
    return {words, words.upper()}


def _ids(rows: QuerySet[FulfillmentOrder] | QuerySet[Parcel]) -> set[int]:
    return set(rows.order_by("-pk").values_list("pk", flat=True)[:MOST_HITS])


def search_work(rows: QuerySet[FulfillmentOrder], text: str) -> QuerySet[FulfillmentOrder]:
    """Fulfillment orders whose number begins so, of an order of this number, or with a parcel of this number."""
    every, named = FulfillmentOrder.objects, spellings(text)
    parcels = every.filter(shipments__parcels__tracking_number__in=named)
    found = (
        _ids(every.filter(number__startswith=text.strip().upper()))
        | _ids(every.filter(order__number__in=named))
        | _ids(parcels)
    )
    return rows.filter(pk__in=found)


def search_parcels(rows: QuerySet[Parcel], text: str) -> QuerySet[Parcel]:
    """Parcels of this tracking number, or of an order, shipment or fulfillment order of this number."""
    every, named = Parcel.objects, spellings(text)
    found = (
        _ids(every.filter(tracking_number__in=named))
        | _ids(every.filter(order__number__in=named))
        | _ids(every.filter(shipment__number__in=named))
        | _ids(every.filter(shipment__fulfillment_order__number__in=named))
    )
    return rows.filter(pk__in=found)


def orders_of_parcels(named: Collection[str]) -> QuerySet[Any, tuple[Any, ...]]:
    """Tracking numbers among these, with the order that the parcel belongs to."""
    return Parcel.objects.filter(tracking_number__in=named).values_list("tracking_number", "order_id")
