"""How far an order has come at its platform, as its rows say it: sent goods are not sent again.

Source: the statuses that the platforms' own exports write; words of a shop's own making say nothing.
"""

from collections.abc import Iterable
from enum import StrEnum

from orders.sheets.cells import Cells


class Standing(StrEnum):
    OPEN = "open"
    PARTLY_SENT = "partly_sent"
    SENT = "sent"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    PENDING = "pending"


_WORDS = {
    Standing.PARTLY_SENT: ("partial", "partially fulfilled", "partially shipped", "partially sent"),
    Standing.SENT: (
        "fulfilled",
        "shipped",
        "sent",
        "dispatched",
        "delivered",
        "completed",
        "complete",
        "spedito",
    ),
    Standing.CANCELLED: ("cancelled", "canceled", "failed", "annullato"),
    Standing.CLOSED: ("refunded", "closed", "rimborsato"),
    Standing.PENDING: ("pending",),
}
OVER = frozenset({Standing.SENT, Standing.CANCELLED, Standing.CLOSED})
COLUMNS = frozenset({"order_status", "sent_at"})
_STANDING = {word: standing for standing, words in _WORDS.items() for word in words}


def standing_of(cells: Cells) -> Standing:
    """What the rows of an order say together; what is over beside what is not makes it `PARTLY_SENT`.

    A continuation row, which states no date of the order, says nothing of the sending. `PENDING` only where a
    marketplace's files hold paid orders else.
    """
    if not COLUMNS & cells.plan.columns.keys():
        return Standing.OPEN
    words = {cells.text("order_status", row) for row in cells.rows}
    found = {_read(word) for word in words if word}
    if Standing.PENDING in found and cells.plan.paid_to is None:
        found = {Standing.OPEN if one is Standing.PENDING else one for one in found}
    if any(cells.is_stated("sent_at", head) for head in cells.heads):
        return Standing.SENT
    telling = [row for row in cells.rows if row not in cells.heads and cells.is_stated("placed_at", row)]
    dated = [cells.is_stated("sent_at", row) for row in telling or cells.rows]
    if any(dated):
        found |= {Standing.SENT} if all(dated) else {Standing.SENT, Standing.OPEN}
    return _together(found)


def _read(word: str) -> Standing:
    text = " ".join(word.lower().replace("_", " ").replace("-", " ").split())
    # Amazon says how it went on: “Shipped - Delivered to Buyer”.
    return Standing.SENT if text.startswith("shipped ") else _STANDING.get(text, Standing.OPEN)


def _together(found: Iterable[Standing]) -> Standing:
    each = set(found)
    if not each:
        return Standing.OPEN
    if len(each) == 1:
        return each.pop()
    if each <= {Standing.OPEN, Standing.PENDING}:
        return Standing.PENDING
    if each <= OVER:
        # Lines that were cancelled beside sent ones leave nothing to send.
        return Standing.SENT if Standing.SENT in each else Standing.CLOSED
    return Standing.PARTLY_SENT
