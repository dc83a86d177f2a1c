"""Customers who are likely one and the same, and those whom somebody looks for."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from config.kernel.texts import storable
from orders.models import Address, Customer, Order
from orders.search_texts import phone_part

MOST = 20
# A word that has fewer letters, and what stands in more orders than these, finds nobody by a part.
SHORTEST_INNER, ORDERS_READ = 3, 200


@dataclass(frozen=True, slots=True)
class Likely:
    """Another customer and what both have in common: "phone", or "address" (name and post code)."""

    customer: Customer
    same: tuple[str, ...]


def likely_duplicates(customer: Customer, among: QuerySet[Customer]) -> list[Likely]:
    """Up to 20 others with the same phone, or the same name at the same post code; two statements at most."""
    alike = Q(phone=customer.phone) if customer.phone else Q(pk__in=[])
    if customer.name:
        alike |= Q(key=customer.name.lower())
    elif not customer.phone:
        return []
    others = among.annotate(key=Lower("name")).filter(alike, merged_into=None).exclude(pk=customer.pk)
    rows = list(others.order_by("pk")[:MOST])
    codes = _post_codes([customer.pk, *(row.pk for row in rows)])
    found = []
    for row in rows:
        same = ["phone"] if customer.phone and row.phone == customer.phone else []
        is_namesake = bool(customer.name) and row.name.lower() == customer.name.lower()
        if is_namesake and codes.get(row.pk, set()) & codes.get(customer.pk, set()):
            same.append("address")
        if same:
            found.append(Likely(row, tuple(same)))
    return found


def find_customers(text: str, among: QuerySet[Customer]) -> list[Customer]:
    """Up to 20 customers who were not merged, by e-mail, name or telephone: the whole of it, or parts.

    By parts as their own orders state them, of which 200 are read. Each lookup has an index; three statements at most.
    """
    text = " ".join(storable(text).split())
    if not text:
        return []
    email = text.lower()
    kept = (
        Customer.objects.filter(email=email).exclude(merged_into=None).values_list("merged_into", flat=True)
    )
    called = Q(email=email) | Q(phone=text) | Q(key=text.lower()) | Q(pk__in={*kept, *_ids_by_parts(text)})
    rows = among.annotate(key=Lower("name")).filter(called, merged_into=None)
    return list(rows.order_by("pk")[:MOST])


def _ids_by_parts(text: str) -> set[int]:
    """Customers who are called so, or whose orders state the telephone number."""
    phone = phone_part(text)
    words = [phone] if phone else text.upper().split()
    if min(map(len, words)) < SHORTEST_INNER:
        return set()
    orders = Order.objects.filter(customer__merged_into=None, customer__isnull=False)
    for word in words:
        orders = orders.filter(search_text__contains=word)
    found = set()
    for pk, name, email in orders.order_by().values_list("customer_id", "customer__name", "customer__email")[
        :ORDERS_READ
    ]:
        own = f"{name} {email}".upper()
        if pk is not None and (phone or all(word in own for word in words)):
            found.add(pk)
    return found


def _post_codes(customer_ids: Iterable[int]) -> dict[int, set[str]]:
    rows = Address.objects.filter(customer__in=list(customer_ids)).exclude(postal_code="")
    codes: dict[int, set[str]] = {}
    for pk, code in rows.values_list("customer_id", "postal_code").distinct():
        codes.setdefault(pk, set()).add(code)
    return codes
