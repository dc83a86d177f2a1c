from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import ActorKind
from config.kernel.states import legal_values
from orders.enums import HoldKind
from orders.models.orders import Order


class Hold(models.Model):
    """A named reason why named steps of an order are refused (`states.HOLD_REFUSES`); lifted by itself.

    `facts` say what was found, in amounts and codes. Only manual holds may be open more than once.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="holds")
    kind = models.CharField(_("hold"), max_length=20, choices=HoldKind)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    facts = models.JSONField(default=dict)
    opened_at = models.DateTimeField(_("since"))
    opened_by = models.CharField(_("by"), max_length=8, choices=ActorKind)
    lifted_at = models.DateTimeField(_("lifted at"), null=True)
    lifted_by = models.CharField(_("lifted by"), max_length=8, choices=ActorKind, blank=True)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "kind"],
                condition=Q(lifted_at=None) & ~Q(kind=HoldKind.MANUAL),
                name="hold_open_once",
            ),
            legal_values("kind", HoldKind, "hold_kind_legal"),
        ]
        indexes = [models.Index(fields=["kind", "order"], name="hold_open", condition=Q(lifted_at=None))]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class AllocationDecision(models.Model):
    """What the planner chose for an order at one moment, and why: shares taken and candidates refused.

    `chosen` is [{location, part, quantity}], `reasons` and `candidates` codes with ids that the page puts in words.
    One that overrides the planner says by `actor_id` and `reason` who chose, and why.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="decisions")
    decided_at = models.DateTimeField(_("decided at"))
    outcome = models.CharField(_("outcome"), max_length=20)
    chosen = models.JSONField(default=list)
    candidates = models.JSONField(default=list)
    waiting = models.JSONField(default=list)
    actor_kind = models.CharField(max_length=8, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("allocation decision")
        verbose_name_plural = _("allocation decisions")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.order_id} {self.outcome}"
