from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from config.kernel.fastpath import QuickRead
from config.kernel.models import Versioned


class Customer(QuickRead, Versioned):
    """A buyer, found again by e-mail (lower case) where there is one.

    One that was merged into another stays as the memory of its e-mail: later orders find the kept one by it.
    """

    email = models.EmailField(_("e-mail"), blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    created_at = models.DateTimeField(_("customer since"), editable=False)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="merged",
        verbose_name=_("merged into"),
    )

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [
            ("merge_customer", _("May merge customers")),
            ("export_customer", _("May export customers")),
            ("view_personal", _("May see and search personal data of buyers")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["email"], condition=~Q(email=""), name="customer_email_once"),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="customer_merged_elsewhere"),
        ]
        indexes = [
            models.Index(fields=["phone"], name="customer_phone", condition=~Q(phone="")),
            models.Index(Lower("name"), name="customer_name"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or f"#{self.pk}"


class Address(QuickRead):
    """An address as it was stated for one order; never edited in place, a change is a new row. Erasable."""

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="addresses", verbose_name=_("customer")
    )
    name = models.CharField(_("name"), max_length=200, blank=True)
    company = models.CharField(_("company"), max_length=200, blank=True)
    line1 = models.CharField(_("street"), max_length=200, blank=True)
    line2 = models.CharField(_("more"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    region = models.CharField(_("region"), max_length=120, blank=True)
    postal_code = models.CharField(_("post code"), max_length=20, blank=True)
    country_code = models.CharField(_("country"), max_length=2, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.line1, self.postal_code, self.city) if part)
