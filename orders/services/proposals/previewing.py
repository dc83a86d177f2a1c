"""What a change would do, before anybody does it: to lines, money, stock and the rooms above. Nothing is locked."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from config.kernel import clock
from config.kernel.money import ZERO
from inventory.enums import ReservationState
from inventory.models import Location, Sku, StockLevel
from inventory.services.reservations import Cut
from orders.change_money import cancelled_value, still_owed
from orders.change_planner import ChangePlan, plan_change
from orders.changes import Action
from orders.models import Order, Proposal
from orders.planner import Demand, Problem, Stand, Turn, Wish
from orders.planning import current_planner
from orders.previews import Effect
from orders.selectors import demand
from orders.selectors.proposals import actions_by_proposal, paid_amounts, read_shapes
from orders.services.claims import PartClaims
from orders.services.proposals.foreseeing import Planned, foresee
from orders.services.proposals.stock import claiming_order_ids


@dataclass(slots=True)
class StockChange:
    """Units of one SKU that a change gives back or asks for, as it looks now; places by name.

    `later` are units of an order that nobody has allocated yet. `ahead` units stand in line before those that wait.
    """

    sku: str
    released: list[tuple[str, int]] = field(default_factory=list)
    left_line: int = 0
    undecided: int = 0
    called_back: int = 0
    reserved: list[tuple[str, int]] = field(default_factory=list)
    waiting: int = 0
    ahead: int = 0
    later: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """A change and all that it would do. `paid` was captured and not refunded."""

    planned: Planned
    actions: Mapping[int, Action]
    paid: Decimal
    stock: Sequence[StockChange]

    @property
    def plan(self) -> ChangePlan:
        return self.planned.plan

    @property
    def effects(self) -> Sequence[Effect]:
        return self.planned.effects

    @property
    def owed_before(self) -> Decimal | None:
        owed: Decimal | None = self.planned.order.owed_amount
        return owed

    @property
    def owed_after(self) -> Decimal | None:
        """As the press leaves it: `Order.owed_amount` with what the change writes."""
        order, sent = self.planned.order, self.planned.order.total_sent_amount
        added = self.plan.added_amount or ZERO
        agreed = self.plan.after.sums().total if sent is None else sent + order.changed_amount + added
        return None if agreed is None else agreed - cancelled_value(self.plan.after)

    @property
    def open_amount(self) -> Decimal | None:
        """Still to be paid afterwards; negative where too much has been."""
        return still_owed(self.owed_after, self.paid)


def preview_proposal(proposal: Proposal, order: Order) -> Preview:
    """The preview of one change on its order as it is now; a fixed number of statements."""
    actions = actions_by_proposal([proposal.pk])[proposal.pk]
    plan = plan_change(read_shapes([order])[order.pk], actions)
    (planned,) = foresee([(proposal, order, plan)])
    stock = _stock(planned) if plan.lines else []
    return Preview(planned, actions, paid_amounts([order.pk])[order.pk], stock)


def _stock(planned: Planned) -> list[StockChange]:
    wishes = list(_wishes(planned))
    losing = {planned.claims[pk].part.sku_id for pk in planned.plan.less}
    ids = {wish.sku_id for wish in wishes} | {pk for pk in losing if pk is not None}
    if not ids:
        return []
    codes = dict(Sku.objects.filter(pk__in=ids).values_list("pk", "code"))
    places = dict(Location.objects.values_list("pk", "name"))
    found: dict[int, StockChange] = {pk: StockChange(codes[pk]) for pk in sorted(ids, key=codes.__getitem__)}
    cuts = _give_back(planned, found, places)
    if not wishes:
        return list(found.values())
    if not claiming_order_ids([planned.order]):
        for wish in wishes:
            found[wish.sku_id].later += wish.quantity
    else:
        _ask(planned, wishes, cuts, found, places)
    return list(found.values())


def _wishes(planned: Planned) -> Iterator[Wish]:
    """Further units of parts that are there, and all of new ones, in the sequence of the lines."""
    turn = Turn(planned.order.sales_channel.priority, clock.now())
    more = planned.plan.more
    key = 0
    for change in planned.plan.lines:
        line = change.after
        for part in line.parts if line is not None and line.is_shipped else ():
            units = part.ordered if part.pk is None else more.get(part.pk, 0)
            if units and part.sku_id is not None:
                key += 1
                yield Wish(key, part.sku_id, units, turn)


def _give_back(planned: Planned, found: Mapping[int, StockChange], places: Mapping[int, str]) -> list[Cut]:
    """What goes, part by part; units that the warehouse was asked for are called back first."""
    given: list[Cut] = []
    called_back = [asked for effect in planned.effects for asked in effect.called_back]
    for pk, units in planned.plan.less.items():
        claims = planned.claims[pk].without(called_back)
        if claims.part.sku_id is None:
            continue
        change = found[claims.part.sku_id]
        change.called_back += planned.change.taken.get(pk, 0)
        change.undecided += min(units, max(0, claims.undecided))
        cuts = claims.take(units)
        given += cuts
        change.left_line += sum(
            cut.quantity for cut in cuts if cut.reservation.state == ReservationState.WAITING
        )
        change.released += [(places[place], units) for place, units in _loose(planned, claims, cuts) if units]
    return given


def _loose(planned: Planned, claims: PartClaims, cuts: Iterable[Cut]) -> Iterator[tuple[int, int]]:
    """Open units that go, by location, but for those that are said to come back from the warehouse."""
    location_of = {row.pk: place for row, place in claims.held}
    before = dict(planned.claims[claims.part.pk].asked)
    said = planned.change.taken.get(claims.part.pk, 0)
    for cut in cuts:
        if (place := location_of.get(cut.reservation.pk)) is None:
            continue
        from_work = min(cut.quantity, said, before.get(place, 0) - claims.asked[place])
        before[place] = before.get(place, 0) - from_work
        said -= from_work
        yield place, cut.quantity - from_work


def _ask(
    planned: Planned,
    wishes: Sequence[Wish],
    cuts: Iterable[Cut],
    found: Mapping[int, StockChange],
    places: Mapping[int, str],
) -> None:
    """What the planner would give now."""
    skus = {wish.sku_id for wish in wishes}
    back: dict[int, int] = defaultdict(int)
    for cut in cuts:
        back[cut.reservation.level_id or 0] += cut.quantity
    levels = StockLevel.objects.filter(sku__in=skus)
    lines = demand.lines_of(skus)
    turns = {
        sku_id: replace(wishes[0].turn, queued_at=line.joined(clock.now())) for sku_id, line in lines.items()
    }
    wanted = tuple(wish._replace(turn=turns[wish.sku_id]) for wish in wishes)
    problem = Problem(
        demands=(Demand(planned.order.pk, wanted, _favoured(planned, cuts)),),
        stands=tuple(Stand(level.sku_id, level.location_id, level.free + back[level.pk]) for level in levels),
        places=demand.all_places(),
        waiting=tuple(waiting for line in lines.values() for waiting in line.waiting),
    )
    (decision,) = current_planner().plan(problem).decisions
    for share in decision.shares:
        found[share.sku_id].reserved.append((places[share.location_id], share.quantity))
    for missing in decision.missing:
        found[missing.sku_id].waiting += missing.quantity
        found[missing.sku_id].ahead = max(found[missing.sku_id].ahead, missing.ahead)


def _favoured(planned: Planned, cuts: Iterable[Cut]) -> tuple[int, ...]:
    """Where the order will have units still when the change asks for its own, and where it is to ship from."""
    lines = (line for line in planned.plan.before.lines if line.is_shipped)
    claimed = demand.claimed_units(part.pk for line in lines for part in line.parts if part.pk is not None)
    location_of = {row.pk: place for one in planned.claims.values() for row, place in one.held}
    for cut in cuts:
        if cut.reservation.pk in location_of:
            held = claimed[cut.reservation.reference_id].by_location
            held[location_of[cut.reservation.pk]] -= cut.quantity
    used = {place for one in claimed.values() for place, units in one.by_location.items() if units}
    preferred = planned.order.preferred_location_id
    return (*sorted(used), *([preferred] if preferred else []))
