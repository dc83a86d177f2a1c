from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import ActorKind
from config.kernel.fastpath import QuickRead
from config.kernel.history import History
from config.kernel.models import Versioned
from inventory.enums import MovementKind, UnsellableReason
from inventory.models.places import Bin, Location
from inventory.models.skus import Sku


class StockLevel(QuickRead, Versioned):
    """Units of one SKU at one location; a cache of movements and open reservations, written by stock verbs only.

    0 ≤ reserved + unsellable ≤ on_hand. free = on_hand − reserved − unsellable − buffer, which a loss can
    make negative for the buffer's part. Its history is that of buffer, reorder point and target, which people set.
    """

    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="levels", verbose_name=_("SKU"))
    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="levels", verbose_name=_("location")
    )
    on_hand = models.PositiveIntegerField(_("on hand"), default=0)
    reserved = models.PositiveIntegerField(_("reserved"), default=0)
    unsellable = models.PositiveIntegerField(_("unsellable"), default=0)
    buffer = models.PositiveIntegerField(_("buffer"), default=0)
    reorder_point = models.PositiveIntegerField(_("reorder point"), default=0)
    target = models.PositiveIntegerField(_("target"), default=0)

    history = History("on_hand", "reserved", "unsellable")

    class Meta:
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        ordering = ["sku", "location"]
        permissions = [
            ("receive_stock", _("May receive stock")),
            ("return_stock", _("May take goods back, put them back for sale and scrap them")),
            ("export_stocklevel", _("May export stock levels")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["sku", "location"], name="stock_level_once"),
            models.CheckConstraint(
                condition=Q(on_hand__gte=F("reserved") + F("unsellable")), name="stock_level_promises_held"
            ),
        ]
        indexes = [
            models.Index(
                fields=["reorder_point"], name="stock_level_watched", condition=Q(reorder_point__gt=0)
            )
        ]

    def __str__(self) -> str:
        return f"{self.sku} · {self.location}"

    @property
    def free(self) -> int:
        return self.on_hand - self.reserved - self.unsellable - self.buffer

    @property
    def unpromised(self) -> int:
        """Sellable units that nobody has been promised, the buffer among them."""
        return self.on_hand - self.reserved - self.unsellable

    @property
    def is_low(self) -> bool:
        """At or below the reorder point; never without one."""
        return self.reorder_point > 0 and self.unpromised <= self.reorder_point

    @property
    def is_reordered(self) -> bool:
        """Whether being low is somebody's work: not at a closed location, nor of a SKU that is no longer bought or that
        is a kit, whose parts hold the stock. Reads both."""
        return self.location.is_active and self.sku.is_active and not self.sku.is_kit


class UnsellableStock(models.Model):
    """Part of a level's unsellable units, by reason; they sum to the level's figure."""

    level = models.ForeignKey(StockLevel, on_delete=models.PROTECT, related_name="unsellable_rows")
    reason = models.CharField(_("reason"), max_length=16, choices=UnsellableReason)
    quantity = models.PositiveIntegerField(_("quantity"), default=0)

    class Meta:
        verbose_name = _("unsellable stock")
        verbose_name_plural = _("unsellable stock")
        constraints = [models.UniqueConstraint(fields=["level", "reason"], name="unsellable_once")]

    def __str__(self) -> str:
        return str(self.get_reason_display())


class BinStock(models.Model):
    """Units of a level in one bin; the bins of a level sum to its on_hand."""

    level = models.ForeignKey(StockLevel, on_delete=models.PROTECT, related_name="bin_stocks")
    bin = models.ForeignKey(Bin, on_delete=models.PROTECT, related_name="stocks", verbose_name=_("bin"))
    quantity = models.PositiveIntegerField(_("quantity"), default=0)

    class Meta:
        verbose_name = _("bin stock")
        verbose_name_plural = _("bin stocks")
        constraints = [models.UniqueConstraint(fields=["level", "bin"], name="bin_stock_once")]

    def __str__(self) -> str:
        return str(self.bin)


class StockMovement(models.Model):
    """One append-only ledger entry: what changed at a level, in which bin, why, by whom, and what was there after.

    `delta` changes on_hand, `unsellable_delta` the units set aside for `unsellable_reason`. Reference is the
    causing document ("fulfillment_order", 7). No foreign key points here. An entry that takes others of its document
    back (`is_undo`) is of their kind, with the opposite units.
    """

    append_only = True

    level = models.ForeignKey(
        StockLevel, on_delete=models.PROTECT, related_name="movements", verbose_name=_("level")
    )
    bin = models.ForeignKey(Bin, on_delete=models.PROTECT, related_name="+", verbose_name=_("bin"))
    kind = models.CharField(_("kind"), max_length=12, choices=MovementKind)
    delta = models.IntegerField(_("units"), default=0)
    unsellable_delta = models.IntegerField(_("units set aside"), default=0)
    unsellable_reason = models.CharField(max_length=16, choices=UnsellableReason, blank=True)
    is_undo = models.BooleanField(_("undo"), default=False, db_default=False)
    balance_after = models.PositiveIntegerField(_("on hand after"))
    reference_kind = models.CharField(_("reference"), max_length=32)
    reference_id = models.BigIntegerField()
    reason = models.CharField(_("reason"), max_length=120, blank=True)
    at = models.DateTimeField(_("at"))
    actor_kind = models.CharField(_("by"), max_length=8, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        ordering = ["-id"]
        permissions = [("export_stockmovement", _("May export stock movements"))]
        constraints = [
            models.CheckConstraint(
                condition=~Q(delta=0, unsellable_delta=0), name="stock_movement_moves_something"
            ),
            models.CheckConstraint(
                condition=Q(unsellable_delta=0) | ~Q(unsellable_reason=""), name="stock_movement_names_reason"
            ),
        ]
        indexes = [models.Index(fields=["reference_kind", "reference_id"], name="stock_movement_reference")]

    def __str__(self) -> str:
        return f"{self.kind} {self.delta:+d}"


class MovementKey(models.Model):
    """A source key that has been posted, so that a replay cannot post twice ("receipt:7:line:3")."""

    key = models.CharField(max_length=120, unique=True)
    posted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("movement key")
        verbose_name_plural = _("movement keys")

    def __str__(self) -> str:
        return self.key
