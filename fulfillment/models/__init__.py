from fulfillment.models.reports import StageTime
from fulfillment.models.requests import FulfillmentOrder, FulfillmentOrderLine
from fulfillment.models.shipments import Parcel, ParcelLine, Shipment, TrackingEvent, TrackingKey

__all__ = [
    "FulfillmentOrder",
    "FulfillmentOrderLine",
    "Parcel",
    "ParcelLine",
    "Shipment",
    "StageTime",
    "TrackingEvent",
    "TrackingKey",
]
