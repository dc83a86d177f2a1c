"""What is on its way between locations."""

from collections.abc import Iterable

from django.db.models import F, QuerySet, Sum

from inventory.enums import TransferStatus
from inventory.models import Transfer, TransferLine


def lines_in_transit(sku_ids: Iterable[int]) -> QuerySet[TransferLine]:
    """Lines of transfers that were sent and not received yet, oldest first."""
    rows = TransferLine.objects.filter(sku__in=set(sku_ids), transfer__status=TransferStatus.SENT)
    return rows.select_related("transfer__destination", "transfer__origin").order_by("transfer_id", "pk")


def incoming_units(sku_ids: Iterable[int]) -> dict[tuple[int, int], int]:
    """Units on their way, by (sku_id, destination); one statement."""
    rows = (
        TransferLine.objects.filter(sku__in=set(sku_ids), transfer__status=TransferStatus.SENT)
        .order_by()
        .values_list("sku_id", "transfer__destination_id")
        .annotate(units=Sum(F("sent") - F("received") - F("lost") - F("returned")))
    )
    return {(sku_id, location_id): units for sku_id, location_id, units in rows if units}


def lines_of(transfer_id: int) -> list[TransferLine]:
    """The lines of a transfer with their SKUs; one statement."""
    return list(TransferLine.objects.filter(transfer=transfer_id).select_related("sku").order_by("pk"))


def arriving(transfers: QuerySet[Transfer]) -> QuerySet[Transfer]:
    """Transfers that are on their way."""
    return transfers.filter(status=TransferStatus.SENT)
