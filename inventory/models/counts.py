from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import ActorKind
from config.kernel.models import Versioned
from config.kernel.states import legal_values
from inventory.enums import CountStatus
from inventory.models.places import Location
from inventory.models.skus import Sku


class StockCount(Versioned):
    """What somebody counts at one location. Who counted stands here, because a larger variance needs another person.

    `tolerance` is the location's at the time of counting: units that a line may differ by without a second pair
    of eyes.
    """

    number = models.CharField(_("number"), max_length=24, unique=True)
    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="counts", verbose_name=_("location")
    )
    status = models.CharField(_("status"), max_length=12, choices=CountStatus)
    note = models.CharField(_("note"), max_length=120, blank=True)
    tolerance = models.PositiveIntegerField(_("tolerance"), default=0)
    created_at = models.DateTimeField(_("created at"))
    counted_at = models.DateTimeField(_("counted at"), null=True)
    counter_kind = models.CharField(_("counted by"), max_length=8, choices=ActorKind, blank=True)
    counter_id = models.BigIntegerField(null=True)
    counter_label = models.CharField(max_length=80, blank=True)
    approved_at = models.DateTimeField(_("approved at"), null=True)

    class Meta:
        verbose_name = _("stock count")
        verbose_name_plural = _("stock counts")
        ordering = ["-id"]
        permissions = [
            ("count_stock", _("May count stock")),
            ("approve_stockcount", _("May approve stock counts")),
            ("cancel_stockcount", _("May cancel stock counts")),
            ("undo_stockcount", _("May undo approved stock counts")),
        ]
        constraints = [
            legal_values("status", CountStatus, "stock_count_status_legal"),
            models.CheckConstraint(
                condition=~Q(status__in=["counted", "approved"]) | Q(counted_at__isnull=False),
                name="stock_count_counted_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["approved", "undone"], approved_at__isnull=False)
                | Q(~Q(status__in=["approved", "undone"]), approved_at=None),
                name="stock_count_approved_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class StockCountLine(models.Model):
    """One SKU of a count. `expected` are the units that should have been for sale on the shelf at `counted_at`;
    the difference is a fact about that moment, whatever has moved since. `by_hand` are the units of it that had been
    booked by hand before the approval, as whoever approved it said."""

    count = models.ForeignKey(StockCount, on_delete=models.CASCADE, related_name="lines")
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="+", verbose_name=_("SKU"))
    expected = models.PositiveIntegerField(_("expected"), null=True)
    counted = models.PositiveIntegerField(_("counted"), null=True)
    by_hand = models.IntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = _("stock count line")
        verbose_name_plural = _("stock count lines")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["count", "sku"], name="stock_count_sku_once"),
            models.CheckConstraint(
                condition=Q(expected=None, counted=None) | Q(expected__isnull=False, counted__isnull=False),
                name="stock_count_line_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.counted} × {self.sku_id}"

    @property
    def variance(self) -> int:
        """Units more (or, below 0, fewer) than expected; 0 while nobody has counted."""
        return (self.counted or 0) - (self.expected or 0)
