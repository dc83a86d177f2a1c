"""Customers who are likely one and the same."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from orders.models import Address, Customer

MOST = 20


@dataclass(frozen=True, slots=True)
class Likely:
    """Another customer and what both have in common: "phone", or "address" (name and post code)."""

    customer: Customer
    same: tuple[str, ...]


def not_merged() -> QuerySet[Customer]:
    return Customer.objects.filter(merged_into=None)


def likely_duplicates(customer: Customer) -> list[Likely]:
    """Up to 20 others with the same phone, or the same name at the same post code; two statements at most."""
    alike = Q(phone=customer.phone) if customer.phone else Q(pk__in=[])
    if customer.name:
        alike |= Q(key=customer.name.lower())
    elif not customer.phone:
        return []
    others = not_merged().annotate(key=Lower("name")).filter(alike).exclude(pk=customer.pk)
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


def _post_codes(customer_ids: Iterable[int]) -> dict[int, set[str]]:
    rows = Address.objects.filter(customer__in=list(customer_ids)).exclude(postal_code="")
    codes: dict[int, set[str]] = {}
    for pk, code in rows.values_list("customer_id", "postal_code").distinct():
        codes.setdefault(pk, set()).add(code)
    return codes
