from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Versioned
from config.kernel.states import legal_values
from inventory.enums import AlertStatus
from inventory.models.places import Location
from inventory.models.stock import StockLevel


class LowStockAlert(Versioned):
    """A level whose units fell to its reorder point, until they are above it again. Written by alert verbs.

    A level has at most one alert that is not cleared. `units` and `reorder_point` are those it was raised with.
    """

    level = models.ForeignKey(
        StockLevel, on_delete=models.PROTECT, related_name="alerts", verbose_name=_("level")
    )
    status = models.CharField(_("status"), max_length=12, choices=AlertStatus)
    units = models.IntegerField(_("units when raised"))
    reorder_point = models.PositiveIntegerField(_("reorder point when raised"))
    raised_at = models.DateTimeField(_("low since"))
    reason = models.CharField(_("reason"), max_length=120, blank=True)
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True)
    cleared_at = models.DateTimeField(_("cleared at"), null=True)

    class Meta:
        verbose_name = _("low-stock alert")
        verbose_name_plural = _("low-stock alerts")
        ordering = ["-id"]
        permissions = [("settle_lowstockalert", _("May acknowledge and snooze low-stock alerts"))]
        constraints = [
            legal_values("status", AlertStatus, "low_stock_alert_status_legal"),
            models.UniqueConstraint(
                fields=["level"], condition=~Q(status=AlertStatus.CLEARED), name="low_stock_alert_one_each"
            ),
            models.CheckConstraint(
                condition=Q(status=AlertStatus.CLEARED, cleared_at__isnull=False)
                | Q(~Q(status=AlertStatus.CLEARED), cleared_at=None),
                name="low_stock_alert_cleared_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status=AlertStatus.SNOOZED, snoozed_until__isnull=False)
                | Q(~Q(status=AlertStatus.SNOOZED), snoozed_until=None),
                name="low_stock_alert_snoozed_has_end",
            ),
        ]
        indexes = [
            models.Index(
                fields=["snoozed_until"], name="low_stock_alert_snoozed", condition=Q(status="snoozed")
            )
        ]

    def __str__(self) -> str:
        return str(self.level)


class AlertFollower(models.Model):
    """A colleague who gets new low-stock alerts by mail, once an hour at most. No location means all."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("person"),
        limit_choices_to={"is_staff": True, "is_active": True},
    )
    locations = models.ManyToManyField(
        Location,
        blank=True,
        related_name="+",
        verbose_name=_("locations"),
        help_text=_("None means all."),
    )
    language = models.CharField(
        _("language of the mail"), max_length=8, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )

    class Meta:
        verbose_name = _("follower of low stock")
        verbose_name_plural = _("followers of low stock")
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.user)


class AlertDigest(models.Model):
    """One mail to one follower about what fell low before `slot_at`, the beginning of an hour.

    Committed before the mail leaves; `sending_at` without `sent_at` is a mail that is leaving, or lost on its way.
    """

    follower = models.ForeignKey(
        AlertFollower, on_delete=models.CASCADE, related_name="digests", verbose_name=_("follower")
    )
    slot_at = models.DateTimeField(_("until"))
    sending_at = models.DateTimeField(_("sending since"), null=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)

    class Meta:
        verbose_name = _("low-stock mail")
        verbose_name_plural = _("low-stock mails")
        constraints = [
            models.UniqueConstraint(fields=["follower", "slot_at"], name="alert_digest_one_a_slot")
        ]

    def __str__(self) -> str:
        return f"{self.follower_id} · {self.slot_at:%Y-%m-%d %H:%M}"


class AlertNotice(models.Model):
    """An alert that a digest told a follower of; never twice the same."""

    digest = models.ForeignKey(AlertDigest, on_delete=models.CASCADE, related_name="notices")
    follower = models.ForeignKey(AlertFollower, on_delete=models.CASCADE, related_name="notices")
    alert = models.ForeignKey(LowStockAlert, on_delete=models.PROTECT, related_name="notices")

    class Meta:
        verbose_name = _("alert told by mail")
        verbose_name_plural = _("alerts told by mail")
        constraints = [models.UniqueConstraint(fields=["follower", "alert"], name="alert_notice_once")]

    def __str__(self) -> str:
        return f"{self.alert_id}"
