from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import ActorKind
from orders.models.orders import Order


class Note(models.Model):
    """What somebody wrote about an order, for colleagues. Erasable: the timeline's event only names the row."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="notes", verbose_name=_("order"))
    text = models.TextField(_("note"))
    written_at = models.DateTimeField(_("written at"))
    actor_kind = models.CharField(max_length=8, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.text[:60]


class Tag(models.Model):
    """A word that staff put on orders to find them again; the same whatever its capitals. Made by its first use.

    The key is the name without its capitals, folded by Python: SQLite, and PostgreSQL by its locale, fold ASCII only.
    """

    name = models.CharField(_("tag"), max_length=40)
    key = models.CharField(max_length=120, editable=False, default="", db_default="")

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["key"], condition=~Q(key=""), name="tag_key_once")]

    def __str__(self) -> str:
        return self.name


class OrderTag(models.Model):
    """One tag on one order."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="order_tags")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="order_tags")

    class Meta:
        verbose_name = _("tag of an order")
        verbose_name_plural = _("tags of orders")
        constraints = [models.UniqueConstraint(fields=["order", "tag"], name="order_tag_once")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.tag_id}"
