"""Invariants of this room as queries (`manage.py audit`)."""

from collections.abc import Iterator

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from config.kernel.audit import Violation, invariant
from inventory.enums import MovementKind, UnsellableReason
from inventory.models import StockMovement, UnsellableStock
from orders.models import LinePart
from returns.enums import TO_DECIDE, Disposition, Reception, RmaStatus
from returns.models import ReturnUnit, Rma
from returns.selectors.units import SPOKEN_FOR, UNDECIDED

SHOWN = 50


def _count(rows: QuerySet, group: str) -> Coalesce:
    """A subquery's number of rows by `group`, 0 without rows."""
    counts = rows.order_by().values(group).annotate(found=Count("pk")).values("found")
    return Coalesce(Subquery(counts, output_field=IntegerField()), 0)


@invariant("returns.counted", _("Units that came back equal the returned units of each line part"))
def received_equal_returned() -> Iterator[Violation]:
    back = ReturnUnit.objects.filter(line_part=OuterRef("pk"), reception=Reception.RECEIVED)
    for part in LinePart.objects.annotate(back=_count(back, "line_part")).exclude(back=F("returned"))[:SHOWN]:
        yield Violation(f"line_part:{part.pk}", f"returned {part.returned}, units that came back {part.back}")


@invariant("returns.shipped", _("Returns speak for no more units than were shipped"))
def spoken_for_within_shipped() -> Iterator[Violation]:
    spoken = ReturnUnit.objects.filter(SPOKEN_FOR, line_part=OuterRef("pk"))
    parts = LinePart.objects.annotate(spoken=_count(spoken, "line_part"))
    for part in parts.filter(spoken__gt=F("shipped"))[:SHOWN]:
        yield Violation(
            f"line_part:{part.pk}", f"shipped {part.shipped}, spoken for by returns {part.spoken}"
        )


@invariant("returns.same_order", _("A returned unit belongs to its return's order"))
def unit_of_one_order() -> Iterator[Violation]:
    strangers = ReturnUnit.objects.exclude(order=F("rma__order"), line_part__line__order=F("rma__order"))
    for unit in strangers[:SHOWN]:
        yield Violation(f"return_unit:{unit.pk}", f"is not of the order of return {unit.rma_id}")


@invariant("returns.progress", _("Units stand where their return says: none undecided once it is inspected"))
def progress_agrees() -> Iterator[Violation]:
    ended = Q(rma__status__in=[RmaStatus.INSPECTED, RmaStatus.RESOLVED])
    # Only what was received can hold units that are not expected any more.
    before = ~Q(rma__status__in=[RmaStatus.RECEIVED, RmaStatus.INSPECTED, RmaStatus.RESOLVED])
    for unit in ReturnUnit.objects.filter(UNDECIDED & ended | before & ~Q(reception=Reception.EXPECTED))[
        :SHOWN
    ]:
        yield Violation(
            f"return_unit:{unit.pk}", f"{unit.reception}/{unit.disposition}, return {unit.rma_id}"
        )
    for unit in ReturnUnit.objects.filter(reception=Reception.RECEIVED, disposition="")[:SHOWN]:
        yield Violation(f"return_unit:{unit.pk}", "arrived and is nowhere")
    for rma in Rma.objects.filter(units=None)[:SHOWN]:
        yield Violation(f"rma:{rma.pk}", "has no units")
    waiting = ReturnUnit.objects.filter(UNDECIDED, rma=OuterRef("pk"))
    for rma in Rma.objects.filter(~Exists(waiting), status=RmaStatus.RECEIVED)[:SHOWN]:
        yield Violation(f"rma:{rma.pk}", "is received, and nothing of it is left to expect or inspect")


@invariant("returns.ledger", _("Each return came in, and went on, by as many units as the ledger says"))
def ledger_agrees() -> Iterator[Violation]:
    """SKU by SKU, and where the return was taken in."""
    rows = StockMovement.objects.filter(reference_kind="rma")
    own = rows.filter(
        reference_id=OuterRef("rma"),
        level__sku=OuterRef("line_part__sku"),
        level__location=OuterRef("rma__location"),
    )

    def moved(kind: MovementKind) -> Coalesce:
        sums = own.filter(kind=kind).order_by().values("reference_id")
        total = sums.annotate(total=Sum("unsellable_delta")).values("total")
        return Coalesce(Subquery(total, output_field=IntegerField()), 0)

    goods = ReturnUnit.objects.order_by().values("rma", "line_part__sku")
    goods = goods.annotate(
        back=Count("pk", filter=Q(reception=Reception.RECEIVED)),
        restocked=Count("pk", filter=Q(disposition=Disposition.RESTOCK)),
        scrapped=Count("pk", filter=Q(disposition=Disposition.SCRAP)),
        moved_in=moved(MovementKind.RETURN),
        put_back=moved(MovementKind.PUT_BACK),
        written_off=moved(MovementKind.SCRAP),
    )
    agreed = Q(back=F("moved_in"), restocked=-F("put_back"), scrapped=-F("written_off"))
    for one in goods.exclude(agreed).order_by("rma")[:SHOWN]:
        yield Violation(
            f"rma:{one['rma']}",
            f"SKU {one['line_part__sku']}: {one['back']} came back, {one['restocked']} went on for sale and"
            f" {one['scrapped']} to scrap, ledger {one['moved_in']}, {-one['put_back']} and"
            f" {-one['written_off']}",
        )
    units = ReturnUnit.objects.filter(
        rma=OuterRef("reference_id"),
        line_part__sku=OuterRef("level__sku"),
        rma__location=OuterRef("level__location"),
    )
    kinds = (MovementKind.RETURN, MovementKind.PUT_BACK, MovementKind.SCRAP)
    for row in rows.exclude(Exists(units), kind__in=kinds).order_by("pk")[:SHOWN]:
        yield Violation(
            f"stock_movement:{row.pk}",
            f"{row.kind} {row.delta:+d} at level {row.level_id}, which rma {row.reference_id} cannot have made",
        )


@invariant(
    "returns.quarantine", _("Units of returns that are yet to be decided are within the unsellable stock")
)
def set_aside_within_unsellable() -> Iterator[Violation]:
    stock = UnsellableStock.objects.filter(
        level__sku=OuterRef("line_part__sku"),
        level__location=OuterRef("rma__location"),
        reason=UnsellableReason.QUARANTINE,
    ).values("quantity")[:1]
    aside = (
        ReturnUnit.objects.filter(disposition__in=TO_DECIDE)
        .order_by()
        .values("line_part__sku", "rma__location")
        .annotate(aside=Count("pk"), stock=Coalesce(Subquery(stock, output_field=IntegerField()), 0))
    )
    for row in aside.filter(aside__gt=F("stock"))[:SHOWN]:
        yield Violation(
            f"sku:{row['line_part__sku']}",
            f"{row['aside']} units of returns set aside at location {row['rma__location']}, "
            f"stock says {row['stock']}",
        )
