from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.audit import INVARIANTS


class StockCheck(models.Model):
    """What one invariant of the stock room said when it was last checked; one row a code, written by the check's job.

    `violations` are [subject, detail] pairs ("stock_level:7"), at most as many as the invariant names.
    """

    code = models.CharField(_("code"), max_length=60, unique=True)
    checked_at = models.DateTimeField(_("checked at"))
    milliseconds = models.PositiveIntegerField(_("milliseconds"))
    violation_count = models.PositiveIntegerField(_("violations"))
    violations = models.JSONField(default=list)

    class Meta:
        verbose_name = _("stock check")
        verbose_name_plural = _("stock health")
        ordering = ["code"]
        permissions = [
            ("check_stock", _("May have the stock figures checked")),
            ("repair_stock", _("May set a stock level to what its ledger says")),
        ]

    def __str__(self) -> str:
        return str(self.title)

    @property
    def title(self) -> Any:
        """What must hold, in words; the code of an invariant that is no more."""
        found = INVARIANTS.get(self.code)
        return found.title if found is not None else self.code
