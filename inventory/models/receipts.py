from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import ActorKind
from inventory.models.places import Location


class StockReceipt(models.Model):
    """Goods that were counted in at one location at one time: the document behind their movements, which are its
    lines. Written by `book_receipt`; `undone_at` by the verb that takes it back."""

    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="receipts", verbose_name=_("location")
    )
    note = models.CharField(_("note"), max_length=120, blank=True)
    received_at = models.DateTimeField(_("received at"))
    actor_kind = models.CharField(_("by"), max_length=8, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=80, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True)

    class Meta:
        verbose_name = _("stock receipt")
        verbose_name_plural = _("stock receipts")
        ordering = ["-id"]
        permissions = [("undo_stockreceipt", _("May undo stock receipts"))]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"R-{self.pk}"
