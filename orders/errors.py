"""Why the orders room refuses."""

from collections.abc import Iterable, Sequence

from django.utils.functional import Promise, lazy
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import BancaleError
from orders.enums import HoldKind, OrderStatus, Step


def _join(labels: Iterable[str | Promise]) -> str:
    return ", ".join(str(label) for label in labels)


# Joined when it is shown, so that the words are in the reader's language.
_joined = lazy(_join, str)


class OrderClosed(BancaleError):
    """Cancelled, void or completed. `facts`: `number`, `status` in words, `status_code`."""

    code = "order_closed"
    message = _("Order %(number)s is closed (%(status)s).")

    def __init__(self, number: str, status: str) -> None:
        super().__init__(number=number, status=OrderStatus(status).label, status_code=str(status))


class HoldOpen(BancaleError):
    """A step that open holds refuse. `facts`: `step` and `holds` in words, `kinds` as codes."""

    code = "hold_open"
    message = _("“%(step)s” is refused by an open hold: %(holds)s.")

    def __init__(self, step: Step, kinds: Sequence[str]) -> None:
        known = tuple(HoldKind(kind) for kind in dict.fromkeys(kinds))
        labels = tuple(kind.label for kind in known)
        super().__init__(step=step.label, holds=_joined(labels), kinds=tuple(kind.value for kind in known))
