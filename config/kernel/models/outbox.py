from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.enums import DeliveryState
from config.kernel.fastpath import QuickRead
from config.kernel.models.leased import Leased
from config.kernel.states import legal_values


class Fact(QuickRead):
    """A committed fact that other rooms or the outside must hear of; written with the change itself."""

    kind = models.CharField(_("fact"), max_length=60)
    subject_type = models.CharField(_("subject"), max_length=32)
    subject_id = models.BigIntegerField()
    payload = models.JSONField(_("payload"), default=dict)
    recorded_at = models.DateTimeField(_("recorded at"))
    correlation = models.CharField(_("correlation"), max_length=32, blank=True)

    class Meta:
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="fact_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_type}:{self.subject_id}"


class Delivery(QuickRead, Leased):
    """One subscriber's share of a fact: what is owed, tried, delivered or given up."""

    # Found by the unique constraint below, so that an index of its own would only cost.
    fact = models.ForeignKey(Fact, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    subscriber = models.CharField(_("subscriber"), max_length=60)
    lane = models.CharField(_("lane"), max_length=16, default="work")
    state = models.CharField(_("state"), max_length=12, choices=DeliveryState, default=DeliveryState.DUE)
    attempt_count = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due at"))
    settled_at = models.DateTimeField(_("settled at"), null=True)
    last_error = models.TextField(_("last error"), blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["fact", "subscriber"], name="delivery_once"),
            legal_values("state", DeliveryState, "delivery_state_legal"),
        ]
        indexes = [
            models.Index(
                fields=["lane", "due_at", "id"],
                name="delivery_due",
                condition=models.Q(state__in=["due", "failed"]),
            ),
            models.Index(
                fields=["lease_until"], name="delivery_leased", condition=models.Q(state="in_flight")
            ),
            models.Index(fields=["state", "id"], name="delivery_state"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} #{self.pk}"


class Attempt(models.Model):
    """One try of a delivery; an open one whose lease ran out was cut off."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once")]

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.number}"
