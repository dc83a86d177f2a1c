"""What planned changes would do to stock and to other rooms, read under the orders' locks or without any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from config.kernel.errors import BancaleError
from inventory.errors import KitHoldsNoStock
from inventory.models import StockLevel
from inventory.services.levels import kits_among
from orders.change_planner import ChangePlan
from orders.enums import GOODS_GONE
from orders.models import LinePart, Order, Proposal
from orders.previews import Effect, ForeseenChange, foresee_changes
from orders.services.claims import PartClaims, read_claims


@dataclass(slots=True)
class Planned:
    """A proposal on its order, planned. `had_left`: nothing of the order had still to leave before the change."""

    proposal: Proposal
    order: Order
    plan: ChangePlan
    claims: Mapping[int, PartClaims]
    change: ForeseenChange
    had_left: bool
    kits: Mapping[int, str] = field(default_factory=dict)
    effects: Sequence[Effect] = ()

    @property
    def refusal(self) -> BancaleError | None:
        """The first thing that stands in the way."""
        for problem in self.plan.refusals.values():
            return problem
        for sku_id in sorted(self.plan.growing & self.kits.keys()):
            return KitHoldsNoStock(sku=self.kits[sku_id])
        return next((effect.refusal for effect in self.effects if effect.refusal is not None), None)


def foresee(some: Sequence[tuple[Proposal, Order, ChangePlan]]) -> list[Planned]:
    """Plans with the claims of the parts that lose units, SKUs that have become kits among those that gain, and what
    the other rooms say: at most five statements of ours, whatever their number."""
    losing = {pk for _proposal, _order, plan in some for pk in plan.less}
    rows = LinePart.objects.filter(pk__in=losing).select_related("line").order_by("pk") if losing else ()
    parts = {part.pk: part for part in rows}
    levels = (
        list(StockLevel.objects.filter(sku__in={part.sku_id for part in parts.values()})) if parts else []
    )
    claims = read_claims(list(parts.values()), levels) if parts else {}
    kits = kits_among({sku_id for _proposal, _order, plan in some for sku_id in plan.growing})
    planned = [
        Planned(
            proposal,
            order,
            plan,
            claims,
            _change(order, plan, claims),
            had_left=order.fulfillment_status in GOODS_GONE,
            kits=kits,
        )
        for proposal, order, plan in some
    ]
    effects = foresee_changes([one.change for one in planned])
    for one in planned:
        one.effects = effects[one.order.pk]
    return planned


def _change(order: Order, plan: ChangePlan, claims: Mapping[int, PartClaims]) -> ForeseenChange:
    short = {pk: units - claims[pk].loose for pk, units in plan.less.items() if units > claims[pk].loose}
    return ForeseenChange(
        order_id=order.pk,
        number=order.number,
        taken=short,
        names={pk: claims[pk].part.line.sku_code or claims[pk].part.line.title for pk in short},
        new_address=plan.new_address,
    )
