"""How the stock room's ledger names the documents of this room."""

from inventory.admin.numbered import name_by_number
from returns.models import Rma

name_by_number("rma", Rma)
