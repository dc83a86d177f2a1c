from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Versioned
from config.kernel.states import legal_values
from fulfillment.enums import LIVE_FULFILLMENT, FulfillmentOrderStatus
from inventory.models import Location
from orders.models import Address, LinePart, Order


class FulfillmentOrder(Versioned):
    """Work asked of one location for one order. `ship_to` is the address as it was when the work was released."""

    number = models.CharField(_("number"), max_length=24, unique=True)
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="fulfillment_orders", verbose_name=_("order")
    )
    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="fulfillment_orders", verbose_name=_("location")
    )
    status = models.CharField(_("status"), max_length=12, choices=FulfillmentOrderStatus)
    ship_to = models.ForeignKey(
        Address, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("ship to")
    )
    created_at = models.DateTimeField(_("created at"))
    released_at = models.DateTimeField(_("released at"), null=True)
    shipped_at = models.DateTimeField(_("shipped at"), null=True)

    class Meta:
        verbose_name = _("fulfillment order")
        verbose_name_plural = _("fulfillment orders")
        ordering = ["-id"]
        permissions = [
            ("release_fulfillmentorder", _("May release work to the warehouse")),
            ("work_fulfillmentorder", _("May pick and pack")),
            ("ship_fulfillmentorder", _("May ship")),
            ("cancel_fulfillmentorder", _("May cancel warehouse work")),
        ]
        constraints = [
            legal_values("status", FulfillmentOrderStatus, "fulfillment_order_status_legal"),
            models.CheckConstraint(
                condition=Q(status=FulfillmentOrderStatus.SHIPPED, shipped_at__isnull=False)
                | Q(~Q(status=FulfillmentOrderStatus.SHIPPED), shipped_at=None),
                name="fulfillment_order_shipped_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "location", "id"], name="fulfillment_order_work"),
            # Live work is compared with its order each time it is counted; this holds all that is compared.
            models.Index(
                fields=["order", "id"],
                include=["ship_to", "released_at"],
                name="fulfillment_order_live",
                condition=Q(status__in=sorted(LIVE_FULFILLMENT)),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class FulfillmentOrderLine(models.Model):
    """Units of one order line's part that a location was asked for."""

    fulfillment_order = models.ForeignKey(FulfillmentOrder, on_delete=models.CASCADE, related_name="lines")
    line_part = models.ForeignKey(LinePart, on_delete=models.PROTECT, related_name="fulfillment_lines")
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["fulfillment_order", "line_part"], name="fulfillment_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="fulfillment_line_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × part {self.line_part_id}"
