"""How the stock room's ledger names the documents of this room."""

from collections.abc import Iterable

from config.kernel.admin import admin_url
from inventory.references import ResolvedReference, register_reference
from returns.models import Rma


def rmas(ids: Iterable[int]) -> dict[int, ResolvedReference]:
    """Numbers and pages of returns; one query."""
    rows = Rma.objects.filter(pk__in=list(ids)).values_list("pk", "number")
    return {pk: ResolvedReference(number, admin_url(Rma, "change", pk)) for pk, number in rows}


register_reference("rma", rmas)
