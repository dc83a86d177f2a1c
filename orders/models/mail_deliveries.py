from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import BigIntegerField, Case, F, Q, QuerySet, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Delivery

if TYPE_CHECKING:
    _Manager = models.Manager["MailDelivery"]
else:
    _Manager = models.Manager

_ORDER = Case(
    When(fact__subject_type="order", then=F("fact__subject_id")),
    default=Cast(KeyTextTransform("order_id", "fact__payload"), BigIntegerField()),
)


class MailDeliveries(_Manager):
    def get_queryset(self) -> QuerySet["MailDelivery"]:
        """The mails to buyers, each with its order as `order_pk`."""
        of_ours = Q(lane="mail", subscriber__startswith="orders.")
        return super().get_queryset().filter(of_ours).annotate(order_pk=_ORDER)


class MailDelivery(Delivery):
    """One mail that a buyer is owed or was sent, with every try: the outbox's row, read as a log of mails."""

    objects: ClassVar[MailDeliveries] = MailDeliveries()

    class Meta:
        proxy = True
        verbose_name = _("mail")
        verbose_name_plural = _("mails")

    def __str__(self) -> str:
        return f"{self.subscriber.removeprefix('orders.')} #{self.pk}"
