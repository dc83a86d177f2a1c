"""Words of the returns room that the database stores."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RmaStatus(TextChoices):
    REQUESTED = "requested", _("Requested")
    APPROVED = "approved", _("Approved")
    IN_TRANSIT = "in_transit", _("On its way back")
    RECEIVED = "received", _("Received")
    INSPECTED = "inspected", _("Inspected")
    RESOLVED = "resolved", _("Closed")
    REJECTED = "rejected", _("Rejected")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")


LIVE_RMA = frozenset(
    {RmaStatus.REQUESTED, RmaStatus.APPROVED, RmaStatus.IN_TRANSIT, RmaStatus.RECEIVED, RmaStatus.INSPECTED}
)


# What stands as the reason where nobody gave one: the order itself was taken away.
ORDER_VOID = "order void"


class ReturnReason(TextChoices):
    CHANGED_MIND = "changed_mind", _("Changed their mind")
    DAMAGED = "damaged", _("Arrived damaged")
    WRONG = "wrong", _("Wrong goods")
    DEFECTIVE = "defective", _("Does not work")
    OTHER = "other", _("Other")


class Reception(TextChoices):
    EXPECTED = "expected", _("Expected")
    RECEIVED = "received", _("Received")
    LOST = "lost", _("Lost")
    WRONG = "wrong", _("Something else arrived")


class Disposition(TextChoices):
    NONE = "", _("Not decided")
    QUARANTINE = "quarantine", _("Quarantine")
    RESTOCK = "restock", _("Back to stock")
    REFURBISH = "refurbish", _("Refurbish")
    SCRAP = "scrap", _("Scrap")
    TO_VENDOR = "to_vendor", _("To the supplier")


# Units that an inspection may still send on; those for the supplier are written off by the stock desk when they leave.
TO_DECIDE = frozenset({Disposition.QUARANTINE, Disposition.REFURBISH})


class Condition(TextChoices):
    UNKNOWN = "", _("Not inspected")
    AS_NEW = "as_new", _("As new")
    OPENED = "opened", _("Opened")
    DAMAGED = "damaged", _("Damaged")
    DEFECTIVE = "defective", _("Defective")
