"""What this room hears of through the outbox."""

from collections.abc import Sequence

from config.kernel.answers import answer_by_subject
from config.kernel.batches import in_batches
from config.kernel.outbox import Owed, subscribe
from config.kernel.results import Results
from orders.enums import MailKind
from orders.mail_kinds import (
    AGAIN,
    AGAIN_MAIL,
    BACKORDERED,
    CALLED_OFF,
    DELAYED,
    HOLD_NEEDS_BUYER,
    SUBSCRIBERS,
    UNITS_CALLED_OFF,
)
from orders.selectors.unpaid import orders_that_gave_back
from orders.services.allocating import BY_RULE, allocate_orders
from orders.services.auto_confirm import CONFIRMABLE, CONFIRMER
from orders.services.backorders import fill_backorders
from orders.services.confirming import confirm_orders
from orders.services.mailing import send_mails
from orders.services.mapping import MAPPED
from orders.services.merging import MERGED, MOVE_MERGED, follow_merges
from orders.services.naming import NAME_ORDERS, RENAMED, name_orders
from orders.services.proposals.telling import CHANGED
from orders.services.reviving import LINES_KNOWN, revive_known_orders
from orders.services.unpaid_stock import STOCK_DUE

ORDER_ACCEPTED, ORDER_CONFIRMED, STOCK_FREED = "order.accepted", "order.confirmed", "stock.freed"
ALLOCATE, FILL = "orders.allocate_accepted", "orders.fill_backorders"
REVIVE, CONFIRM = "orders.revive_mapped", "orders.auto_confirm"
# Mails of parcels are subscribed by the room that ships them.
MAIL_FACTS = {
    MailKind.CONFIRMATION: ORDER_CONFIRMED,
    MailKind.HOLD: HOLD_NEEDS_BUYER,
    MailKind.BACKORDER: BACKORDERED,
    MailKind.DELAY: DELAYED,
    MailKind.CHANGE: CHANGED,
    MailKind.CANCELLATION: CALLED_OFF,
    MailKind.PART_CANCELLATION: UNITS_CALLED_OFF,
}


def register() -> None:
    """Subscribe; called once from `AppConfig.ready()`."""
    subscribe(ALLOCATE, [ORDER_ACCEPTED, LINES_KNOWN, STOCK_DUE], allocate_accepted)
    subscribe(CONFIRM, [CONFIRMABLE], confirm_confirmable)
    subscribe(REVIVE, [MAPPED], revive_mapped)
    subscribe(MOVE_MERGED, [MERGED], move_merged)
    subscribe(NAME_ORDERS, [RENAMED], name_renamed)
    subscribe(FILL, [STOCK_FREED], fill_freed)
    for kind, fact in MAIL_FACTS.items():
        subscribe(SUBSCRIBERS[kind], [fact], send_mails, lane="mail")
    subscribe(AGAIN_MAIL, [AGAIN], send_mails, lane="mail")


def allocate_accepted(owed: Sequence[Owed]) -> Results[int]:
    """Give orders their stock. What allocation refuses waits in a work list, not in the outbox, and so does an
    unpaid order whose time was up: it gets stock again when it is paid, or when a person says so."""
    gave_back = orders_that_gave_back([one.subject_id for one in owed])
    wanted = [one.subject_id for one in owed if one.subject_id not in gave_back]
    return answer_by_subject(owed, in_batches(allocate_orders, wanted, actor=BY_RULE))


def fill_freed(owed: Sequence[Owed]) -> Results[int]:
    """Serve the queues of the SKUs whose units came free; a second delivery finds nobody to serve."""
    answers = in_batches(fill_backorders, [one.subject_id for one in owed], actor=BY_RULE)
    return answer_by_subject(owed, answers)


def confirm_confirmable(owed: Sequence[Owed]) -> Results[int]:
    """Confirm what a channel confirms by itself. A hold that came in between refuses it; lifting it asks again."""
    answers = in_batches(confirm_orders, [one.subject_id for one in owed], actor=CONFIRMER)
    return answer_by_subject(owed, answers)


def revive_mapped(owed: Sequence[Owed]) -> Results[int]:
    """Bring what waited for these SKUs to life, beyond what the mapping itself reached."""
    return _answer_all(owed, revive_known_orders())


def move_merged(owed: Sequence[Owed]) -> Results[int]:
    """Move what was stored under merged customers while they were merged."""
    return _answer_all(owed, follow_merges())


def name_renamed(owed: Sequence[Owed]) -> Results[int]:
    """Let orders be found by what their customers are called now."""
    return _answer_all(owed, name_orders({one.subject_id for one in owed}))


def _answer_all(owed: Sequence[Owed], count: int) -> Results[int]:
    """Done where there was something to do, else unchanged."""
    results: Results[int] = Results(one.delivery_id for one in owed)
    for one in owed:
        if count:
            results.done(one.delivery_id)
        else:
            results.unchanged(one.delivery_id)
    return results
