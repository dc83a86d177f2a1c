from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.fastpath import QuickRead
from config.kernel.money import MoneyField
from inventory.models import Sku
from orders.models.orders import Order


class OrderLine(QuickRead):
    """One SKU at one price in whole units, as accepted; the snapshot does not move when the catalogue does.

    `total_amount` = subtotal − discounts, in the basis of the order's prices. `sku` is null while unknown. A line
    that a confirmed change took off stays with a quantity of 0, since stock and warehouse rows name its parts.
    """

    # Found by either unique constraint below, so that an index of its own would only cost.
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField(_("position"))
    external_id = models.CharField(_("channel reference"), max_length=120)
    sku = models.ForeignKey(
        Sku, on_delete=models.PROTECT, null=True, related_name="order_lines", verbose_name=_("SKU")
    )
    sku_code = models.CharField(_("SKU as sent"), max_length=120, blank=True)
    title = models.CharField(_("title"), max_length=255)
    quantity = models.PositiveIntegerField(_("ordered"))
    requires_shipping = models.BooleanField(_("is shipped"), default=True)
    unit_amount = MoneyField(_("unit price"), null=True)
    subtotal_amount = MoneyField(_("before discount"), null=True)
    discount_amount = MoneyField(_("discount"), null=True)
    total_amount = MoneyField(_("line total"), null=True)
    tax_amount = MoneyField(_("tax"), null=True)

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        ordering = ["order", "position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "external_id"], name="order_line_external_once"),
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position_once"),
        ]
        indexes = [
            models.Index(
                fields=["sku_code"],
                name="order_line_unknown_sku",
                condition=Q(sku=None),
                opclasses=["varchar_pattern_ops"],
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku_code or self.title}"


class LinePart(QuickRead):
    """What has to leave the shelf for a line: one part for a plain SKU, several for a kit, frozen at acceptance.

    `value_amount` is this part's frozen share of the line's total; the parts of a line sum to it exactly. Whenever
    that total is stated or changed, it is shared by `value_weight` × `per_unit`, frozen too.
    picked and packed count units in that stage now, the other counters are cumulative. Written by the verbs of
    orders only. Only parts of lines that are shipped and whose SKU is known take part in allocation.
    """

    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="parts")
    sku = models.ForeignKey(
        Sku, on_delete=models.PROTECT, null=True, related_name="line_parts", verbose_name=_("SKU")
    )
    per_unit = models.PositiveIntegerField(_("per unit"), default=1)
    value_weight = models.PositiveIntegerField(_("value weight"), default=1, db_default=1)
    value_amount = MoneyField(_("value"), null=True)
    ordered = models.PositiveIntegerField(_("ordered"))
    cancelled = models.PositiveIntegerField(_("cancelled"), default=0)
    allocated = models.PositiveIntegerField(_("allocated"), default=0)
    picked = models.PositiveIntegerField(_("picked"), default=0)
    packed = models.PositiveIntegerField(_("packed"), default=0)
    shipped = models.PositiveIntegerField(_("shipped"), default=0)
    delivered = models.PositiveIntegerField(_("delivered"), default=0)
    returned = models.PositiveIntegerField(_("returned"), default=0)

    class Meta:
        verbose_name = _("line part")
        verbose_name_plural = _("line parts")
        ordering = ["line", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(per_unit__gt=0), name="line_part_per_unit_positive"),
            models.CheckConstraint(
                condition=Q(delivered__lte=F("shipped")), name="line_part_delivered_shipped"
            ),
            models.CheckConstraint(
                condition=Q(returned__lte=F("shipped")), name="line_part_returned_shipped"
            ),
            models.CheckConstraint(
                condition=Q(ordered__gte=F("packed") + F("shipped") + F("cancelled")),
                name="line_part_shipped_within_ordered",
            ),
            models.CheckConstraint(
                condition=Q(ordered__gte=F("allocated") + F("shipped") + F("cancelled")),
                name="line_part_allocated_within_ordered",
            ),
            models.CheckConstraint(
                condition=Q(sku__isnull=False) | Q(allocated=0),
                name="line_part_known_before_allocated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ordered} × {self.sku_id}"

    @property
    def share_weight(self) -> int:
        """What the line's value is shared by: the weights of all units that one of the line takes."""
        return self.value_weight * self.per_unit

    @property
    def remaining(self) -> int:
        """Units still owed: neither shipped nor cancelled."""
        return self.ordered - self.cancelled - self.shipped
