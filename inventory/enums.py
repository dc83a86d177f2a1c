"""Words of the stock room that the database stores."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class MovementKind(TextChoices):
    RECEIVE = "receive", _("Received")
    SHIP = "ship", _("Shipped")
    RETURN = "return", _("Returned by a customer")
    SET_ASIDE = "set_aside", _("Set aside")
    OTHER_REASON = "other_reason", _("Set aside for another reason")
    PUT_BACK = "put_back", _("Put back for sale")
    SCRAP = "scrap", _("Scrapped")
    CORRECTION = "correction", _("Corrected")
    MOVE = "move", _("Moved between bins")
    TRANSFER_OUT = "transfer_out", _("Sent to another location")
    TRANSFER_IN = "transfer_in", _("Came from another location")


class AdjustmentKind(TextChoices):
    CORRECTION = "correction", _("Correction")
    SET_ASIDE = "set_aside", _("Set aside")
    OTHER_REASON = "other_reason", _("Set aside for another reason")
    PUT_BACK = "put_back", _("Put back for sale")
    SCRAP = "scrap", _("Written off")
    MOVE = "move", _("Moved between bins")


class UnsellableReason(TextChoices):
    QUARANTINE = "quarantine", _("Quarantine")
    DAMAGED = "damaged", _("Damaged")
    TO_PUT_BACK = "to_put_back", _("To put back")


class ReservationState(TextChoices):
    WAITING = "waiting", _("Waiting for stock")
    OPEN = "open", _("Reserved")
    CONSUMED = "consumed", _("Shipped")
    RELEASED = "released", _("Given back")
    EXPIRED = "expired", _("Expired")


LIVE_RESERVATION = frozenset({ReservationState.WAITING, ReservationState.OPEN})


class BinKind(TextChoices):
    DEFAULT = "default", _("Default")
    SHELF = "shelf", _("Shelf")
    QUARANTINE = "quarantine", _("Quarantine")
    TOTE = "tote", _("Tote")


class TransferStatus(TextChoices):
    DRAFT = "draft", _("Draft")
    SENT = "sent", _("On its way")
    RECEIVED = "received", _("Received")
    CANCELLED = "cancelled", _("Cancelled")


class CountStatus(TextChoices):
    DRAFT = "draft", _("To count")
    COUNTED = "counted", _("Counted, to approve")
    APPROVED = "approved", _("Approved")
    CANCELLED = "cancelled", _("Cancelled")
    UNDONE = "undone", _("Undone")


class AlertStatus(TextChoices):
    OPEN = "open", _("Low now")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    SNOOZED = "snoozed", _("Snoozed")
    CLEARED = "cleared", _("Enough again")


LIVE_ALERT = frozenset({AlertStatus.OPEN, AlertStatus.ACKNOWLEDGED, AlertStatus.SNOOZED})
