"""What must hold of amounts. Sums are the database's, put back to 4 decimals by the one helper."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, F, Model, OuterRef, Q, Sum
from django.utils.translation import gettext_lazy as _

from config.kernel.audit import Violation, invariant
from config.kernel.money import ZERO, round_sum
from orders.enums import OrderStatus
from orders.invariants.goods import chunks
from orders.models import Charge, DiscountShare, LinePart, Order, OrderLine, Payment, TaxLine
from orders.selectors.cancelled import cancelled_values

SHOWN = 50
CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Total:
    """A sum, and how many of its amounts are unknown, which makes it unknown."""

    known: Decimal = ZERO
    unknown: int = 0

    @property
    def amount(self) -> Decimal | None:
        return None if self.unknown else self.known


NONE = Total()


def totals(model: type[Model], owner: str, column: str) -> Mapping[int, Total]:
    """Sums of a column by owner, in one statement."""
    rows = (
        model._default_manager.filter(**{f"{owner}__isnull": False})
        .order_by()
        .values_list(owner)
        .annotate(known=Sum(column), unknown=Count("pk", filter=Q(**{column: None})))
    )
    return {pk: Total(round_sum(known), unknown) for pk, known, unknown in rows.iterator(CHUNK)}


@invariant("orders.part_values", _("The values of a line's parts are the line's total"))
def parts_are_the_line() -> Iterator[Violation]:
    values = totals(LinePart, "line_id", "value_amount")
    shown = 0
    for pk, total in OrderLine.objects.order_by("pk").values_list("pk", "total_amount").iterator(CHUNK):
        found = values.get(pk)
        if (found is None or found.amount != total) and shown < SHOWN:
            shown += 1
            yield Violation(f"line:{pk}", f"total {total}, parts {found.amount if found else 'missing'}")


@invariant("orders.line_amounts", _("A line's and a charge's amounts are those of its discounts and taxes"))
def lines_add_up() -> Iterator[Violation]:
    for model, base, owner in ((OrderLine, "subtotal_amount", "line_id"), (Charge, "amount", "charge_id")):
        discounts, taxes = totals(DiscountShare, owner, "amount"), totals(TaxLine, owner, "amount")
        rows = model._default_manager.order_by("pk").values_list(
            "pk", base, "discount_amount", "total_amount", "tax_amount"
        )
        shown = 0
        for pk, amount, discount, total, tax in rows.iterator(CHUNK):
            given = discounts.get(pk, NONE).known
            expected = (given, None if amount is None else amount - given, taxes.get(pk, NONE).amount)
            if (discount, total, tax) != expected and shown < SHOWN:
                shown += 1
                yield Violation(
                    f"{model._meta.model_name}:{pk}", f"{discount}, {total}, {tax}: not {expected}"
                )


@invariant("orders.totals", _("An order's totals are its lines, charges, discounts and taxes"))
def orders_add_up() -> Iterator[Violation]:
    lines = totals(OrderLine, "order_id", "subtotal_amount")
    charges = totals(Charge, "order_id", "amount")
    discounts = totals(DiscountShare, "order_id", "amount")
    taxes = totals(TaxLine, "order_id", "amount")
    columns = (
        *(
            "pk",
            "prices_include_tax",
            "total_sent_amount",
            "changed_amount",
            "lines_amount",
            "charges_amount",
        ),
        *("discount_amount", "tax_amount", "total_computed_amount", "total_difference_amount"),
    )
    shown = 0
    for pk, is_gross, sent, changed, *stored in (
        Order.objects.order_by("pk").values_list(*columns).iterator(CHUNK)
    ):
        of_lines, of_charges = lines.get(pk, NONE).amount, charges.get(pk, NONE).amount
        given, tax = discounts.get(pk, NONE).known, taxes.get(pk, NONE).amount
        computed = plus(of_lines, of_charges, -given, ZERO if is_gross else tax)
        expected = [
            of_lines,
            of_charges,
            given,
            tax,
            computed,
            plus(sent, changed, None if computed is None else -computed),
        ]
        if stored != expected and shown < SHOWN:
            shown += 1
            yield Violation(f"order:{pk}", f"stored {stored}, adds up to {expected}")


@invariant("orders.cancelled_value", _("What is off for cancelled units is what they were worth"))
def cancelled_units_are_off() -> Iterator[Violation]:
    """Of orders that were not cancelled whole: those keep the figure they had."""
    cut = LinePart.objects.filter(line__order=OuterRef("pk"), cancelled__gt=0)
    going_on = Order.objects.exclude(status__in=(OrderStatus.CANCELLED, OrderStatus.VOID))
    rows = going_on.filter(~Q(cancelled_amount=0) | Exists(cut)).order_by("pk")
    shown = 0
    for orders in chunks(rows.iterator(CHUNK)):
        parts: dict[int, list[LinePart]] = defaultdict(list)
        for part in LinePart.objects.filter(line__order__in=orders).select_related("line").order_by("pk"):
            parts[part.line.order_id].append(part)
        values = cancelled_values({order: parts[order.pk] for order in orders})
        for order in orders:
            if order.cancelled_amount != values[order.pk] and shown < SHOWN:
                shown += 1
                yield Violation(
                    f"order:{order.pk}",
                    f"{order.cancelled_amount} off, its units were worth {values[order.pk]}",
                )


def plus(*amounts: Decimal | None) -> Decimal | None:
    """Their sum, unknown when one is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if len(known) == len(amounts) else None


@invariant(
    "orders.payments", _("No payment captured more than was authorised or refunded more than captured")
)
def payments_within_each_other() -> Iterator[Violation]:
    wrong = Payment.objects.filter(
        Q(refunded_amount__gt=F("captured_amount"))
        | Q(authorised_amount__gt=0, captured_amount__gt=F("authorised_amount"))
        | Q(refunded_amount__lt=0)
        | ~Q(currency=F("order__currency"))
    )
    for payment in wrong[:SHOWN]:
        amounts = f"{payment.authorised_amount}, {payment.captured_amount}, {payment.refunded_amount}"
        yield Violation(f"payment:{payment.pk}", f"authorised, captured, refunded: {amounts}")
