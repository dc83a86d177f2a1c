"""The work queues of returns, and what their list shows."""

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery

from returns.enums import Disposition, RmaStatus
from returns.models import ReturnUnit, Rma


def with_units(rows: QuerySet[Rma]) -> QuerySet[Rma]:
    """Adds `unit_count`; counted for the rows that are shown, not for the whole table."""
    units = ReturnUnit.objects.filter(rma=OuterRef("pk")).order_by()
    return rows.annotate(unit_count=Subquery(units.values("rma").annotate(units=Count("pk")).values("units")))


def to_approve(rows: QuerySet[Rma]) -> QuerySet[Rma]:
    """Requests that nobody has answered."""
    return rows.filter(status=RmaStatus.REQUESTED)


def to_receive(rows: QuerySet[Rma]) -> QuerySet[Rma]:
    """Returns whose goods are expected."""
    return rows.filter(status__in=[RmaStatus.APPROVED, RmaStatus.IN_TRANSIT])


def to_inspect(rows: QuerySet[Rma]) -> QuerySet[Rma]:
    """Returns with goods in quarantine, or still without some of their units."""
    return rows.filter(status=RmaStatus.RECEIVED)


def to_close(rows: QuerySet[Rma]) -> QuerySet[Rma]:
    """Inspected returns."""
    return rows.filter(status=RmaStatus.INSPECTED)


def refurbishing(rows: QuerySet[Rma]) -> QuerySet[Rma]:
    """Returns with units that are being refurbished."""
    units = ReturnUnit.objects.filter(rma=OuterRef("pk"), disposition=Disposition.REFURBISH)
    return rows.filter(Exists(units))
