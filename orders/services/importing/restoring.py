"""Lines, amounts and stock of orders as they were before a file changed them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model

from config.kernel.actors import Actor
from inventory.enums import ReservationState
from inventory.errors import KitHoldsNoStock, NotEnoughStock, QueueJumped
from inventory.services.levels import Stock, lock_stock
from inventory.services.reservations import Claim, Cut, cut_reservations, place_reservations, placeable
from orders.enums import HoldKind
from orders.intake_rules import stands
from orders.models import Charge, DiscountShare, Hold, LinePart, Order, OrderLine, Payment, TaxLine
from orders.selectors.demand import ORDER_LINE_PART
from orders.selectors.holds import open_holds
from orders.services.axes import refresh_axes
from orders.services.cancelled_value import settle_cancelled
from orders.services.cancelling import parts_by_order
from orders.services.claims import PartClaims, read_claims
from orders.services.counters import write_counters
from orders.services.holds import lift, place_hold
from orders.services.importing.changing import COLUMNS, PRICES, Image, digest, read_goods
from orders.services.locking import lock_orders
from orders.services.promises import promised_at
from orders.services.proposals.stock import claim_units
from orders.services.proposals.telling import text
from orders.services.unknown_skus import follow_unknown_skus

GIVEN_BACK = "import_rolled_back"
S = TypeVar("S", bound=Model)
Rows = Mapping[str, Mapping[str, list[Any]]]


@dataclass(slots=True)
class Restored:
    """`sums` are the order totals before and after, as text; `kept` those whose goods somebody changed since."""

    sums: dict[int, dict[str, str | None]] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)


def restore_goods(images: Mapping[int, Image], *, actor: Actor) -> Restored:
    """Give orders back what `change_goods` took away, in the caller's transaction; those that somebody changed
    since keep their goods.

    Locks the orders by ascending pk, then the stock of their SKUs. Reservations come back at the same level and
    in the same place of the line; units that somebody else has taken meanwhile are decided anew, those alone.
    """
    orders = lock_orders(images)
    now = read_goods(images)
    kept = {pk for pk, image in images.items() if digest(now[pk]) != image["after"]}
    chosen = [order for order in orders if order.pk not in kept]
    restored = Restored(kept=kept)
    if not chosen:
        return restored
    totals = {order.pk: order.total_computed_amount for order in chosen}
    before = {order.pk: images[order.pk]["goods"] for order in chosen}
    rows: dict[str, dict[str, list[Any]]] = defaultdict(dict)
    for image in before.values():
        for name, some in image["rows"].items():
            rows[name] |= some
    money = _Money.read({pk: image["unpaid"] for pk, image in before.items()})
    money.hold_again(actor)
    stock = _give_back(chosen, before, rows, money.unpaid, actor)
    _write_rows(chosen, rows)
    claim_units(chosen, stock, actor=actor)
    follow_unknown_skus(chosen, actor=actor)
    settle_cancelled(chosen, parts_by_order([order.pk for order in chosen]))
    refresh_axes(chosen)
    money.lift_again(chosen, actor)
    for order in chosen:
        sums = {"before": text(totals[order.pk]), "after": text(order.total_computed_amount)}
        restored.sums[order.pk] = sums | {"currency": order.currency}
    return restored


def _give_back(
    orders: Sequence[Order],
    before: Mapping[int, Image],
    rows: Rows,
    unpaid: Collection[int],
    actor: Actor,
) -> Stock:
    """Units of parts and the reservations behind them, with their end only where the order is unpaid still."""
    parts = list(LinePart.objects.filter(line__order__in=orders).select_related("line").order_by("pk"))
    stock = lock_stock({part.sku_id for part in parts if part.sku_id is not None})
    claims = read_claims(parts, stock.levels)
    wanted: dict[int, list[list[Any]]] = defaultdict(list)
    for image in before.values():
        for claim in image["claims"]:
            wanted[claim[0]].append(claim)
    for part in parts:
        known = rows[LinePart.__name__].get(str(part.pk))
        part.ordered = known[COLUMNS[LinePart].index("ordered")] if known else 0
    cuts = [cut for part in parts for cut in _surplus(claims[part.pk])]
    # Claims of a confirmed order that were read before promises followed it have none.
    promised = {order.pk: promised_at(order) for order in orders}
    missing = [
        claim._replace(
            promised_at=promised[part.line.order_id],
            expires_at=claim.expires_at if part.line.order_id in unpaid else None,
        )
        for part in parts
        for claim in _missing(claims[part.pk], wanted[part.pk])
    ]
    by_pk = {part.pk: part for part in parts}
    for cut in cuts:
        if cut.reservation.state == ReservationState.OPEN:
            by_pk[cut.reservation.reference_id].allocated -= cut.quantity
    cut_reservations(cuts, reason=GIVEN_BACK, levels=stock.levels, actor=actor)
    try:
        place_reservations(ORDER_LINE_PART, missing, levels=stock.levels, kits=stock.kits)
    except (NotEnoughStock, QueueJumped, KitHoldsNoStock):
        missing = placeable(ORDER_LINE_PART, missing, levels=stock.levels, kits=stock.kits)
        place_reservations(ORDER_LINE_PART, missing, levels=stock.levels, kits=stock.kits)
    for claim in missing:
        if claim.level_id is not None:
            by_pk[claim.reference_id].allocated += claim.quantity
    write_counters(parts, ["ordered", "allocated"])
    return stock


def _units(claims: PartClaims) -> int:
    return sum(row.quantity for row in claims.waiting) + sum(row.quantity for row, _place in claims.held)


def _surplus(claims: PartClaims) -> Iterator[Cut]:
    """Units beyond those that the part is of again: waiting ones first, then the youngest. What it owed before and
    got only since stays its own."""
    rest = _units(claims) - claims.part.remaining
    for cut in (*(Cut(row, row.quantity) for row in reversed(claims.waiting)), *claims.unasked()):
        if rest > 0:
            yield Cut(cut.reservation, min(rest, cut.quantity))
            rest -= min(rest, cut.quantity)


def _missing(claims: PartClaims, wanted: Sequence[Sequence[Any]]) -> Iterator[Claim]:
    """Claims of before that are not there any more, for as many units as are fewer now."""
    rest = sum(claim[3] for claim in wanted) - _units(claims)
    there = Counter[tuple[Any, ...]]()
    for row in (*claims.waiting, *(row for row, _place in claims.held)):
        there[row.level_id, row.queued_at] += row.quantity
    for part, sku, level, quantity, _state, priority, queued, _promised, expires in wanted:
        queued_at = datetime.fromisoformat(queued)
        kept = min(quantity, there[level, queued_at])
        there[level, queued_at] -= kept
        units = min(rest, quantity - kept)
        if units > 0:
            rest -= units
            yield Claim(sku, level, units, part, priority, queued_at, expires_at=_time(expires))


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _write_rows(orders: Sequence[Order], rows: Rows) -> None:
    """Lines, charges, discounts, taxes and sums; what the change added is worth nothing, or gone."""
    ids = [order.pk for order in orders]
    lines = list(OrderLine.objects.filter(order__in=ids))
    for line in lines:
        if not _set(line, rows):
            _empty(line)
    OrderLine.objects.bulk_update(lines, COLUMNS[OrderLine])
    parts = list(LinePart.objects.filter(line__order__in=ids))
    for part in parts:
        if not _set(part, rows):
            part.value_amount = 0
    LinePart.objects.bulk_update(parts, ["value_amount"])
    for shares in (DiscountShare, TaxLine):
        shares._default_manager.filter(order__in=ids).delete()
    Charge.objects.filter(order__in=ids).exclude(pk__in=[int(pk) for pk in rows[Charge.__name__]]).delete()
    charges = list(Charge.objects.filter(order__in=ids))
    for charge in charges:
        _set(charge, rows)
    Charge.objects.bulk_update(charges, COLUMNS[Charge])
    order_of = {line.pk: line.order_id for line in lines}
    charge_of = {charge.pk: charge.order_id for charge in charges}
    DiscountShare.objects.bulk_create(_shares(DiscountShare, rows, order_of, charge_of))
    TaxLine.objects.bulk_create(_shares(TaxLine, rows, order_of, charge_of))
    for order in orders:
        _set(order, rows)
    Order.objects.bulk_update(orders, COLUMNS[Order])


def _shares(
    model: type[S], rows: Rows, order_of: Mapping[int, int], charge_of: Mapping[int, int]
) -> Iterable[S]:
    for values in rows[model.__name__].values():
        columns = dict(zip(COLUMNS[model], values, strict=True))
        line, charge = columns["line_id"], columns["charge_id"]
        yield model(order_id=order_of[line] if line is not None else charge_of[charge], **columns)


def _set(row: Model, rows: Rows) -> bool:
    """The columns of before; False for a row that was not there."""
    values = rows[type(row).__name__].get(str(row.pk))
    if values is None:
        return False
    for name, value in zip(COLUMNS[type(row)], values, strict=True):
        column: Any = row._meta.get_field(name)
        setattr(row, name, column.to_python(value))
    return True


def _empty(line: OrderLine) -> None:
    line.quantity = 0
    for name in ("subtotal_amount", *PRICES):
        setattr(line, name, 0)


@dataclass(slots=True)
class _Money:
    """The unpaid holds of orders: who `was` held before the change, the open ones now, and whose money stands now,
    whatever was paid or sent back meanwhile."""

    was: Mapping[int, bool]
    now: dict[int, list[Hold]]
    paid: set[int]

    @classmethod
    def read(cls, was: Mapping[int, bool]) -> "_Money":
        """Two statements."""
        held = open_holds(list(was))
        now = {pk: [one for one in held.get(pk, ()) if one.kind == HoldKind.UNPAID] for pk in was}
        paid = {row.order_id for row in Payment.objects.filter(order__in=list(was)) if stands(row)}
        return cls(was, now, paid)

    @property
    def unpaid(self) -> set[int]:
        return {pk for pk, was in self.was.items() if was and pk not in self.paid}

    def hold_again(self, actor: Actor) -> None:
        """The hold that the change lifted, unless money came."""
        missing = [pk for pk in self.unpaid if not self.now[pk]]
        place_hold(missing, kind=HoldKind.UNPAID, actor=actor)

    def lift_again(self, orders: Iterable[Order], actor: Actor) -> None:
        """The hold that the change raised, unless money went: of an order that costs nothing again."""
        free = [order.pk for order in orders if not self.was[order.pk] and order.is_free]
        lift([hold for pk in free for hold in self.now[pk]], actor=actor)
