from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import ActorKind
from config.kernel.states import legal_values
from inventory.enums import AdjustmentKind


class StockAdjustment(models.Model):
    """Why stock was changed by hand: the document behind movements, which are its lines. Written by the verbs that
    correct, set aside, also for another reason, put back, write off and move between bins; `undone_at` by the one
    that takes it back."""

    kind = models.CharField(_("kind"), max_length=12, choices=AdjustmentKind)
    reason = models.CharField(_("reason"), max_length=120, blank=True)
    adjusted_at = models.DateTimeField(_("adjusted at"))
    actor_kind = models.CharField(_("by"), max_length=8, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=80, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True)

    class Meta:
        verbose_name = _("stock adjustment")
        verbose_name_plural = _("stock adjustments")
        ordering = ["-id"]
        permissions = [
            ("adjust_stock", _("May correct stock and write set-aside units off")),
            ("set_aside_stock", _("May set units aside and put them back for sale")),
            ("move_stock", _("May move units between bins")),
            ("undo_stockadjustment", _("May undo changes of stock by hand")),
        ]
        constraints = [legal_values("kind", AdjustmentKind, "stock_adjustment_kind_legal")]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"A-{self.pk}"
