from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.orders import Order


class OrderEdit(models.Model):
    """What one of an order's own fields held before staff edited it, and after, as text. Written by `edit_orders`.
    Erasable: the timeline's event only names the row."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="edits", verbose_name=_("order"))
    before = models.TextField()
    after = models.TextField()

    class Meta:
        verbose_name = _("edit of an order")
        verbose_name_plural = _("edits of orders")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.before[:30]} → {self.after[:30]}"
