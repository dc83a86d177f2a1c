from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import ActorKind
from config.kernel.models import Versioned
from config.kernel.states import legal_values
from orders.enums import ActionKind, ProposalStatus
from orders.models.orders import Order


class Proposal(Versioned):
    """A change to a placed order, worked out beside it: nothing of the order moves before it is confirmed.

    `base_version` is the order's version that it was worked out on, `base_event` the newest event of the order's
    timeline then, from which what changed meanwhile is told. A position is never given twice. Written by
    `services.proposals`, under the order's lock.
    """

    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, related_name="proposals", verbose_name=_("order")
    )
    status = models.CharField(_("status"), max_length=12, choices=ProposalStatus)
    base_version = models.PositiveIntegerField()
    base_event = models.BigIntegerField(default=0)
    next_position = models.PositiveSmallIntegerField(default=1)
    reason = models.CharField(_("reason"), max_length=120, blank=True)
    opened_at = models.DateTimeField(_("opened at"))
    actor_kind = models.CharField(_("opened by"), max_length=8, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)

    class Meta:
        verbose_name = pgettext_lazy("noun", "change")
        verbose_name_plural = pgettext_lazy("noun", "changes")
        ordering = ["-id"]
        permissions = [("propose_change", _("May change placed orders"))]
        constraints = [
            legal_values("status", ProposalStatus, "proposal_status_legal"),
            models.CheckConstraint(
                condition=Q(status__in=[ProposalStatus.OPEN, ProposalStatus.STALE], closed_at=None)
                | Q(status__in=[ProposalStatus.CONFIRMED, ProposalStatus.DROPPED], closed_at__isnull=False),
                name="proposal_closed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return gettext("Change %(pk)s") % {"pk": self.pk}


class ProposalAction(models.Model):
    """One wish of a proposal, in sequence; what it says is frozen, and taking it back deletes the row.

    `payload` is what `orders.changes` writes: ids, counts and amounts as text. An address stands in its own row.
    """

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="actions")
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=12, choices=ActionKind)
    payload = models.JSONField()
    added_at = models.DateTimeField(_("added at"))
    actor_kind = models.CharField(max_length=8, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("change's action")
        verbose_name_plural = _("change's actions")
        ordering = ["proposal", "position"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "position"], name="proposal_position_once"),
            legal_values("kind", ActionKind, "proposal_action_legal"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())
