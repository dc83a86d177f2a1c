"""How the stock room's ledger names the documents of this room."""

from fulfillment.models import FulfillmentOrder
from inventory.admin.numbered import name_by_number

name_by_number("fulfillment_order", FulfillmentOrder)
