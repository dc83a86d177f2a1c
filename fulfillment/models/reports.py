from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.states import legal_values
from fulfillment.enums import Stage


class StageTime(models.Model):
    """How long orders stayed in one stage lately: the middle one and the slow ones. Rewritten by a sweep.

    `orders` is how many passes were measured; the seconds are null where there were none.
    """

    stage = models.CharField(_("stage"), max_length=12, choices=Stage, unique=True)
    orders = models.PositiveIntegerField(_("orders"))
    median_seconds = models.PositiveBigIntegerField(_("median"), null=True)
    slow_seconds = models.PositiveBigIntegerField(_("9 in 10 within"), null=True)
    measured_at = models.DateTimeField(_("measured at"))

    class Meta:
        verbose_name = _("time in a stage")
        verbose_name_plural = _("times in stages")
        constraints = [legal_values("stage", Stage, "stage_time_stage_legal")]

    def __str__(self) -> str:
        return str(self.get_stage_display())
