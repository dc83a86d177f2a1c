"""The texts of the house: what a mail says where nobody has written another text."""

from django.utils.translation import gettext_lazy as _

from orders.enums import MailKind
from orders.wordings import Wording

BUILT_IN = {
    MailKind.CONFIRMATION: Wording(
        _("Your order {order_number} at {shop_name} is confirmed"),
        _("""{greeting}

thank you for your order {order_number} at {shop_name}. We have confirmed it.
We expect to send it by {dispatch_day}.

{order_summary}

{company_name}"""),
    ),
    MailKind.HOLD: Wording(
        _("A question about your order {order_number} at {shop_name}"),
        _("""{greeting}

we cannot send your order {order_number} yet, because its shipping address seems to be incomplete or wrong:

{ship_to}

Please answer this mail with the right address. We send your order as soon as we have it.

{company_name}"""),
    ),
    MailKind.BACKORDER: Wording(
        _("Your order {order_number} at {shop_name} waits for stock"),
        _("""{greeting}

this part of your order {order_number} is not in stock at the moment:

{items}

We have reserved your place in the queue and send it as soon as it arrives. There is nothing you need to do.

{company_name}"""),
    ),
    MailKind.DELAY: Wording(
        _("Your order {order_number} at {shop_name} is late"),
        _("""{greeting}

we are sorry: your order {order_number} has not left yet.
We had promised to send it by {dispatch_day}.

We are working on it and write to you as soon as it is on its way.

{company_name}"""),
    ),
    MailKind.CHANGE: Wording(
        _("Your order {order_number} at {shop_name} has been changed"),
        _("""{greeting}

we have changed your order {order_number}:

{changes}

This is how it stands now:

{order_summary}

{company_name}"""),
    ),
    MailKind.CANCELLATION: Wording(
        _("Your order {order_number} at {shop_name} is cancelled"),
        _("""{greeting}

your order {order_number} at {shop_name} has been cancelled. Nothing of it will be sent.

{order_summary}

{company_name}"""),
    ),
    MailKind.PART_CANCELLATION: Wording(
        _("Part of your order {order_number} at {shop_name} is cancelled"),
        _("""{greeting}

this part of your order {order_number} has been cancelled and will not be sent:

{items}

The rest of your order stands.

{company_name}"""),
    ),
    MailKind.SHIPPED: Wording(
        _("Your order {order_number} at {shop_name} is on its way"),
        _("""{greeting}

these goods of your order {order_number} have left:

{items}

Carrier: {carrier}
Tracking number: {tracking_number}

They go to:

{ship_to}

{company_name}"""),
    ),
    MailKind.DELIVERED: Wording(
        _("Your order {order_number} at {shop_name} was delivered"),
        _("""{greeting}

these goods of your order {order_number} have been delivered:

{items}

Carrier: {carrier}
Tracking number: {tracking_number}

If anything is missing or damaged, please answer this mail.

{company_name}"""),
    ),
}
