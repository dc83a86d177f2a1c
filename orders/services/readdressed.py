"""A channel that states another address of an order than it did: the order waits until a person has looked."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from config.kernel.actors import ActorKind
from config.kernel.models import Event
from orders.enums import ADDRESS_CHANGED, GOODS_GONE, ActionKind, HoldKind
from orders.models import Address, Hold, Order
from orders.neutral import NeutralAddress, NeutralOrder
from orders.services.customers import ADDRESS_FIELDS
from orders.services.filling_holds import HoldChanges
from orders.services.texts import fit

# Where a parcel goes by; a channel leaves some of it out by one of its ways and states it by another.
PLACE = ("name", "company", "line1", "line2", "city", "postal_code", "country_code")
CHANGED_HERE = f"changed_{ActionKind.ADDRESS.value}"
REVISED, RESTORED = "revised", "restored"


def is_readdressed(hold: Hold) -> bool:
    return bool(hold.facts.get("cause") == ADDRESS_CHANGED)


def follow_address(changes: HoldChanges, told: Mapping[int, tuple[Order, NeutralOrder]]) -> None:
    """Hold orders with goods still here whose channel states another address by now, and let them go where it states
    the one that they have again. The hold's facts name the row that keeps what was stated.

    An order of which somebody has let go is not held for that address again. Whose address somebody has changed here
    is left alone: what the channel says of it is no news. One statement, five more where an address differs.
    """
    waiting = {pk: _open(changes, pk) for pk in told}
    named = {hold.facts["address"] for holds in waiting.values() for hold in holds}
    rows = Address.objects.in_bulk(
        named | {order.ship_to_id for order, _s in told.values() if order.ship_to_id}
    )
    differing: dict[int, NeutralAddress] = {}
    for pk, (order, stated) in told.items():
        row = rows.get(order.ship_to_id or 0)
        if row is None or stated.ship_to is None or order.fulfillment_status in GOODS_GONE:
            continue
        if _differs(stated.ship_to, row):
            differing[pk] = stated.ship_to
        else:
            changes.lifted += [
                hold
                for hold in waiting[pk]
                if _means(stated.ship_to, row, other=rows.get(hold.facts["address"]))
            ]
    if not differing:
        return
    former, left_alone = _stated_before(differing), _changed_here(differing)
    new = {
        pk: _row(stated, told[pk][0])
        for pk, stated in differing.items()
        if pk not in left_alone and all(_differs(stated, row) for row in former[pk])
    }
    Address.objects.bulk_create(new.values())
    for pk, row in new.items():
        changes.lifted += waiting[pk]
        changes.raised.append(
            Hold(
                order=told[pk][0],
                kind=HoldKind.MANUAL,
                reason="address changed",
                facts={"cause": ADDRESS_CHANGED, "address": row.pk},
                opened_at=changes.at,
                opened_by=changes.actor.kind,
            )
        )


def _open(changes: HoldChanges, order_id: int) -> list[Hold]:
    return [hold for hold in changes.held.get(order_id, ()) if is_readdressed(hold)]


def _differs(stated: NeutralAddress, row: Address) -> bool:
    """Whether something is stated that the row says otherwise, beside capitals and blanks."""
    return any(text and text != kept for text, kept in _pairs(stated, row))


def _means(stated: NeutralAddress, row: Address, *, other: Address | None) -> bool:
    """Whether the row is stated, and not the other: what says less than both speaks for neither."""
    if other is None or _differs(stated, other):
        return True
    return all(text == kept for text, kept in _pairs(stated, row))


def _pairs(stated: NeutralAddress, row: Address) -> Iterator[tuple[str, str]]:
    for name in PLACE:
        yield _plain(fit(Address, name, getattr(stated, name))), _plain(getattr(row, name))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _row(stated: NeutralAddress, order: Order) -> Address:
    texts = {name: fit(Address, name, getattr(stated, name)) for name in ADDRESS_FIELDS}
    return Address(customer_id=order.customer_id, **texts)


def _stated_before(order_ids: Iterable[int]) -> Mapping[int, list[Address]]:
    """The addresses for which orders are held, or somebody has let them go; not those that a channel took back."""
    holds = Hold.objects.filter(order__in=list(order_ids), kind=HoldKind.MANUAL, facts__cause=ADDRESS_CHANGED)
    holds = holds.exclude(lifted_by=ActorKind.CHANNEL)
    named = [(hold.order_id, hold.facts["address"]) for hold in holds]
    rows = Address.objects.in_bulk({pk for _order, pk in named}) if named else {}
    found: dict[int, list[Address]] = defaultdict(list)
    for order_id, pk in named:
        found[order_id] += [rows[pk]] if pk in rows else []
    return found


def _changed_here(order_ids: Iterable[int]) -> set[int]:
    """Orders whose address somebody has changed here, by hand or by a file that was not rolled back."""
    events = Event.objects.filter(
        thread_type="order", thread_id__in=list(order_ids), kind__in=(CHANGED_HERE, REVISED, RESTORED)
    )
    by_hand, by_file = set(), set()
    for order_id, kind, facts in events.order_by("pk").values_list("thread_id", "kind", "facts"):
        if kind == CHANGED_HERE:
            by_hand.add(order_id)
        elif kind == RESTORED:
            by_file.discard(order_id)
        elif any(name.startswith("ship_to.") for name in facts.get("what", ())):
            by_file.add(order_id)
    return by_hand | by_file
