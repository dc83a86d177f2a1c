"""Invariants of this room as queries (`manage.py audit`). Each finds nothing, or names at most fifty breaches."""

from collections.abc import Iterable, Iterator

from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    Window,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.audit import Violation, invariant
from inventory.enums import LIVE_RESERVATION, BinKind, ReservationState
from inventory.models import (
    Barcode,
    Bin,
    BinStock,
    KitPart,
    Location,
    Reservation,
    Sku,
    StockLevel,
    StockMovement,
    UnsellableStock,
)
from inventory.selectors.expiry import SWEEP_EVERY, overdue_reservations

SHOWN = 50


def _sum(rows: QuerySet[Model], column: str, by: str = "level") -> Coalesce:
    """Σ column of the rows that belong to the outer level."""
    grouped = rows.filter(**{by: OuterRef("pk")}).order_by().values(by)
    total = Subquery(grouped.annotate(total=Sum(column)).values("total"), output_field=IntegerField())
    return Coalesce(total, Value(0))


def _differing(column: str, total: Coalesce, what: str) -> Iterator[Violation]:
    wrong = StockLevel.objects.annotate(total=total).exclude(**{column: F("total")}).order_by("pk")
    for pk, stored, found in wrong.values_list("pk", column, "total")[:SHOWN]:
        yield Violation(f"stock_level:{pk}", f"{column} is {stored}, {what} {found}")


@invariant("stock.on_hand_ledger", _("On hand is the sum of the movements"))
def on_hand_is_ledger() -> Iterable[Violation]:
    return _differing("on_hand", _sum(StockMovement.objects.all(), "delta"), "the movements sum to")


@invariant("stock.on_hand_bins", _("On hand is the sum of the bins"))
def on_hand_is_bins() -> Iterable[Violation]:
    return _differing("on_hand", _sum(BinStock.objects.all(), "quantity"), "the bins sum to")


@invariant("stock.bin_ledger", _("Each bin holds the sum of its movements, at its own location"))
def bins_are_ledger() -> Iterator[Violation]:
    moved = (
        StockMovement.objects.filter(level=OuterRef("level"), bin=OuterRef("bin"))
        .order_by()
        .values("bin")
        .annotate(total=Sum("delta"))
        .values("total")
    )
    rows = BinStock.objects.annotate(total=Coalesce(Subquery(moved, output_field=IntegerField()), Value(0)))
    for pk, stored, found in rows.exclude(quantity=F("total")).values_list("pk", "quantity", "total")[:SHOWN]:
        yield Violation(f"bin_stock:{pk}", f"holds {stored}, the movements sum to {found}")
    for pk in BinStock.objects.exclude(bin__location=F("level__location")).values_list("pk", flat=True)[
        :SHOWN
    ]:
        yield Violation(f"bin_stock:{pk}", "the bin is at another location")


@invariant("stock.reserved", _("Reserved is the sum of the open reservations"))
def reserved_is_open() -> Iterable[Violation]:
    held = Reservation.objects.filter(state=ReservationState.OPEN)
    return _differing("reserved", _sum(held, "quantity"), "the open reservations sum to")


@invariant("stock.unsellable", _("Unsellable is the sum of its reasons, and of the ledger"))
def unsellable_is_explained() -> Iterator[Violation]:
    yield from _differing("unsellable", _sum(UnsellableStock.objects.all(), "quantity"), "the reasons sum to")
    ledger = _sum(StockMovement.objects.all(), "unsellable_delta")
    yield from _differing("unsellable", ledger, "the movements sum to")


@invariant("stock.quarantine_bin", _("Units that are set aside lie in the quarantine bin, and no others do"))
def set_aside_is_quarantined() -> Iterable[Violation]:
    """Elsewhere a picker would be sent to them."""
    lying = BinStock.objects.filter(bin__kind=BinKind.QUARANTINE)
    return _differing("unsellable", _sum(lying, "quantity"), "the quarantine bin holds")


@invariant("stock.unsellable_ledger", _("Each reason for setting aside has the sum of its movements"))
def reasons_are_ledger() -> Iterator[Violation]:
    moved = (
        StockMovement.objects.filter(level=OuterRef("level"), unsellable_reason=OuterRef("reason"))
        .order_by()
        .values("level")
        .annotate(total=Sum("unsellable_delta"))
        .values("total")
    )
    rows = UnsellableStock.objects.annotate(
        total=Coalesce(Subquery(moved, output_field=IntegerField()), Value(0))
    )
    for pk, stored, found in rows.exclude(quantity=F("total")).values_list("pk", "quantity", "total")[:SHOWN]:
        yield Violation(f"unsellable_stock:{pk}", f"holds {stored}, the movements sum to {found}")


@invariant("stock.balance_chain", _("Each movement's balance is the one before plus its units"))
def balances_follow() -> Iterator[Violation]:
    running = Window(Sum("delta"), partition_by="level", order_by=F("id").asc())
    rows = StockMovement.objects.annotate(running=running).exclude(balance_after=F("running")).order_by("id")
    for pk, stored, found in rows.values_list("pk", "balance_after", "running")[:SHOWN]:
        yield Violation(f"stock_movement:{pk}", f"balance {stored}, the movements up to it sum to {found}")


@invariant("stock.within_hand", _("Reserved and unsellable units are on hand; nothing is below zero"))
def promises_are_held() -> Iterator[Violation]:
    wrong = StockLevel.objects.filter(
        Q(on_hand__lt=F("reserved") + F("unsellable")) | Q(reserved__lt=0) | Q(unsellable__lt=0)
    )
    for level in wrong.order_by("pk")[:SHOWN]:
        figures = f"{level.on_hand} on hand, {level.reserved} reserved, {level.unsellable} unsellable"
        yield Violation(f"stock_level:{level.pk}", figures)


@invariant("stock.bins", _("Each location has its default and its quarantine bin"))
def locations_have_bins() -> Iterator[Violation]:
    for kind in (BinKind.DEFAULT, BinKind.QUARANTINE):
        has = Bin.objects.filter(location=OuterRef("pk"), kind=kind)
        for pk in Location.objects.filter(~Exists(has)).order_by("pk").values_list("pk", flat=True)[:SHOWN]:
            yield Violation(f"location:{pk}", f"no {kind} bin")


@invariant("stock.kits", _("Kits hold no stock, have parts, and are made of no kits"))
def kits_hold_nothing() -> Iterator[Violation]:
    held = StockLevel.objects.filter(sku=OuterRef("pk"), on_hand__gt=0)
    live = Reservation.objects.filter(sku=OuterRef("pk"), state__in=LIVE_RESERVATION)
    kits = Sku.objects.filter(is_kit=True)
    for pk in kits.filter(Exists(held) | Exists(live)).values_list("pk", flat=True)[:SHOWN]:
        yield Violation(f"sku:{pk}", "a kit with stock or reservations")
    for pk in kits.annotate(n=Count("kit_parts")).filter(n=0).values_list("pk", flat=True)[:SHOWN]:
        yield Violation(f"sku:{pk}", "a kit without parts")
    for pk in KitPart.objects.filter(part__is_kit=True).values_list("kit_id", flat=True)[:SHOWN]:
        yield Violation(f"sku:{pk}", "a kit of kits")


@invariant("stock.codes", _("No barcode is the code of another SKU"))
def codes_mean_one() -> Iterator[Violation]:
    other = Sku.objects.filter(code=OuterRef("code")).exclude(pk=OuterRef("sku"))
    for sku_id, code in Barcode.objects.filter(Exists(other)).values_list("sku", "code")[:SHOWN]:
        yield Violation(f"sku:{sku_id}", f"its barcode {code} is another SKU's code")


@invariant("stock.closed_reservations", _("Closed reservations say when and why, live ones say nothing"))
def closed_say_why() -> Iterator[Violation]:
    wrong = Reservation.objects.filter(
        (~Q(state__in=LIVE_RESERVATION) & (Q(closed_at=None) | Q(closed_reason="")))
        | (Q(state__in=LIVE_RESERVATION) & (Q(closed_at__isnull=False) | ~Q(closed_reason="")))
    )
    for pk, state in wrong.order_by("pk").values_list("pk", "state")[:SHOWN]:
        yield Violation(f"reservation:{pk}", f"{state} without its time or reason")


@invariant("stock.expired", _("No reservation lives on after its time"))
def nothing_outlives_its_time() -> Iterator[Violation]:
    """The sweep comes each minute and has another to finish."""
    overdue = overdue_reservations(clock.now() - 2 * SWEEP_EVERY)
    for pk, expired_at in overdue.values_list("pk", "expires_at")[:SHOWN]:
        yield Violation(f"reservation:{pk}", f"promised until {expired_at:%Y-%m-%d %H:%M} UTC")


@invariant(
    "stock.reservation_level", _("Open reservations hold a level of their own SKU; waiting ones hold none")
)
def reservations_fit_levels() -> Iterator[Violation]:
    wrong = Reservation.objects.filter(
        Q(state__in=[ReservationState.OPEN, ReservationState.CONSUMED], level=None)
        | Q(state=ReservationState.WAITING, level__isnull=False)
        | (Q(level__isnull=False) & ~Q(level__sku=F("sku")))
    )
    for pk, state in wrong.order_by("pk").values_list("pk", "state")[:SHOWN]:
        yield Violation(f"reservation:{pk}", f"{state}, and its level does not fit")
