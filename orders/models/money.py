from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.fastpath import QuickRead
from config.kernel.models import Versioned
from config.kernel.money import CurrencyField, MoneyField
from config.kernel.states import legal_values
from orders.enums import ChargeKind, MoneyOwner, PaymentStatus
from orders.models.lines import OrderLine
from orders.models.orders import Order


class Charge(QuickRead):
    """What an order costs besides its lines; a fee may be negative. `total_amount` = amount − discounts."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="charges")
    kind = models.CharField(_("kind"), max_length=16, choices=ChargeKind)
    external_id = models.CharField(_("channel reference"), max_length=120, blank=True)
    title = models.CharField(_("title"), max_length=120, blank=True)
    amount = MoneyField(_("amount"), null=True)
    discount_amount = MoneyField(_("discount"), null=True)
    total_amount = MoneyField(_("total"), null=True)
    tax_amount = MoneyField(_("tax"), null=True)

    class Meta:
        verbose_name = _("charge")
        verbose_name_plural = _("charges")
        ordering = ["order", "id"]

    def __str__(self) -> str:
        return self.title or str(self.get_kind_display())


class DiscountShare(models.Model):
    """The share of a discount that fell on one line or one charge; positive."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="discount_shares")
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, null=True, related_name="discounts")
    charge = models.ForeignKey(Charge, on_delete=models.CASCADE, null=True, related_name="discounts")
    code = models.CharField(_("code"), max_length=120, blank=True)
    title = models.CharField(_("title"), max_length=200, blank=True)
    amount = MoneyField(_("amount"))

    class Meta:
        verbose_name = _("discount share")
        verbose_name_plural = _("discount shares")
        constraints = [
            models.CheckConstraint(
                condition=Q(line=None, charge__isnull=False) | Q(line__isnull=False, charge=None),
                name="discount_on_line_or_charge",
            ),
        ]

    def __str__(self) -> str:
        return self.code or self.title


class TaxLine(QuickRead):
    """One tax on one line or charge: rate in percent, amount, and who owes it."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="tax_lines")
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, null=True, related_name="taxes")
    charge = models.ForeignKey(Charge, on_delete=models.CASCADE, null=True, related_name="taxes")
    title = models.CharField(_("tax"), max_length=120, blank=True)
    rate = models.DecimalField(_("rate %"), max_digits=9, decimal_places=4, null=True)
    amount = MoneyField(_("amount"), null=True)
    owner = models.CharField(_("owed by"), max_length=12, choices=MoneyOwner, default=MoneyOwner.SELLER)

    class Meta:
        verbose_name = _("tax line")
        verbose_name_plural = _("tax lines")
        constraints = [
            models.CheckConstraint(
                condition=Q(line=None, charge__isnull=False) | Q(line__isnull=False, charge=None),
                name="tax_on_line_or_charge",
            ),
            legal_values("owner", MoneyOwner, "tax_owner_legal"),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.rate}"


class Payment(Versioned):
    """Money for an order as a channel or gateway reports it; marketplace money is never moved by us."""

    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="payments", verbose_name=_("order")
    )
    provider = models.CharField(_("provider"), max_length=60)
    external_id = models.CharField(_("payment reference"), max_length=120)
    status = models.CharField(_("status"), max_length=12, choices=PaymentStatus)
    owner = models.CharField(_("held by"), max_length=12, choices=MoneyOwner, default=MoneyOwner.SELLER)
    currency = CurrencyField(_("currency"))
    authorised_amount = MoneyField(_("authorised"), default=0)
    captured_amount = MoneyField(_("captured"), default=0)
    refunded_amount = MoneyField(_("refunded"), default=0)
    reported_at = models.DateTimeField(_("reported at"))

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        permissions = [("view_money", _("May see prices, totals and payments"))]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "provider", "external_id"], name="payment_external_once"
            ),
            legal_values("status", PaymentStatus, "payment_status_legal"),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0, refunded_amount__lte=F("captured_amount")),
                name="payment_refunded_within_captured",
            ),
            models.CheckConstraint(
                condition=Q(authorised_amount=0) | Q(captured_amount__lte=F("authorised_amount")),
                name="payment_captured_within_authorised",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.external_id}"
