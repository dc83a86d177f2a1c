"""What the stock room refuses."""

from django.utils.translation import gettext_lazy as _

from config.kernel.errors import BancaleError, Conflict


class KitHoldsNoStock(BancaleError):
    code = "kit_holds_no_stock"
    message = _("%(sku)s is a kit: its parts hold the stock.")


class CodeMeansTwo(BancaleError):
    """A SKU's code that is another's barcode. `facts`: the `code`, and the `sku` whose barcode it is or would be."""

    code = "code_means_two"
    message = _(
        "“%(code)s” cannot be the code of one SKU and a barcode of another, %(sku)s: a scan would mean both."
    )


class KitOfKits(BancaleError):
    code = "kit_of_kits"
    message = _("A kit cannot be part of a kit: %(sku)s.")


class KitWithoutParts(BancaleError):
    code = "kit_without_parts"
    message = _("A kit needs at least one part.")


class SkuHoldsStock(BancaleError):
    code = "sku_holds_stock"
    message = _("%(sku)s still holds stock or reservations, so it cannot become a kit.")


class LocationClosed(BancaleError):
    code = "location_closed"
    message = _("%(location)s is not active.")


class BinMissing(BancaleError):
    code = "bin_missing"
    message = _("%(location)s has no bin of the kind “%(kind)s”.")


class NotEnoughStock(BancaleError):
    """Fewer free units than a promise asks for; nothing was written."""

    code = "not_enough_stock"
    message = _("Only %(free)s free of %(asked)s asked.")


class NotEnoughUnsellable(BancaleError):
    code = "not_enough_unsellable"
    message = _("Only %(found)s set aside of %(asked)s asked.")


class UnitsToInspect(BancaleError):
    """Of the units set aside only `found` are nobody's; `kept` wait for a decision of those who took them in."""

    code = "units_to_inspect"
    message = _(
        "%(sku)s: %(kept)s of the units set aside wait for their return to be inspected; %(found)s others are there, "
        "%(asked)s were asked."
    )


class NotEnoughInBin(BancaleError):
    code = "not_enough_in_bin"
    message = _("Only %(found)s in the bin of %(asked)s asked.")


class QueueJumped(BancaleError):
    """A promise would take units that those ahead in the queue wait for."""

    code = "queue_jumped"
    message = _("%(waiting)s units wait ahead in the queue, %(free)s are free, %(asked)s were asked.")


class MoreThanSent(BancaleError):
    code = "more_than_sent"
    message = _("%(sku)s: %(received)s received, only %(sent)s were sent.")


class LossUnexplained(BancaleError):
    code = "loss_unexplained"
    message = _("Units missing: %(units)s. Say why.")


class CountIncomplete(BancaleError):
    code = "count_incomplete"
    message = _("%(sku)s has not been counted.")


class SecondPersonNeeded(BancaleError):
    code = "second_person_needed"
    message = _(
        "%(sku)s differs by %(variance)s units, more than %(tolerance)s: another person must approve."
    )


class AdjustedSince(BancaleError):
    """Somebody corrected a counted SKU by hand before the approval, and nobody said what for.

    `facts`: `sku`, `units` with their sign.
    """

    code = "adjusted_since"
    message = _(
        "%(sku)s was corrected by %(units)s units by hand after it was counted. Say whether they are the same units."
    )


class CountedAgain(BancaleError):
    """Another count has corrected a SKU since this one was taken: its difference has been booked already."""

    code = "counted_again"
    message = _("%(sku)s was corrected by the count %(other)s since it was counted here: count it again.")


class NotWaiting(BancaleError):
    code = "not_waiting"
    message = _("It does not wait for stock any more.")


class NotExpired(BancaleError):
    code = "not_expired"
    message = _("Its time has not run out.")


class NotEnoughReserved(Conflict):
    code = "not_enough_reserved"
    message = _("Only %(found)s reserved here of %(asked)s asked.")


class LedgerTooLow(BancaleError):
    """The ledger has fewer units than are promised and set aside; the level cannot be set to it."""

    code = "ledger_too_low"
    message = _(
        "The ledger has %(on_hand)s units, but %(reserved)s are reserved and %(unsellable)s set aside: move or give "
        "back what is reserved first."
    )


class AlreadyUndone(BancaleError):
    code = "already_undone"
    message = _("%(number)s has been undone already.")


class UnitsTaken(BancaleError):
    """Taking back would take units that somebody was promised since, or that have left since."""

    code = "units_taken"
    message = _(
        "%(sku)s in %(place)s: %(asked)s units would have to go, only %(free)s are still there and promised to nobody."
    )


class UnitsMoved(BancaleError):
    code = "units_moved"
    message = _("%(sku)s: %(asked)s units would have to leave the bin %(bin)s, only %(found)s lie there.")


class CountedSince(BancaleError):
    """A count has looked at the shelf since: undoing what it saw would make the books wrong again."""

    code = "counted_since"
    message = _("%(sku)s has been counted since, in %(count)s: what was found then stands.")


class UndoneSince(BancaleError):
    """What a count expected at a moment that has passed is no longer known: a booking before it was undone after it."""

    code = "undone_since"
    message = _("%(sku)s: a booking was undone since then. Count it again, and leave the moment empty.")


class LineRefused(BancaleError):
    """One line of a document, which is booked whole or not at all."""

    code = "line_refused"
    message = _("Line %(line)s: %(reason)s")
