"""Money as a channel or gateway reports it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, Conflict, IllegalTransition, InvalidInput
from config.kernel.events import Entry, Thread, record_events
from config.kernel.locks import lock_rows
from config.kernel.results import Results
from config.kernel.states import Edge, apply_transition
from orders.enums import GOODS_GONE, SENT_BACK, HoldKind, PaymentStatus
from orders.intake_rules import ONCE, payment_faults, shown, stands, why_unpaid
from orders.models import Hold, Order, Payment
from orders.neutral import NeutralPayment
from orders.selectors.holds import open_holds
from orders.services.axes import refresh_axes
from orders.services.holds import lift, raise_holds
from orders.services.locking import lock_orders, refuse_unknown
from orders.states import EXPIRE_PAYMENT, FAIL_PAYMENT, PAY, PAYMENT, VOID_PAYMENT

AMOUNTS = ("authorised_amount", "captured_amount", "refunded_amount")
UNDOING = frozenset({VOID_PAYMENT, FAIL_PAYMENT, EXPIRE_PAYMENT})
Known = Mapping[tuple[int, str, str], Payment]


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """What a channel says of all payments of one order that it knows."""

    order_id: int
    payments: tuple[NeutralPayment, ...]

    @property
    def key(self) -> int:
        return self.order_id


@dataclass(slots=True)
class Change:
    """What the reports of one order come to: payments to create, edges to take, amounts that grew."""

    order: Order
    created: list[Payment] = field(default_factory=list)
    moved: list[tuple[Edge, Payment]] = field(default_factory=list)
    grown: list[tuple[Payment, NeutralPayment]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.created or self.moved or self.grown)


@verb
def report_payments(reports: Sequence[PaymentReport], *, actor: Actor) -> Results[int]:
    """Bring the payments of orders up to what their channel reports now.

    At most 200 orders. Locks the orders, then their payments, by ascending pk. Amounts only grow and statuses
    only move along their edges; older news than what is known changes nothing, and so does a second call. Of a
    payment that is void, failed or expired now, the sum that was once authorised stays, whatever is said of it.
    An order with nothing new is `unchanged`. The payment axis follows, and the unpaid hold: lifted once money
    is authorised or captured, raised again on an open order when none is any more, or all was sent back while some
    of it has still to leave. With it go and come the
    end of the order's reservations; units that went back before are allocated anew (fact `order.stock_due`).

    Refuses an order's whole report: `InvalidInput` (a payment twice, more refunded than captured, more captured
    than authorised), `IllegalTransition` (captured after it was voided), `Conflict` (one amount grew, another fell),
    `NotFound`. Raises `NotAllowed`.
    """
    actor.require(PAY)
    results: Results[int] = Results(report.key for report in reports)
    with batch_transaction():
        orders = {order.pk: order for order in lock_orders(results.keys, actor=actor)}
        rows = lock_rows("payment", Payment.objects.filter(order__in=orders))
        known = {(row.order_id, row.provider, row.external_id): row for row in rows}
        held = open_holds(results.keys)
        refuse_unknown(results, list(orders.values()))
        changes = []
        for report in reports:
            if report.key not in orders:
                continue
            change = Change(orders[report.key])
            problem = _decide(change, report.payments, known)
            if problem is not None:
                results.refuse(report.key, problem)
            elif change:
                results.done(report.key)
                changes.append(change)
            else:
                results.unchanged(report.key)
        if changes:
            _write(changes, actor)
            _follow_unpaid(changes, rows, held, actor)
            refresh_axes([change.order for change in changes])
    return results


def _decide(change: Change, reported: Sequence[NeutralPayment], known: Known) -> BancaleError | None:
    names = Counter(f"{one.provider} {one.external_id}" for one in reported)
    for name, times in names.items():
        if times > 1:
            return InvalidInput(field="payments", value=name[:80], accepted=ONCE)
    for one in reported:
        for name, value, accepted in payment_faults(one, f"{one.provider} {one.external_id}"):
            return InvalidInput(field=name, value=shown(value), accepted=accepted)
        row = known.get((change.order.pk, one.provider, one.external_id))
        if row is None:
            change.created.append(_new(change.order, one))
            continue
        problem = _compare(change, row, one)
        if problem is not None:
            return problem
    return None


def _compare(change: Change, row: Payment, one: NeutralPayment) -> BancaleError | None:
    edge = next((edge for edge in PAYMENT.edges_from(row.status) if edge.target == one.status), None)
    if edge is None and one.status != row.status:
        if _is_behind(one.status, row.status):
            return None
        return IllegalTransition(edge=PaymentStatus(one.status).label, status=PaymentStatus(row.status).label)
    steps = {name: getattr(one, name) - getattr(row, name) for name in AMOUNTS}
    grew, fell = any(step > 0 for step in steps.values()), any(step < 0 for step in steps.values())
    if fell and (grew or not _ends_only(edge, steps)):
        detail = f"{one.provider} {one.external_id}: " + ", ".join(
            str(getattr(one, name)) for name in AMOUNTS
        )
        return Conflict(detail=detail)
    if edge is not None:
        change.moved.append((edge, row))
    if grew:
        change.grown.append((row, one))
    return None


def _ends_only(edge: Edge | None, steps: Mapping[str, Decimal]) -> bool:
    """Whether what fell is no news beside the status: none is told, or only that nothing is authorised any more."""
    return edge is None or (edge in UNDOING and not any(steps[name] < 0 for name in AMOUNTS[1:]))


def _is_behind(status: str, current: str) -> bool:
    """Whether `current` can come after `status`: then a report of `status` is old news."""
    return any(
        edge.target == current or _is_behind(edge.target, current) for edge in PAYMENT.edges_from(status)
    )


def _new(order: Order, one: NeutralPayment) -> Payment:
    return Payment(
        order=order,
        provider=one.provider,
        external_id=one.external_id,
        status=one.status,
        owner=one.owner,
        currency=order.currency,
        authorised_amount=one.authorised_amount,
        captured_amount=one.captured_amount,
        refunded_amount=one.refunded_amount,
        reported_at=clock.now(),
    )


def _write(changes: Sequence[Change], actor: Actor) -> None:
    """A statement or two for each edge that is taken, whatever the number of payments."""
    at = clock.now()
    created = Payment.objects.bulk_create([row for change in changes for row in change.created])
    record_events([PAYMENT.created_entry(row, amount_facts(row)) for row in created], actor=actor)
    by_edge: dict[str, list[Payment]] = defaultdict(list)
    for change in changes:
        for edge, row in change.moved:
            by_edge[edge.name].append(row)
    for name, rows in sorted(by_edge.items()):
        apply_transition(PAYMENT, PAYMENT.by_name[name], rows, actor=actor, also={"reported_at": at})
    grown = [row for change in changes for row in _grow(change)]
    Payment.objects.bulk_update(grown, [*AMOUNTS, "reported_at", "version"])
    record_events([_grown_entry(row) for row in grown], actor=actor)


def _grow(change: Change) -> Iterator[Payment]:
    for row, one in change.grown:
        for name in AMOUNTS:
            setattr(row, name, getattr(one, name))
        row.reported_at = clock.now()
        row.version += 1
        yield row


def amount_facts(row: Payment) -> dict[str, str]:
    """What an event says of a payment's amounts as they are now."""
    return {name.removesuffix("_amount"): str(getattr(row, name)) for name in AMOUNTS} | {
        "currency": row.currency
    }


def _grown_entry(row: Payment) -> Entry:
    facts = amount_facts(row)
    return Entry(("payment", row.pk), Thread("order", row.order_id), "amounts_reported", facts=facts)


def _follow_unpaid(
    changes: Sequence[Change], rows: Sequence[Payment], held: Mapping[int, Sequence[Hold]], actor: Actor
) -> None:
    """Lift or raise the unpaid hold, as the payments now stand."""
    payments: dict[int, list[Payment]] = defaultdict(list)
    for row in (*rows, *(row for change in changes for row in change.created)):
        payments[row.order_id].append(row)
    lifted: list[Hold] = []
    raised: dict[str, list[Order]] = {"": [], SENT_BACK: []}
    for change in changes:
        order = change.order
        holds = [hold for hold in held.get(order.pk, ()) if hold.kind == HoldKind.UNPAID]
        why = why_unpaid(payments[order.pk], has_goods=order.fulfillment_status not in GOODS_GONE)
        if any(map(stands, payments[order.pk])):
            lifted += holds
        elif why is not None and not holds and not order.is_closed and not order.is_free:
            raised[why.get("cause", "")].append(order)
    lift(lifted, actor=actor)
    for cause, orders in raised.items():
        facts = {"cause": cause} if cause else {}
        raise_holds(orders, kind=HoldKind.UNPAID, facts=facts, actor=actor)
