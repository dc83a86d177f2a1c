from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.history import History
from config.kernel.models import Versioned


class Sku(Versioned):
    """One stock-keeping unit. A kit holds no stock: its parts do. One that is not active is offered to nobody who
    chooses and reordered by nobody; what a channel has sold of it is taken and promised like any other."""

    code = models.CharField(_("SKU"), max_length=64, unique=True)
    title = models.CharField(_("title"), max_length=200)
    is_kit = models.BooleanField(_("kit"), default=False)
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_(
            "Without it, it is not offered for new orders and changes, and nobody is told that it is low. A channel's "
            "order for it is still taken and gets stock: its buyer has bought it."
        ),
    )
    weight_grams = models.PositiveIntegerField(_("weight (g)"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), editable=False)

    history = History("created_at")

    class Meta:
        verbose_name = _("SKU")
        verbose_name_plural = _("SKUs")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class Barcode(models.Model):
    """A code on the goods that finds the SKU when scanned."""

    sku = models.ForeignKey(Sku, on_delete=models.CASCADE, related_name="barcodes", verbose_name=_("SKU"))
    code = models.CharField(_("barcode"), max_length=64, unique=True)

    history = History()

    class Meta:
        verbose_name = _("barcode")
        verbose_name_plural = _("barcodes")

    def __str__(self) -> str:
        return self.code


class KitPart(models.Model):
    """How many units of a part one kit takes. `value_weight` shares the kit's price among its parts."""

    kit = models.ForeignKey(Sku, on_delete=models.CASCADE, related_name="kit_parts", verbose_name=_("kit"))
    part = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="in_kits", verbose_name=_("part"))
    per_unit = models.PositiveIntegerField(_("per kit"), default=1)
    value_weight = models.PositiveIntegerField(_("value weight"), default=1)

    history = History()

    class Meta:
        verbose_name = _("kit part")
        verbose_name_plural = _("kit parts")
        ordering = ["kit", "id"]
        constraints = [
            models.UniqueConstraint(fields=["kit", "part"], name="kit_part_once"),
            models.CheckConstraint(condition=models.Q(per_unit__gt=0), name="kit_part_per_unit_positive"),
            models.CheckConstraint(condition=~models.Q(kit=models.F("part")), name="kit_not_its_own_part"),
        ]

    def __str__(self) -> str:
        return f"{self.per_unit} × {self.part}"
