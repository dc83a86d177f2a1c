from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Versioned
from config.kernel.states import legal_values
from fulfillment.enums import ParcelStatus
from fulfillment.models.requests import FulfillmentOrder
from orders.models import LinePart, Order


class Shipment(models.Model):
    """Goods that left together; written once by `ship_by_hand` and its successors."""

    number = models.CharField(_("number"), max_length=24, unique=True)
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="shipments", verbose_name=_("order")
    )
    fulfillment_order = models.ForeignKey(
        FulfillmentOrder,
        on_delete=models.PROTECT,
        related_name="shipments",
        verbose_name=_("fulfillment order"),
    )
    shipped_at = models.DateTimeField(_("shipped at"))

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        ordering = ["-id"]
        indexes = [models.Index(fields=["shipped_at"], name="shipment_shipped")]

    def __str__(self) -> str:
        return self.number


class Parcel(Versioned):
    """One box with one tracking number, which is unique per carrier among parcels that are not voided.

    `tracking_number` is upper case with single spaces, as `clean_tracking_number` leaves it.
    """

    shipment = models.ForeignKey(
        Shipment, on_delete=models.PROTECT, related_name="parcels", verbose_name=_("shipment")
    )
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="parcels", verbose_name=_("order")
    )
    carrier = models.CharField(_("carrier"), max_length=60)
    tracking_number = models.CharField(_("tracking number"), max_length=60)
    status = models.CharField(_("status"), max_length=20, choices=ParcelStatus)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)

    class Meta:
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")
        ordering = ["-id"]
        permissions = [("track_parcel", _("May record what happened to a parcel"))]
        constraints = [
            models.UniqueConstraint(
                Lower("carrier"),
                "tracking_number",
                condition=~Q(status=ParcelStatus.VOIDED),
                name="parcel_tracking_once",
            ),
            legal_values("status", ParcelStatus, "parcel_status_legal"),
            models.CheckConstraint(condition=~Q(tracking_number=""), name="parcel_tracking_stated"),
        ]
        indexes = [
            models.Index(fields=["tracking_number"], name="parcel_tracking_number"),
            models.Index(fields=["status", "id"], name="parcel_status"),
        ]

    def __str__(self) -> str:
        return f"{self.carrier} {self.tracking_number}"


class ParcelLine(models.Model):
    """Units of one line part inside a parcel."""

    parcel = models.ForeignKey(Parcel, on_delete=models.CASCADE, related_name="lines")
    line_part = models.ForeignKey(LinePart, on_delete=models.PROTECT, related_name="parcel_lines")
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("parcel line")
        verbose_name_plural = _("parcel lines")
        constraints = [
            models.UniqueConstraint(fields=["parcel", "line_part"], name="parcel_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="parcel_line_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × part {self.line_part_id}"


class TrackingEvent(models.Model):
    """A dated statement about a parcel, by a carrier or typed by staff; append-only, late and repeated ones stay."""

    append_only = True

    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="tracking_events")
    status = models.CharField(_("status"), max_length=20, choices=ParcelStatus)
    stated_at = models.DateTimeField(_("stated at"))
    recorded_at = models.DateTimeField(_("recorded at"))
    source = models.CharField(_("source"), max_length=40)
    code = models.CharField(_("code"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("tracking event")
        verbose_name_plural = _("tracking events")
        ordering = ["id"]
        indexes = [models.Index(fields=["parcel", "stated_at"], name="tracking_event_stated")]

    def __str__(self) -> str:
        return f"{self.parcel_id} {self.status}"


class TrackingKey(models.Model):
    """A statement's source key that has been stored, so that a replay cannot store it twice."""

    key = models.CharField(max_length=160, unique=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("tracking key")
        verbose_name_plural = _("tracking keys")

    def __str__(self) -> str:
        return self.key
