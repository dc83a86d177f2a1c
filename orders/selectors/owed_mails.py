"""Mails that an order's buyer is owed and that have not left: what waits, is tried again, or was given up."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from config.kernel.enums import DeliveryState
from config.kernel.models import Delivery
from orders.enums import MailKind
from orders.mail_kinds import KINDS, MAILS
from orders.models import Notification, Order
from orders.parcels_told import parcel_rows, parcels_of

# Not yet sent, nor known to be on its way: a person may still say that it never leaves.
HELD_BACK = (DeliveryState.DUE, DeliveryState.FAILED, DeliveryState.DEAD)
_NOT_SENT = (*HELD_BACK, DeliveryState.IN_FLIGHT)


def order_id_of(payload: Mapping[str, Any], subject_id: int) -> int:
    """The order that a mail's fact is about: itself, or a parcel of it."""
    return int(payload["order_id"]) if "order_id" in payload else subject_id


def facts_of(order_ids: Sequence[int], *, parcels: Sequence[int] | None = None) -> Q:
    """Which deliveries are about these orders; parcels that are not given are asked for, by a statement."""
    parcels = list(parcels_of(order_ids)) if parcels is None else parcels
    own = Q(fact__subject_type="order", fact__subject_id__in=order_ids)
    return own | Q(fact__subject_type="parcel", fact__subject_id__in=parcels) if parcels else own


def owed_of_order(order: Order) -> QuerySet[Delivery]:
    """Mails about the order itself that have not left, each with its fact."""
    return _owed(Q(fact__subject_type="order", fact__subject_id=order.pk))


def owed_of_parcels(order: Order) -> QuerySet[Delivery]:
    """The same about its parcels; apart, since each is found by its own subject."""
    about = Q(pk__in=())
    for parcels in parcel_rows():
        about |= Q(fact__subject_type="parcel", fact__subject_id__in=parcels.filter(order=order).values("pk"))
    return _owed(about)


def _owed(about: Q) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(about, lane="mail", subscriber__in=MAILS, state__in=_NOT_SENT)
    return rows.select_related("fact").order_by("pk")


def set_kinds(rows: list[Delivery]) -> None:
    """Put each mail's kind on it, as `mail_kind`; that of a repeated mail is the repeated one's: one statement."""
    again = {row.fact.payload["mail"] for row in rows if row.subscriber not in KINDS}
    kinds = dict(Notification.objects.filter(pk__in=again).values_list("pk", "kind")) if again else {}
    for row in rows:
        kind = KINDS.get(row.subscriber) or kinds.get(row.fact.payload.get("mail"))
        row.mail_kind = MailKind(kind) if kind else None  # type: ignore[attr-defined]
