"""Lines that a channel sent without a code: a person says which SKU of ours they mean, order by order."""

from collections.abc import Iterator, Sequence

from config.kernel.actors import Actor
from config.kernel.batches import verb
from config.kernel.errors import InvalidInput, NotFound
from config.kernel.results import Results
from inventory.models import Sku
from orders.models import LinePart, Order
from orders.parts import KnownSku
from orders.services.known_skus import find_skus
from orders.services.mapping import MAP_SKU, SHIPPABLE
from orders.services.reviving import known_by_code, revived, unknown_parts


@verb
def map_title(order_ids: Sequence[int], *, title: str, sku_id: int, actor: Actor) -> Results[int]:
    """Say which SKU of ours the lines of these orders mean that came without a code and under this title.

    At most 200 ids. As `revive_orders` does with a code, but for these orders only: a title names nothing for sure,
    so nothing is remembered for orders to come. Their lines whose code has become known come alive with them. An
    order without such a line is `unchanged`, as is a second call.

    Refuses: as `revive_orders`. Raises `NotAllowed`, `NotFound` for the SKU, `InvalidInput` for a kit without parts.
    """
    actor.require(MAP_SKU)
    code = Sku.objects.filter(pk=sku_id).values_list("code", flat=True).first()
    if code is None:
        raise NotFound()

    def known_by_title(orders: Sequence[Order]) -> Iterator[tuple[LinePart, KnownSku]]:
        sku = find_skus({code}, sales_channel_id=0)[code]
        if sku.shares == ():
            raise InvalidInput(field="sku", value=code, accepted=SHIPPABLE)
        for part in unknown_parts(orders).filter(line__sku_code="", line__title=title):
            yield part, sku
        yield from known_by_code(orders)

    return revived(order_ids, known_by_title, actor=actor, seen_by=actor)
