from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Versioned
from config.kernel.states import legal_values
from inventory.enums import TransferStatus
from inventory.models.places import Location
from inventory.models.skus import Sku


class Transfer(Versioned):
    """Units on their way from one location to another. What was sent and neither received nor lost is in transit:
    it stands on no level until it arrives."""

    number = models.CharField(_("number"), max_length=24, unique=True)
    origin = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="transfers_out", verbose_name=_("from")
    )
    destination = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="transfers_in", verbose_name=_("to")
    )
    status = models.CharField(_("status"), max_length=12, choices=TransferStatus)
    note = models.CharField(_("note"), max_length=120, blank=True)
    loss_reason = models.CharField(_("lost because"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("created at"))
    sent_at = models.DateTimeField(_("sent at"), null=True)
    received_at = models.DateTimeField(_("received at"), null=True)

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        ordering = ["-id"]
        permissions = [
            ("send_transfer", _("May send transfers")),
            ("receive_transfer", _("May receive transfers")),
            ("cancel_transfer", _("May cancel transfers")),
            ("undo_transfer", _("May undo the sending of transfers")),
        ]
        constraints = [
            legal_values("status", TransferStatus, "transfer_status_legal"),
            models.CheckConstraint(condition=~Q(origin=F("destination")), name="transfer_goes_elsewhere"),
            models.CheckConstraint(
                condition=Q(status=TransferStatus.RECEIVED, received_at__isnull=False)
                | Q(~Q(status=TransferStatus.RECEIVED), received_at=None),
                name="transfer_received_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status=TransferStatus.SENT) | Q(sent_at__isnull=False),
                name="transfer_sent_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["destination"], name="transfer_in_transit", condition=Q(status="sent"))
        ]

    def __str__(self) -> str:
        return self.number


class TransferLine(models.Model):
    """Units of one SKU of a transfer: wanted, sent, and what became of the sent ones. Written by transfer verbs."""

    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="lines")
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="+", verbose_name=_("SKU"))
    quantity = models.PositiveIntegerField(_("units"))
    sent = models.PositiveIntegerField(_("sent"), default=0)
    received = models.PositiveIntegerField(_("received"), default=0)
    lost = models.PositiveIntegerField(_("lost"), default=0)
    returned = models.PositiveIntegerField(_("came back"), default=0)

    class Meta:
        verbose_name = _("transfer line")
        verbose_name_plural = _("transfer lines")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["transfer", "sku"], name="transfer_sku_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="transfer_line_positive"),
            models.CheckConstraint(
                condition=Q(sent__gte=F("received") + F("lost") + F("returned")),
                name="transfer_line_sent_covers",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku_id}"

    @property
    def in_transit(self) -> int:
        return self.sent - self.received - self.lost - self.returned
