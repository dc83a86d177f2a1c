"""Invariants of the stock room's documents (`manage.py audit`): what they say is what the ledger did."""

from collections.abc import Iterator

from django.db.models import Exists, F, IntegerField, Model, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from config.kernel.audit import Violation, invariant
from config.kernel.models import Event
from inventory.enums import CountStatus, MovementKind, TransferStatus
from inventory.models import StockAdjustment, StockCountLine, StockMovement, StockReceipt, TransferLine

SHOWN = 50
M = MovementKind


def _moved(kind: MovementKind, place: str) -> Coalesce:
    """Units that the ledger moved for the outer transfer line, at the transfer's origin or destination."""
    rows = StockMovement.objects.filter(
        reference_kind="transfer",
        reference_id=OuterRef("transfer_id"),
        kind=kind,
        level__sku=OuterRef("sku_id"),
        level__location=OuterRef(f"transfer__{place}_id"),
    )
    return _sum(rows, "reference_id")


def _sum(rows: QuerySet[Model], by: str) -> Coalesce:
    sums = rows.order_by().values(by).annotate(total=Sum("delta")).values("total")
    return Coalesce(Subquery(sums, output_field=IntegerField()), 0)


@invariant("stock.transfers", _("Transfers took, brought and returned what their lines say"))
def transfers_are_ledger() -> Iterator[Violation]:
    lines = TransferLine.objects.annotate(
        left=_moved(MovementKind.TRANSFER_OUT, "origin"),
        came=_moved(MovementKind.TRANSFER_IN, "destination"),
        back=_moved(MovementKind.TRANSFER_IN, "origin"),
    )
    told = Q(sent=-F("left"), received=F("came"), returned=F("back"))
    for line in lines.exclude(told)[:SHOWN]:
        ledger = f"the ledger moved {line.left}, {line.came} and back {line.back}"
        yield Violation(
            f"transfer:{line.transfer_id}",
            f"SKU {line.sku_id}: {line.sent} sent, {line.received} received, {line.returned} returned; {ledger}",
        )


@invariant("stock.causes", _("Every movement of a document is one that this document can have made"))
def movements_have_documents() -> Iterator[Violation]:
    """Of its kind, at its place, of a SKU on its lines. Sums by line do not see what no line is about."""
    at, sku = OuterRef("level__location"), OuterRef("level__sku")
    document = OuterRef("reference_id")
    lines = TransferLine.objects.filter(transfer=document, sku=sku)
    at_origin = Exists(lines.filter(transfer__origin=at))
    at_an_end = at_origin | Exists(lines.filter(transfer__destination=at))
    counted = StockCountLine.objects.filter(count=document, sku=sku, count__location=at)
    sound = {
        "stock_receipt": Q(Exists(StockReceipt.objects.filter(pk=document, location=at)), kind=M.RECEIVE),
        "stock_adjustment": Exists(StockAdjustment.objects.filter(pk=document, kind=OuterRef("kind"))),
        "stock_count": Q(Exists(counted), kind=M.CORRECTION),
        "transfer": Q(at_origin, kind=M.TRANSFER_OUT) | Q(at_an_end, kind=M.TRANSFER_IN),
    }
    for kind, made in sound.items():
        strays = StockMovement.objects.filter(reference_kind=kind).exclude(made).order_by("pk")
        for row in strays[:SHOWN]:
            moved = f"{row.kind} {row.delta:+d} at level {row.level_id}"
            yield Violation(
                f"stock_movement:{row.pk}", f"{moved}, which {kind} {row.reference_id} cannot have made"
            )


@invariant("stock.in_transit", _("Only what was sent and has not ended is in transit"))
def transit_ends() -> Iterator[Violation]:
    all_there = Q(sent=F("received") + F("lost") + F("returned"))
    ended = Q(transfer__status__in=[TransferStatus.RECEIVED, TransferStatus.CANCELLED])
    wrong = (
        (ended & ~all_there)
        | Q(transfer__status=TransferStatus.DRAFT, sent__gt=0)
        | Q(transfer__status=TransferStatus.SENT) & ~Q(sent=F("quantity"), received=0, lost=0, returned=0)
        | Q(lost__gt=0, transfer__loss_reason="")
    )
    for line in TransferLine.objects.filter(wrong).select_related("transfer")[:SHOWN]:
        yield Violation(
            f"transfer:{line.transfer_id}",
            f"{line.transfer.status}: {line.in_transit} of {line.sent} sent units in transit, {line.lost} lost",
        )


@invariant("stock.adjustments", _("Every adjustment has movements, and a correction by hand has a reason"))
def adjustments_moved_something() -> Iterator[Violation]:
    moved = StockMovement.objects.filter(reference_kind="stock_adjustment", reference_id=OuterRef("pk"))
    for pk in StockAdjustment.objects.filter(~Exists(moved)).values_list("pk", flat=True)[:SHOWN]:
        yield Violation(f"stock_adjustment:{pk}", "moved nothing")
    unsaid = StockAdjustment.objects.filter(reason="").exclude(kind="move")
    for pk in unsaid.values_list("pk", flat=True)[:SHOWN]:
        yield Violation(f"stock_adjustment:{pk}", "has no reason")


@invariant(
    "stock.undone", _("What was undone has left nothing in the ledger, and nothing else was taken back")
)
def undone_is_gone() -> Iterator[Violation]:
    for kind, model in (("stock_receipt", StockReceipt), ("stock_adjustment", StockAdjustment)):
        undone = model._default_manager.exclude(undone_at=None).values_list("pk", flat=True)
        entries = StockMovement.objects.filter(reference_kind=kind).order_by()
        sums = entries.filter(reference_id__in=undone).values_list(
            "reference_id", "level_id", "bin_id", "unsellable_reason"
        )
        left = sums.annotate(units=Sum("delta"), aside=Sum("unsellable_delta")).exclude(units=0, aside=0)
        for pk, level_id, bin_id, _reason, units, aside in left[:SHOWN]:
            yield Violation(
                f"{kind}:{pk}", f"undone, left {units} ({aside} aside) at level {level_id}, bin {bin_id}"
            )
        taken_back = entries.filter(is_undo=True).exclude(reference_id__in=undone)
        for pk in taken_back.values_list("reference_id", flat=True).distinct()[:SHOWN]:
            yield Violation(f"{kind}:{pk}", "has entries that were taken back and is not undone")


@invariant("stock.counts", _("Approved counts corrected the ledger by what they differed, others by nothing"))
def counts_are_ledger() -> Iterator[Violation]:
    moved = StockMovement.objects.filter(
        reference_kind="stock_count",
        reference_id=OuterRef("count_id"),
        level__sku=OuterRef("sku_id"),
        level__location=OuterRef("count__location_id"),
    )
    lines = StockCountLine.objects.annotate(moved=_sum(moved, "reference_id"))
    approved = Q(count__status=CountStatus.APPROVED)
    wrong = (approved & ~Q(counted=F("expected") + F("moved") + F("by_hand"))) | (~approved & ~Q(moved=0))
    for line in lines.filter(wrong)[:SHOWN]:
        yield Violation(
            f"stock_count:{line.count_id}",
            f"SKU {line.sku_id}: {line.counted} counted, {line.expected} expected, the ledger moved {line.moved},"
            f" {line.by_hand} by hand",
        )


@invariant("stock.count_approver", _("A larger variance was approved by another person than counted"))
def large_variances_have_two_people() -> Iterator[Violation]:
    large = StockCountLine.objects.filter(
        Q(counted__gt=F("expected") + F("count__tolerance"))
        | Q(expected__gt=F("counted") + F("count__tolerance")),
        count__status=CountStatus.APPROVED,
    )
    same = Event.objects.filter(
        subject_type="stock_count",
        subject_id=OuterRef("count_id"),
        kind="approve",
        actor_kind=OuterRef("count__counter_kind"),
    )
    # A rule or a system job has no id: it is told by its name.
    nameless = Q(count__counter_id=None) & Exists(
        same.filter(actor_id=None, actor_label=OuterRef("count__counter_label"))
    )
    alone = Exists(same.filter(actor_id=OuterRef("count__counter_id"))) | nameless
    for pk in large.filter(alone).values_list("count_id", flat=True).distinct()[:SHOWN]:
        yield Violation(f"stock_count:{pk}", "was approved by whoever counted")
