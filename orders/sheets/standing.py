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
COLUMNS = frozenset({"order_status", "sent_at"})
_STANDING = {word: standing for standing, words in _WORDS.items() for word in words}


def standing_of(cells: Cells) -> Standing:
    """What the rows of an order say together; rows that differ make it partly sent, if any of them is sent.

    `PENDING` only where a marketplace's files hold paid orders else.
    """
    if not COLUMNS & cells.plan.columns.keys():
        return Standing.OPEN
    goods = [row for row in cells.rows if row not in cells.heads] or list(cells.rows)
    words = {cells.text("order_status", row) for row in cells.rows}
    found = {_read(word) for word in words if word}
    if Standing.PENDING in found and cells.plan.paid_to is None:
        found = {Standing.OPEN if one is Standing.PENDING else one for one in found}
    dated = [cells.is_stated("sent_at", row) for row in goods]
    if any(dated):
        found |= {Standing.SENT} if all(dated) else {Standing.SENT, Standing.OPEN}
    return _together(found)


def _read(word: str) -> Standing:
    text = " ".join(word.lower().replace("_", " ").replace("-", " ").split())
    # Amazon says how it went on: “Shipped - Delivered to Buyer”.
    return Standing.SENT if text.startswith("shipped ") else _STANDING.get(text, Standing.OPEN)


def _together(found: Iterable[Standing]) -> Standing:
    each = set(found)
    if len(each) == 1:
        return each.pop()
    if each & {Standing.SENT, Standing.PARTLY_SENT}:
        # Lines that were cancelled beside sent ones leave nothing to send.
        return Standing.PARTLY_SENT if each & {Standing.OPEN, Standing.PARTLY_SENT} else Standing.SENT
    return Standing.OPEN
