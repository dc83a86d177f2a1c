"""What is asked once an instance, however many cards and buttons of its page ask for it."""

from collections.abc import Callable
from typing import TypeVar

from orders.models import Order

T = TypeVar("T")


def once(order: Order, name: str, read: Callable[[], T]) -> T:
    """What `read` answers, asked once an instance."""
    if name not in order.__dict__:
        order.__dict__[name] = read()
    found: T = order.__dict__[name]
    return found
