"""Finding returns by what a person has in hand; each lookup has an index."""

from django.db.models import QuerySet

from fulfillment.selectors.search import MOST_HITS, spellings
from returns.models import Rma


def search_returns(rows: QuerySet[Rma], text: str, *, personal: bool = True) -> QuerySet[Rma]:
    """Returns whose number begins so, or of an order of this number or, where `personal`, e-mail address."""
    every, named = Rma.objects, spellings(text)
    wanted = [
        every.filter(number__startswith=text.strip().upper()),
        every.filter(order__number__in=named),
    ]
    if personal:
        wanted.append(every.filter(order__email__in={*named, text.strip().lower()}))
    found = {pk for some in wanted for pk in some.order_by("-pk").values_list("pk", flat=True)[:MOST_HITS]}
    return rows.filter(pk__in=found)
