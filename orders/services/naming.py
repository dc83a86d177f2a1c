"""What customers are called now, put among what their orders are found by."""

from collections.abc import Collection

from config.kernel.batches import MAX_BATCH, batch_transaction
from config.kernel.fastpath import Among, set_in_rows
from config.kernel.locks import lock_rows
from config.kernel.outbox import NewFact, record_facts
from orders.models import Order
from orders.search_texts import with_customer

RENAMED, NAME_ORDERS = "customer.renamed", "orders.name_orders"


def tell_renamed(customer_ids: Collection[int]) -> None:
    """Say that customers are called otherwise, or have orders that know nothing of their name; one statement."""
    record_facts([NewFact(RENAMED, ("customer", pk)) for pk in customer_ids])


def name_orders(customer_ids: Collection[int]) -> int:
    """Let the orders of customers be found by their present names and telephone numbers too; what orders stated
    themselves stays. Returns how many orders changed, so that a second call finds none.

    A transaction each 200 orders, which are locked by ascending pk; three statements each.
    """
    count = last = 0
    while ids := _next(customer_ids, last):
        last = ids[-1]
        with batch_transaction():
            rows = Order.objects.filter(Among("pk", ids)).select_related("customer")
            count += _name(lock_rows("order", rows))
    return count


def _next(customer_ids: Collection[int], last: int) -> list[int]:
    rows = Order.objects.filter(customer__in=customer_ids, pk__gt=last)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:MAX_BATCH])


def _name(orders: Collection[Order]) -> int:
    texts: dict[int, tuple[str]] = {}
    for order in orders:
        if (customer := order.customer) is None:
            continue
        text = with_customer(order.search_text, name=customer.name, phone=customer.phone)
        if text != order.search_text:
            texts[order.pk] = (text,)
    return set_in_rows(Order, ("search_text",), texts) if texts else 0
