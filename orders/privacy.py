"""Two rights about what an order says of its buyer; what ships goods is shown without them.

Without `SEE_PERSONAL` no e-mail address, telephone, billing address, mail or note of the buyer is shown or searched,
and the name and address only while something is to be sent. Without `SEE_MONEY` no price, total or payment is.
"""

SEE_PERSONAL = "orders.view_personal"
SEE_MONEY = "orders.view_money"
