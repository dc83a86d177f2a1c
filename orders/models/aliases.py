from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Versioned
from inventory.models import Sku
from orders.models.business import SalesChannel


class SkuAlias(Versioned):
    """What a channel calls one of our SKUs, where it does not use our own code. Written by `map_skus`.

    A code that is a SKU of ours means that SKU, whatever stands here.
    """

    sales_channel = models.ForeignKey(
        SalesChannel, on_delete=models.CASCADE, related_name="sku_aliases", verbose_name=_("channel")
    )
    code = models.CharField(_("SKU as sent"), max_length=120)
    sku = models.ForeignKey(
        Sku, on_delete=models.PROTECT, related_name="aliases", verbose_name=_("SKU of ours")
    )
    mapped_at = models.DateTimeField(_("mapped at"))

    class Meta:
        verbose_name = _("mapped SKU")
        verbose_name_plural = _("mapped SKUs")
        ordering = ["code"]
        permissions = [("map_sku", _("May map a channel's SKU to ours"))]
        constraints = [
            models.UniqueConstraint(fields=["code", "sales_channel"], name="sku_alias_code_once"),
            models.CheckConstraint(condition=~Q(code=""), name="sku_alias_code_stated"),
        ]

    def __str__(self) -> str:
        return self.code
