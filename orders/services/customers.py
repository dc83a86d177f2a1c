"""Buyers and their addresses as an order states them."""

from collections.abc import Iterable, Mapping

from django.db.models import Q

from config.kernel import clock
from config.kernel.compiled_reads import CompiledRead
from config.kernel.fastpath import Among, insert_missing, new_row
from config.kernel.texts import storable
from orders.models import Address, Customer
from orders.neutral import NeutralAddress, NeutralOrder
from orders.services.texts import fit, limit_of

ADDRESS_FIELDS = (
    "name", "company", "line1", "line2", "city", "region", "postal_code", "country_code", "phone", "email",
)  # fmt: skip


def email_of(order: NeutralOrder) -> str:
    """The buyer's e-mail in lower case; empty when there is none, or one too long to be an address."""
    stated = order.buyer.email or (order.bill_to.email if order.bill_to else "")
    stated = stated or (order.ship_to.email if order.ship_to else "")
    email = storable(stated).strip().lower()
    return email if len(email) <= limit_of(Customer, "email") else ""


def language_of(order: NeutralOrder, otherwise: str) -> str:
    """The buyer's language as its first subtag (“it” of “it-IT”), else the channel's."""
    first = order.buyer.language.strip().lower().replace("_", "-").partition("-")[0]
    return first if first.isascii() and first.isalpha() and len(first) <= 8 else otherwise


# Without the words of the index's own condition PostgreSQL reads all customers instead of the index.
_by_email = CompiledRead(
    lambda emails: Customer.objects.filter(~Q(email=""), Among("email", emails)).order_by()
)


def find_or_make_customers(orders: Iterable[tuple[NeutralOrder, str]]) -> Mapping[str, Customer]:
    """Customers by lower-case e-mail, for orders with their language; those without an e-mail get none.

    Two statements, four at most, in the caller's transaction. A customer who is known stays as they are, language
    included: the order carries its own snapshot.
    """
    wanted: dict[str, Customer] = {}
    for order, language in orders:
        email = email_of(order)
        if email and email not in wanted:
            wanted[email] = new_row(
                Customer,
                email=email,
                name=fit(Customer, "name", order.buyer.name),
                phone=fit(Customer, "phone", order.buyer.phone),
                language=language,
                created_at=clock.now(),
            )
    found = {row.email: row for row in _by_email(wanted)}
    missing = sorted(set(wanted) - set(found))
    if missing:
        # Sorted: two intakes that make the same customers wait for each other in one order.
        rows = [wanted[email] for email in missing]
        is_named = insert_missing(Customer, rows)
        found |= {row.email: row for row in (rows if is_named else _by_email(missing))}
    return _kept(found)


def _kept(found: Mapping[str, Customer]) -> Mapping[str, Customer]:
    """Those who were merged are who they were merged into; one statement, none where nobody was."""
    merged = {row.merged_into_id for row in found.values() if row.merged_into_id is not None}
    if not merged:
        return found
    kept = Customer.objects.in_bulk(merged)
    return {
        email: row if row.merged_into_id is None else kept[row.merged_into_id] for email, row in found.items()
    }


def address_row(stated: NeutralAddress, pk: int, customer_id: int | None) -> tuple[Address, tuple[str, ...]]:
    """An unsaved snapshot, and the names of the fields that had to be cut to fit."""
    texts = {name: text for name in ADDRESS_FIELDS if (text := getattr(stated, name))}
    cut = tuple(name for name, text in texts.items() if len(text.strip()) > limit_of(Address, name))
    fitting = {name: fit(Address, name, text) for name, text in texts.items()}
    return new_row(Address, id=pk, customer_id=customer_id, **fitting), cut
