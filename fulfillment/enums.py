"""Words of the warehouse that the database stores."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class FulfillmentOrderStatus(TextChoices):
    OPEN = "open", _("Open")
    RELEASED = "released", _("Released")
    PICKING = "picking", _("Being picked")
    PICKED = "picked", _("Picked")
    PACKED = "packed", _("Packed")
    SHIPPED = "shipped", _("Shipped")
    CANCELLED = "cancelled", _("Cancelled")


LIVE_FULFILLMENT = frozenset(FulfillmentOrderStatus) - {
    FulfillmentOrderStatus.SHIPPED,
    FulfillmentOrderStatus.CANCELLED,
}


class ParcelStatus(TextChoices):
    LABELLED = "labelled", _("Labelled")
    HANDED_OVER = "handed_over", _("Handed over")
    IN_TRANSIT = "in_transit", _("In transit")
    OUT_FOR_DELIVERY = "out_for_delivery", _("Out for delivery")
    DELIVERED = "delivered", _("Delivered")
    VOIDED = "voided", _("Voided")
    EXCEPTION = "exception", _("Problem at the carrier")
    RETURNED_TO_SENDER = "returned_to_sender", _("Returned to sender")
    LOST = "lost", _("Lost")


class Stage(TextChoices):
    """The way of an order through the house, cut where somebody else takes over."""

    CONFIRM = "confirm", _("Accepted to confirmed")
    RESERVE = "reserve", _("Confirmed to all reserved")
    RELEASE = "release", _("Reserved to released")
    SHIP = "ship", _("Released to shipped")
    DELIVER = "deliver", _("Shipped to delivered")
