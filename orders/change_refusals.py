"""What a planned change refuses of its own input, in words."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from config.kernel.errors import InvalidInput
from config.kernel.languages import filled
from orders.intake_rules import AN_AMOUNT


def no_line(ref: int) -> InvalidInput:
    return InvalidInput(field="line", value=ref, accepted=_("accepted are lines of the order"))


def units_out_of_range(quantity: int, most: int) -> InvalidInput:
    accepted = filled(_("accepted are whole units, from 1 to %(most)s"), {"most": most})
    return InvalidInput(field="quantity", value=quantity, accepted=accepted)


def price_below_discount(unit_amount: Decimal, discount: Decimal) -> InvalidInput:
    accepted = filled(
        _("accepted is a price that covers its discount of %(discount)s"), {"discount": discount}
    )
    return InvalidInput(field="price", value=unit_amount, accepted=accepted)


def nothing_to_discount(ref: int | None) -> InvalidInput:
    accepted = _("accepted are lines that cost something")
    return InvalidInput(field="discount", value="" if ref is None else ref, accepted=accepted)


def discount_out_of_range(amount: Decimal, most: Decimal) -> InvalidInput:
    accepted = filled(_("accepted is more than 0 and at most %(most)s"), {"most": f"{most.normalize():f}"})
    return InvalidInput(field="discount", value=amount, accepted=accepted)


def amount_out_of_range(amount: Decimal) -> InvalidInput:
    return InvalidInput(field="price", value=f"{amount.normalize():f}", accepted=AN_AMOUNT)
