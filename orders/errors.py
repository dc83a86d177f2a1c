"""Why the orders room refuses."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from config.kernel.errors import BancaleError
from config.kernel.languages import joined
from orders.enums import HoldKind, OrderStatus, ProposalStatus, Step


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
        super().__init__(step=step.label, holds=joined(labels), kinds=tuple(kind.value for kind in known))


class HistoryOrder(BancaleError):
    """Imported as history: closed from the start, so nothing is done for it any more."""

    code = "history_order"
    message = _("Order %(number)s was imported as history.")


class AmountsAwaited(BancaleError):
    """The channel has not stated its amounts yet: what a change adds could not be told from them. `facts`: `number`."""

    code = "amounts_awaited"
    message = _(
        "Order %(number)s: the channel has not stated all amounts yet. Wait for them, say the price of its lines, "
        "or cancel units."
    )


class OrderIsTest(BancaleError):
    """A channel's trial: it takes no stock and nothing leaves for it. `facts`: `number`."""

    code = "test_order"
    message = _("Order %(number)s is a test order; nothing is ever sent for it.")


class NotPlaced(BancaleError):
    """Still a draft. `facts`: `number`."""

    code = "not_placed"
    message = _("Order %(number)s is a draft; place it first.")


class MappedMeanwhile(BancaleError):
    """Two people mapped one code to two SKUs at the same moment; the first of them counts."""

    code = "mapped_meanwhile"
    message = _(
        "“%(code)s” was just mapped to %(theirs)s by somebody else, not to %(ours)s. Look, and map it anew."
    )


class SkuUnknown(BancaleError):
    """All that is left to allocate has no SKU of ours. `facts`: `number`, `sent` (SKUs as sent)."""

    code = "sku_unknown"
    message = _("Order %(number)s: no SKU of ours is known for %(sent)s.")


class AlreadyShipped(BancaleError):
    """Goods have left, so a return is the way back. `facts`: `number`, `shipped` units."""

    code = "already_shipped"
    message = _("Goods of order %(number)s have left already (units: %(shipped)s); use a return.")


class NeverConfirmed(BancaleError):
    """An order that ended without being confirmed: it had left before it was known here, or what had left was all
    that stayed of it. `facts`: `number`."""

    code = "never_confirmed"
    message = _(
        "Order %(number)s was never confirmed here, so it cannot be reopened among the confirmed orders."
    )


class NotAllShipped(BancaleError):
    """`facts`: `number`, `missing` units that are owed and have not left."""

    code = "not_all_shipped"
    message = _("Order %(number)s: units that have not left yet: %(missing)s.")


class OrderOnHold(BancaleError):
    """An order that is to be ended while a hold is open. `facts`: `number`, `holds` in words, `kinds` as codes."""

    code = "order_on_hold"
    message = _("Order %(number)s is held (%(holds)s); lift that first.")

    def __init__(self, number: str, kinds: Sequence[str]) -> None:
        known = tuple(HoldKind(kind) for kind in dict.fromkeys(kinds))
        labels = tuple(kind.label for kind in known)
        super().__init__(number=number, holds=joined(labels), kinds=tuple(kind.value for kind in known))


class ChangeUndecided(BancaleError):
    """An order that is to be ended while a change of it is neither confirmed nor dropped. `facts`: `number`,
    `proposal`."""

    code = "change_undecided"
    message = _("Order %(number)s: change %(proposal)s is not decided; confirm or drop it first.")


class NotEnoughLeft(BancaleError):
    """More units of a line to cancel than are neither shipped nor cancelled. `facts`: `number`, `line`, `left`."""

    code = "not_enough_left"
    message = _("Order %(number)s: of %(line)s only %(left)s can still be cancelled, not %(asked)s.")


class UnitsAtWork(BancaleError):
    """The warehouse is at work on units that would have to be taken from it. `facts`: `number`, `work`, `left`."""

    code = "units_at_work"
    message = _(
        "Order %(number)s: the warehouse is at work on units of %(line)s (%(work)s); call that back first. "
        "%(left)s can be taken without it."
    )


class NothingReserved(BancaleError):
    """No unit of the order is reserved, so that there is nothing to move. `facts`: `number`."""

    code = "nothing_reserved"
    message = _("Order %(number)s has nothing reserved.")


class LocationShort(BancaleError):
    """`facts`: `location`, `sku`, `free` units there, `asked`."""

    code = "location_short"
    message = _("%(location)s has only %(free)s free units of %(sku)s, %(asked)s are needed.")


class BelowLeast(BancaleError):
    """A change that would leave fewer units of a line than have left it. `facts`: `number`, `line`, `asked`, `least`
    and what it is made of, in units of the line: `shipped`, `packed` (or picked), `cancelled`."""

    code = "below_least"
    message = _(
        "Order %(number)s: %(line)s cannot go below %(least)s, %(asked)s were asked: %(shipped)s shipped, "
        "%(packed)s picked or packed, %(cancelled)s cancelled."
    )


class NothingLeft(BancaleError):
    """A change that would leave nothing of an order. `facts`: `number`."""

    code = "nothing_left"
    message = _("Nothing would be left of order %(number)s; cancel it instead.")


class ProposalClosed(BancaleError):
    """Confirmed or dropped already. `facts`: `proposal`, `status` in words, `status_code`."""

    code = "proposal_closed"
    message = _("Change %(proposal)s is over (%(status)s).")

    def __init__(self, proposal: int, status: str) -> None:
        super().__init__(proposal=proposal, status=ProposalStatus(status).label, status_code=str(status))


class ProposalOvertaken(BancaleError):
    """The order is no longer as it was when the change was worked out. `facts`: `proposal`, `seen` and `current`,
    versions of the order."""

    code = "proposal_overtaken"
    message = _("The order has changed since change %(proposal)s was worked out; look at it again.")


class NothingProposed(BancaleError):
    """A proposal without an action. `facts`: `proposal`."""

    code = "nothing_proposed"
    message = _("Change %(proposal)s says nothing yet.")


class ImportStopped(BancaleError):
    """The import was cancelled, rolled back or came further meanwhile. `facts`: `name`, `status` in words."""

    code = "import_stopped"
    message = _("The import of %(name)s does not stand there any more: it is “%(status)s”.")


class ImportOpen(BancaleError):
    """An order of an import that can still be rolled back. `facts`: `number`."""

    code = "import_open"
    message = _("Order %(number)s came with an import that is not finished; finish that first.")


class ColumnsMissing(BancaleError):
    """`facts`: `fields` in words."""

    code = "columns_missing"
    message = _("These are needed and no column is given for them: %(fields)s.")


class NothingToApply(BancaleError):
    code = "nothing_to_apply"
    message = _("No order of this file would be created or changed.")


class ProblemsLeft(BancaleError):
    """All or nothing starts without a problem only. `facts`: `count`."""

    code = "problems_left"
    message = _("%(count)s orders or rows have problems; “all or nothing” starts only without any.")


class NotOfImport(BancaleError):
    """Only orders of an import that is being rolled back are taken away. `facts`: `number`."""

    code = "not_of_import"
    message = _("Order %(number)s does not belong to an import that is rolled back.")


class AlreadyReturned(BancaleError):
    """`facts`: `number`."""

    code = "already_returned"
    message = _("Units of order %(number)s have been returned.")


class PlacedBefore(BancaleError):
    """The page of an order typed in has placed another one. `facts`: `number`."""

    code = "placed_before"
    message = _(
        "This page has placed order %(number)s, which says something else. Nothing was placed now: press once more if "
        "this is a further order."
    )


class SkuOrdered(BancaleError):
    code = "sku_ordered"
    message = _("Open orders still ask for %(sku)s (%(units)s), so it cannot become a kit.")
