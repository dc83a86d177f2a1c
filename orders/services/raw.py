"""Raw orders: bodies kept as they came, before anything reads them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import BigIntegerField, Case, Value, When
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput
from config.kernel.languages import kept_words
from config.kernel.results import Results
from config.kernel.texts import is_storable, shown_whole
from orders.models import RawOrder
from orders.services.texts import fit

MOST_CHARACTERS = 5_000_000


@dataclass(frozen=True, slots=True)
class RawEntry:
    """One body to keep. `key` is the caller's own name for it; `external_id` may be unknown yet; `source` names
    the door and the format ("file:woocommerce")."""

    key: str
    source: str
    external_id: str
    body: str


@verb
def store_raw_orders(entries: Sequence[RawEntry], *, sales_channel_id: int) -> Results[str]:
    """Keep bodies untouched; the value of each key is the raw order's pk. At most 200, three statements.

    A body that came before on this channel from the same source is `unchanged` with its pk, also where it
    stands twice in one call, and where another door stores it at the same moment.

    Refuses: `InvalidInput` for a body that no database keeps (NUL, half a surrogate pair) or that is longer
    than 5,000,000 characters.
    """
    results: Results[str] = Results(entry.key for entry in entries)
    rows = {}
    for entry in entries:
        if (problem := _fault(entry.body)) is not None:
            results.refuse(entry.key, problem)
        else:
            rows[entry.key] = _row(entry, sales_channel_id)
    hashes = sorted({row.body_hash for row in rows.values()})
    with batch_transaction():
        before = _by_mark(sales_channel_id, hashes)
        new = {_mark(row): row for row in reversed(rows.values()) if _mark(row) not in before}
        RawOrder.objects.bulk_create([new[mark] for mark in sorted(new)], ignore_conflicts=True)
        after = before | (_by_mark(sales_channel_id, hashes) if new else {})
    for key, row in rows.items():
        if new.pop(_mark(row), None) is not None:
            results.done(key, after[_mark(row)])
        else:
            results.unchanged(key, after[_mark(row)])
    return results


def settle_raw_orders(orders: Mapping[int, int]) -> None:
    """Link raw orders to the order that each became, by pk, and take their problem back: one statement."""
    if orders:
        became = [When(pk=pk, then=Value(order_id)) for pk, order_id in orders.items()]
        RawOrder.objects.filter(pk__in=orders).update(
            order_id=Case(*became, output_field=BigIntegerField()), problem="", settled_at=clock.now()
        )


def record_problems(problems: Mapping[int, BancaleError]) -> None:
    """Say on raw orders, by pk, why they became no order: they stay open for another try. One statement."""
    RawOrder.objects.bulk_update(
        [RawOrder(pk=pk, problem=kept_words(problem)) for pk, problem in problems.items()], ["problem"]
    )


def name_raw_orders(external_ids: Mapping[int, str]) -> None:
    """Write the channel's reference on raw orders, by pk, once it has been read: one statement."""
    RawOrder.objects.bulk_update(
        [
            RawOrder(pk=pk, external_id=fit(RawOrder, "external_id", name))
            for pk, name in external_ids.items()
        ],
        ["external_id"],
    )


def _row(entry: RawEntry, sales_channel_id: int) -> RawOrder:
    return RawOrder(
        sales_channel_id=sales_channel_id,
        source=fit(RawOrder, "source", entry.source),
        external_id=fit(RawOrder, "external_id", entry.external_id),
        body=entry.body,
        body_hash=hashlib.sha256(entry.body.encode()).hexdigest(),
        received_at=clock.now(),
    )


def _mark(row: RawOrder) -> tuple[str, str]:
    return row.source, row.body_hash


def _by_mark(sales_channel_id: int, hashes: Sequence[str]) -> dict[tuple[str, str], int]:
    found = RawOrder.objects.filter(sales_channel_id=sales_channel_id, body_hash__in=hashes)
    return {(source, digest): pk for pk, source, digest in found.values_list("pk", "source", "body_hash")}


def _fault(body: str) -> InvalidInput | None:
    accepted = _("accepted is text without NUL characters, of up to 5,000,000 characters")
    if len(body) > MOST_CHARACTERS or not is_storable(body):
        return InvalidInput(field="body", value=shown_whole(body[:40]), accepted=accepted)
    return None
