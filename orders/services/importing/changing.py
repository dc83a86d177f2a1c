"""Lines and amounts of known orders changed by a file: each by one confirmed change, with what was there before."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from config.kernel.actors import Actor
from config.kernel.fastpath import Among
from inventory.enums import LIVE_RESERVATION
from inventory.models import Reservation
from orders.enums import HoldKind
from orders.models import Charge, DiscountShare, Hold, LinePart, Order, OrderLine, TaxLine
from orders.selectors.demand import ORDER_LINE_PART
from orders.services.proposals.adding import NewActions, add_actions
from orders.services.proposals.confirming import confirm_proposals
from orders.services.proposals.opening import open_proposals
from orders.services.proposals.wishes import Wish

PRICES = ("discount_amount", "total_amount", "tax_amount")
COLUMNS: Mapping[type[Model], tuple[str, ...]] = {
    Order: (
        "lines_amount", "discount_amount", "charges_amount", "tax_amount", "total_computed_amount",
        "total_difference_amount", "changed_amount",
    ),
    OrderLine: ("quantity", "unit_amount", "subtotal_amount", *PRICES),
    LinePart: ("ordered", "value_amount", "cancelled", "picked", "packed", "shipped"),
    Charge: ("amount", *PRICES),
    DiscountShare: ("line_id", "charge_id", "code", "title", "amount"),
    TaxLine: ("line_id", "charge_id", "title", "rate", "amount", "owner"),
}  # fmt: skip
_ORDER_OF: Mapping[type[Model], str] = {Order: "pk", LinePart: "line__order_id"}
CLAIM = (
    "reference_id", "sku_id", "level_id", "quantity", "state", "priority", "queued_at", "promised_at", "expires_at",
)  # fmt: skip
Image = dict[str, Any]


def change_goods(wishes: Mapping[int, Sequence[Wish]], *, run_id: int, actor: Actor) -> dict[int, Image]:
    """Confirm one change an order, in the caller's transaction, the orders locked and compared. Returns by order
    what `restore_goods` needs to take it back.

    Raises what refuses one of them, which a comparison under the same locks has ruled out.
    """
    if not wishes:
        return {}
    before = read_goods(wishes)
    reason = _("Import %(run)s") % {"run": run_id}
    opened = open_proposals(list(wishes), reason=reason, actor=actor)
    opened.raise_refusals()
    asked = [NewActions(opened.values[pk], tuple(some)) for pk, some in wishes.items()]
    add_actions(asked, actor=actor).raise_refusals()
    # The channel tells its buyer of what it changed.
    confirm_proposals([one.proposal_id for one in asked], is_told=False, actor=actor).raise_refusals()
    after = read_goods(wishes)
    return {pk: {"goods": before[pk], "after": digest(after[pk])} for pk in wishes}


def read_goods(order_ids: Iterable[int]) -> dict[int, Image]:
    """What a change of goods writes, by order, as JSON: eight statements."""
    ids = list(order_ids)
    found: dict[int, Image] = {pk: {"rows": {}, "claims": [], "unpaid": False} for pk in ids}
    for model, columns in COLUMNS.items():
        owner = _ORDER_OF.get(model, "order_id")
        for image in found.values():
            image["rows"][model.__name__] = {}
        rows = model._default_manager.filter(Among(owner, ids)).order_by("pk")
        for order_id, pk, *values in rows.values_list(owner, "pk", *columns):
            found[order_id]["rows"][model.__name__][str(pk)] = [_plain(value) for value in values]
    _read_claims(found)
    for pk in Hold.objects.filter(Among("order_id", ids), kind=HoldKind.UNPAID, lifted_at=None).values_list(
        "order_id", flat=True
    ):
        found[pk]["unpaid"] = True
    return found


def _read_claims(found: Mapping[int, Image]) -> None:
    order_of = {int(part): pk for pk, image in found.items() for part in image["rows"][LinePart.__name__]}
    rows = Reservation.objects.filter(
        Among("reference_id", order_of), reference_kind=ORDER_LINE_PART, state__in=LIVE_RESERVATION
    )
    for row in rows.order_by("pk").values_list(*CLAIM):
        found[order_of[row[0]]]["claims"].append([_plain(value) for value in row])


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, int | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def digest(image: Image) -> str:
    """Tells whether somebody changed an order's lines and amounts since; its reservations may move."""
    text = json.dumps(image["rows"], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
