from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Versioned
from config.kernel.states import legal_values
from inventory.models import Location
from orders.models import LinePart, Order
from returns.enums import Condition, Disposition, Reception, ReturnReason, RmaStatus


class Rma(Versioned):
    """Permission to send goods of one order back, and what became of them.

    `request_key` is the key of the request that it answers, so that a repeated request opens no second one.
    """

    number = models.CharField(_("number"), max_length=24, unique=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="rmas", verbose_name=_("order"))
    status = models.CharField(_("status"), max_length=12, choices=RmaStatus)
    reason = models.CharField(_("reason"), max_length=16, choices=ReturnReason)
    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="rmas", verbose_name=_("comes back to")
    )
    request_key = models.CharField(max_length=120, blank=True)
    closed_reason = models.CharField(_("closed because"), max_length=300, blank=True)
    requested_at = models.DateTimeField(_("requested at"))
    received_at = models.DateTimeField(_("received at"), null=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        ordering = ["-id"]
        permissions = [
            ("request_rma", _("May request a return")),
            ("approve_rma", _("May approve or reject a return")),
            ("receive_rma", _("May receive returned goods")),
            ("inspect_rma", _("May inspect returned goods")),
        ]
        constraints = [
            legal_values("status", RmaStatus, "rma_status_legal"),
            models.UniqueConstraint(
                fields=["request_key"], condition=~Q(request_key=""), name="rma_request_once"
            ),
        ]
        indexes = [models.Index(fields=["status", "id"], name="rma_status")]

    def __str__(self) -> str:
        return self.number


class ReturnUnit(Versioned):
    """One physical unit of a return: did it arrive, in what condition, and where did it go."""

    rma = models.ForeignKey(Rma, on_delete=models.PROTECT, related_name="units", verbose_name=_("return"))
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    line_part = models.ForeignKey(LinePart, on_delete=models.PROTECT, related_name="return_units")
    reception = models.CharField(_("reception"), max_length=12, choices=Reception)
    condition = models.CharField(_("condition"), max_length=12, choices=Condition, blank=True)
    disposition = models.CharField(_("disposition"), max_length=12, choices=Disposition, blank=True)

    class Meta:
        verbose_name = _("returned unit")
        verbose_name_plural = _("returned units")
        ordering = ["id"]
        constraints = [
            legal_values("reception", Reception, "return_unit_reception_legal"),
            legal_values("disposition", Disposition, "return_unit_disposition_legal"),
            models.CheckConstraint(
                condition=Q(disposition="") | Q(reception=Reception.RECEIVED),
                name="return_unit_disposed_was_received",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rma_id}/{self.pk}"
