from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.fastpath import QuickRead
from config.kernel.models import Versioned
from config.kernel.states import legal_values
from inventory.enums import ReservationState
from inventory.models.skus import Sku
from inventory.models.stock import StockLevel

# How far from 0 a priority may lie, either way.
MOST_PRIORITY = 1000


class Reservation(QuickRead, Versioned):
    """The promise of units to a reference: open ones hold units of a level, waiting ones stand in line without.

    The queue of a SKU: highest `priority` first, then oldest `queued_at`, then id. A part filled or part shipped
    reservation is split, the new row keeping `queued_at`, which may be older than the row: it is the place in the
    queue, while `waiting_since` says from when on others could have overtaken it. Written by stock verbs only.
    """

    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="reservations", verbose_name=_("SKU"))
    level = models.ForeignKey(
        StockLevel, on_delete=models.PROTECT, null=True, related_name="reservations", verbose_name=_("level")
    )
    quantity = models.PositiveIntegerField(_("quantity"))
    reference_kind = models.CharField(_("reference"), max_length=32)
    reference_id = models.BigIntegerField()
    priority = models.SmallIntegerField(_("priority"), default=0)
    promised_at = models.DateTimeField(_("promised for"), null=True)
    state = models.CharField(_("state"), max_length=12, choices=ReservationState)
    queued_at = models.DateTimeField(_("in line since"))
    waiting_since = models.DateTimeField(_("waiting since"), null=True)
    opened_at = models.DateTimeField(_("reserved at"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    closed_reason = models.CharField(_("closed because"), max_length=40, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True)

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints = [
            legal_values("state", ReservationState, "reservation_state_legal"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_quantity_positive"),
            models.CheckConstraint(
                condition=~Q(state=ReservationState.WAITING) | Q(level=None),
                name="reservation_waits_without_level",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["open", "consumed"]) | Q(level__isnull=False),
                name="reservation_open_has_level",
            ),
            models.CheckConstraint(
                condition=~Q(state=ReservationState.WAITING) | Q(waiting_since__isnull=False),
                name="reservation_waits_since",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["open", "consumed"]) | Q(opened_at__isnull=False),
                name="reservation_open_has_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "open"], closed_at=None)
                | Q(~Q(state__in=["waiting", "open"]), closed_at__isnull=False),
                name="reservation_closed_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["sku", "-priority", "queued_at", "id"],
                name="reservation_queue",
                condition=Q(state="waiting"),
            ),
            models.Index(fields=["level"], name="reservation_open", condition=Q(state="open")),
            models.Index(fields=["reference_kind", "reference_id"], name="reservation_reference"),
            models.Index(
                fields=["expires_at"],
                name="reservation_expiry",
                condition=Q(expires_at__isnull=False, state__in=["open", "waiting"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku.code}, {self.get_state_display()}"
