from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Delivery
from orders.enums import MailKind
from orders.models.orders import Order


class Notification(models.Model):
    """One mail for one fact of an order, at most once. Committed as `sending` before the mail leaves, so that a
    crash in between leaves `sent_at` empty and the outcome unknown, never a second mail. Erasable.

    `parcel_set` tells it from other mails of its kind to the same order: the shipment, the hold, the promised
    day, the fact. `delivery` is the outbox's share of the fact by which it left.
    """

    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="notifications", verbose_name=_("order")
    )
    kind = models.CharField(_("mail"), max_length=20, choices=MailKind)
    parcel_set = models.CharField(max_length=120, blank=True)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("delivery")
    )
    recipient = models.EmailField(_("recipient"))
    language = models.CharField(_("language"), max_length=8)
    subject = models.CharField(_("subject"), max_length=255)
    body_text = models.TextField(_("text"))
    body_html = models.TextField(_("HTML"))
    message_id = models.CharField(_("message id"), max_length=255)
    sending_at = models.DateTimeField(_("sending since"))
    sent_at = models.DateTimeField(_("sent at"), null=True)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("sent mails")
        ordering = ["-id"]
        permissions = [
            ("resend_notification", _("May send a mail once more")),
            ("suppress_notification", _("May keep mails from being sent")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["order", "kind", "parcel_set"], name="notification_once"),
        ]

    def __str__(self) -> str:
        return self.subject
