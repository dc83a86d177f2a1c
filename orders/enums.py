"""Words of the orders room that the database stores."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class OrderStatus(TextChoices):
    DRAFT = "draft", _("Draft")
    PLACED = "placed", _("Placed")
    CONFIRMED = "confirmed", _("Confirmed")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")
    VOID = "void", pgettext_lazy("order", "Void")


OPEN_ORDER = frozenset({OrderStatus.DRAFT, OrderStatus.PLACED, OrderStatus.CONFIRMED})
CLOSED_ORDER = frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.VOID})


class FulfillmentStatus(TextChoices):
    """Where the goods of an order stand; derived, never pressed."""

    NOTHING_TO_SHIP = "nothing_to_ship", _("Nothing to ship")
    UNALLOCATED = "unallocated", _("Not allocated")
    PARTLY_ALLOCATED = "partly_allocated", _("Partly allocated")
    ALLOCATED = "allocated", _("Allocated")
    BACKORDERED = "backordered", _("Backordered")
    PARTLY_SHIPPED = "partly_shipped", _("Partly shipped")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")


# Nothing that is owed has still to leave.
GOODS_GONE = frozenset(
    {FulfillmentStatus.SHIPPED, FulfillmentStatus.DELIVERED, FulfillmentStatus.NOTHING_TO_SHIP}
)


class PaymentAxis(TextChoices):
    """What has been paid for an order; derived from its payments, never pressed."""

    UNPAID = "unpaid", _("Unpaid")
    AUTHORISED = "authorised", _("Authorised")
    PARTLY_PAID = "partly_paid", _("Partly paid")
    PAID = "paid", _("Paid")
    OVERPAID = "overpaid", _("Overpaid")
    PARTLY_REFUNDED = "partly_refunded", _("Partly refunded")
    REFUNDED = "refunded", _("Refunded")


class PaymentStatus(TextChoices):
    PENDING = "pending", _("Pending")
    AUTHORISED = "authorised", _("Authorised")
    CAPTURED = "captured", _("Captured")
    VOIDED = "voided", _("Voided")
    FAILED = "failed", _("Failed")
    EXPIRED = "expired", _("Expired")


class MoneyOwner(TextChoices):
    """Who owes a tax, or who holds a payment."""

    SELLER = "seller", _("Seller")
    MARKETPLACE = "marketplace", _("Marketplace")


class ChargeKind(TextChoices):
    SHIPPING = "shipping", _("Shipping")
    FEE = "fee", _("Fee")
    GIFT_WRAP = "gift_wrap", _("Gift wrap")
    CASH_ON_DELIVERY = "cash_on_delivery", _("Cash on delivery")
    TIP = "tip", _("Tip")
    ROUNDING = "rounding", _("Rounding")


class HoldKind(TextChoices):
    AWAITING_DETAILS = "awaiting_details", _("Awaiting details")
    UNPAID = "unpaid", _("Unpaid")
    UNKNOWN_SKU = "unknown_sku", _("Unknown SKU")
    TOTALS = "totals", _("Totals differ")
    ADDRESS = "address", _("Address")
    DUPLICATE = "duplicate", _("Possible duplicate")
    FRAUD = "fraud", _("Fraud check")
    CANCEL_REQUESTED = "cancel_requested", _("Cancel requested")
    IMPORT = "import", _("Import not finished")
    MANUAL = "manual", _("Held by staff")


# The causes that a manual hold names where no person placed it.
TEST_ORDER, UNCLEAR_PAYMENT, ADDRESS_CHANGED = "test_order", "unclear_payment", "address_changed"
# The cause of an unpaid hold where something had been paid.
SENT_BACK = "refunded"

# Only the buyer can mend these, so that a mail asks for it; the others wait for the channel or for staff.
NEEDS_BUYER = frozenset({HoldKind.ADDRESS})


class Step(TextChoices):
    """A step of an order's life that a hold can refuse."""

    CONFIRM = "confirm", _("Confirm")
    ALLOCATE = "allocate", _("Allocate")
    RELEASE = "release", _("Release")
    LABEL = "label", _("Label")
    SHIP = "ship", _("Ship")


class ImportMode(TextChoices):
    """Whether the orders of a file are work to do or a past to remember."""

    LIVE = "live", _("Live orders")
    HISTORY = "history", pgettext_lazy("import", "History")


class ImportPolicy(TextChoices):
    """What becomes of the good orders of a file that has bad ones."""

    ALL_OR_NOTHING = "all_or_nothing", _("All or nothing")
    GOOD_ONES = "good_ones", _("Good orders now, the rest as a file")


class ImportStatus(TextChoices):
    UPLOADED = "uploaded", _("Uploaded")
    CHECKED = "checked", _("Checked")
    APPLYING = "applying", _("Applying")
    APPLIED = "applied", _("Applied")
    FINISHED = "finished", _("Finished")
    CANCELLED = "cancelled", _("Cancelled")
    ROLLED_BACK = "rolled_back", _("Rolled back")


class ImportPlan(TextChoices):
    """What the check decided for one order of a file."""

    CREATE = "create", _("Create")
    UPDATE = "update", _("Update")
    KEEP = "keep", _("Leave alone")
    REFUSE = "refuse", _("Refuse")
    LIST = "list", _("Only listed")


class ImportResult(TextChoices):
    """What applying did with one order of a file; empty until it came to it."""

    CREATED = "created", _("Created")
    UPDATED = "updated", _("Updated")
    KEPT = "kept", _("Left alone")
    REFUSED = "refused", _("Refused")
    TAKEN_BACK = "taken_back", _("Taken back")


class ChannelKind(TextChoices):
    WEB_SHOP = "web_shop", _("Own web shop")
    SHOPIFY = "shopify", _("Shopify")
    WOOCOMMERCE = "woocommerce", _("WooCommerce")
    AMAZON = "amazon", _("Amazon")
    EBAY = "ebay", _("eBay")
    CSV = "csv", _("CSV import")
    PHONE = "phone", _("Phone")


MARKETPLACES = frozenset({ChannelKind.AMAZON, ChannelKind.EBAY})


class NeutralState(TextChoices):
    """What the channel itself says of an order."""

    OPEN = "open", _("Open")
    HELD = "held", _("Held by the channel")
    CANCELLED = "cancelled", _("Cancelled by the channel")


class ProposalStatus(TextChoices):
    """A change to a placed order: worked out, then done or dropped; stale when another change got there first."""

    OPEN = "open", pgettext_lazy("change", "Open")
    CONFIRMED = "confirmed", pgettext_lazy("change", "Confirmed")
    DROPPED = "dropped", pgettext_lazy("change", "Dropped")
    STALE = "stale", pgettext_lazy("change", "Overtaken")


class ActionKind(TextChoices):
    """One wish of a proposal."""

    ADD_LINE = "add_line", _("Add a line")
    REMOVE_LINE = "remove_line", _("Remove a line")
    QUANTITY = "quantity", _("Quantity")
    PRICE = "price", _("Price")
    DISCOUNT = "discount", _("Discount")
    ADDRESS = "address", _("Address")
    SHIPPING = "shipping", _("Shipping method")


class MailKind(TextChoices):
    """What a buyer can be told; each from a fact of its own."""

    CONFIRMATION = "confirmation", _("Order confirmation")
    HOLD = "hold", _("Question to the buyer")
    BACKORDER = "backorder", _("Backorder")
    DELAY = "delay", _("Delay")
    CHANGE = "change", _("Change of the order")
    CANCELLATION = "cancellation", _("Cancellation")
    PART_CANCELLATION = "part_cancellation", _("Cancellation in part")
    SHIPPED = "shipped", pgettext_lazy("mail", "Shipped")
    DELIVERED = "delivered", pgettext_lazy("mail", "Delivered")
