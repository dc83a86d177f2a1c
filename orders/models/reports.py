from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.money import CurrencyField, MoneyField
from orders.models.business import SalesChannel


class DailySales(models.Model):
    """What one channel sold on one day of its legal entity, in one currency: a sum of orders, never their source.

    Rewritten by `refresh_daily_sales`; cancelled, void and test orders are left out, and so are the cancelled units
    of others. Orders without a total count as orders, their amount as nothing.
    """

    day = models.DateField(_("day"))
    sales_channel = models.ForeignKey(
        SalesChannel, on_delete=models.CASCADE, related_name="daily_sales", verbose_name=_("channel")
    )
    currency = CurrencyField(_("currency"))
    orders = models.PositiveIntegerField(_("orders"))
    units = models.PositiveIntegerField(_("units"))
    revenue_amount = MoneyField(_("revenue"))

    class Meta:
        verbose_name = _("sales of a day")
        verbose_name_plural = _("sales by day")
        constraints = [
            models.UniqueConstraint(fields=["day", "sales_channel", "currency"], name="daily_sales_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.sales_channel_id} {self.currency}"
