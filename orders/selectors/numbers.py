"""Finding orders without asking anything of the buyer: by numbers, references and what was bought."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from orders.models import Order, OrderLine

MOST_WORDS = 6


def search_numbers(rows: QuerySet[Order], text: str) -> QuerySet[Order]:
    """Orders that every word fits: the beginning of a number, a channel reference or a SKU."""
    for word in list(dict.fromkeys(text.split()))[:MOST_WORDS]:
        named, sku = Q(), Q()
        for spelling in {word, word.upper(), word.lower()}:
            for column in ("number", "external_id", "external_number"):
                named |= Q(**{f"{column}__startswith": spelling})
            sku |= Q(sku_code__startswith=spelling) | Q(sku__code__startswith=spelling)
        rows = rows.filter(named | Exists(OrderLine.objects.filter(sku, order=OuterRef("pk"))))
    return rows
