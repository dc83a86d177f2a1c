"""Finding orders without asking anything of the buyer: by numbers, references and what was bought."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from orders.enums import OrderStatus
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


def called(rows: QuerySet[Order], text: str) -> QuerySet[Order]:
    """Orders whose number or channel reference is exactly this, in any case of letters."""
    spellings = sorted({text, text.upper(), text.lower()})
    reference = Q(external_id__in=spellings) | Q(external_number__in=spellings)
    # References are indexed for orders that count; a void one is found by its number.
    return rows.filter(reference & ~Q(status=OrderStatus.VOID) | Q(number__in=spellings))
