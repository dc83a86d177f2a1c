"""Rights about what an order says of its buyer.

Without `SEE_PERSONAL` no e-mail address, telephone, billing address, mail or note of the buyer is shown or searched;
name and address only to those who pack the goods, and only while something is to be sent. Without `SEE_MONEY` no
price, total or payment is shown.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

SEE_PERSONAL = "orders.view_personal"
SEE_MONEY = "orders.view_money"
# What staff wrote on orders: free text, which may speak of the buyer.
SEE_NOTE = "orders.view_note"
# A code of the room above: who works the goods off is named there.
PACK = "fulfillment.work_fulfillmentorder"


def sees_recipient(user: "AbstractUser | AnonymousUser", *, is_live: bool) -> bool:
    """Whether somebody reads where the goods go and to whom; `is_live` while something is to be sent."""
    return user.has_perm(SEE_PERSONAL) or (is_live and user.has_perm(PACK))
