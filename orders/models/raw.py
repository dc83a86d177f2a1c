from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.business import SalesChannel
from orders.models.orders import Order


class RawOrder(models.Model):
    """An order's body untouched, stored and committed before anything reads it. Erasable.

    Without `order` and with a `problem` (`kept_words`) it waits for a person, until it is settled; `source` names the
    door and its format.
    """

    sales_channel = models.ForeignKey(
        SalesChannel, on_delete=models.PROTECT, related_name="raw_orders", verbose_name=_("channel")
    )
    source = models.CharField(_("source"), max_length=32)
    external_id = models.CharField(_("channel reference"), max_length=120, blank=True)
    body = models.TextField(_("body"))
    body_hash = models.CharField(max_length=64)
    received_at = models.DateTimeField(_("received at"))
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, related_name="raw_orders", verbose_name=_("order")
    )
    problem = models.TextField(_("problem"), blank=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)

    class Meta:
        verbose_name = _("raw order")
        verbose_name_plural = _("raw orders")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["sales_channel", "source", "body_hash"], name="raw_order_body_once"
            )
        ]
        indexes = [models.Index(fields=["settled_at", "id"], name="raw_order_open")]

    def __str__(self) -> str:
        return f"{self.source} {self.external_id or self.pk}"
