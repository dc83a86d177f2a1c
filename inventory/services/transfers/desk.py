"""Transfers as their verbs see them: locked, with their lines."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.kernel.actors import Actor
from config.kernel.errors import NotFound, NotYourPlace
from config.kernel.locks import lock_rows
from config.kernel.results import Results
from config.kernel.states import Edge
from config.kernel.visibility import seen_by
from inventory.enums import BinKind
from inventory.models import Bin, Transfer, TransferLine
from inventory.owners import Reference

REFERENCE = "transfer"


@dataclass(frozen=True, slots=True)
class Desk:
    """Locked transfers by id, with their lines."""

    transfers: Mapping[int, Transfer]
    lines: Mapping[int, Sequence[TransferLine]]

    @classmethod
    def of(cls, transfer_ids: Iterable[int], *, actor: Actor) -> "Desk":
        """Lock transfers that the actor sees by ascending pk; two statements."""
        every = Transfer.objects.select_related("origin", "destination").filter(pk__in=list(transfer_ids))
        rows = seen_by(actor, every)
        transfers = {row.pk: row for row in lock_rows("transfer", rows)}
        lines: dict[int, list[TransferLine]] = defaultdict(list)
        for line in TransferLine.objects.filter(transfer__in=list(transfers)).select_related("sku"):
            lines[line.transfer_id].append(line)
        return cls(transfers, lines)

    def sort_out(self, edge: Edge, results: Results[int], *, actor: Actor, at: str) -> None:
        """Answer those that are gone, that the other end (`at`: origin or destination) has to move, that stand there
        already, or that do not stand where the edge begins."""
        for pk in results.keys:
            transfer = self.transfers.get(pk)
            if transfer is None:
                results.refuse(pk, NotFound())
            elif not actor.sees_place(getattr(transfer, f"{at}_id")):
                results.refuse(pk, NotYourPlace(location=getattr(transfer, at).name))
            elif transfer.status == edge.target:
                results.unchanged(pk)
            elif (problem := edge.refusal(transfer.status)) is not None:
                results.refuse(pk, problem)

    def facts(self, transfer_id: int, **more: int | str) -> Mapping[str, int | str]:
        """Codes and counts for an event."""
        units = sum(line.sent for line in self.lines[transfer_id])
        return {"number": self.transfers[transfer_id].number, "units": units, **more}


def document_of(transfer: Transfer) -> Reference:
    return (REFERENCE, transfer.pk)


def default_bins(location_ids: Iterable[int]) -> dict[int, int]:
    """The default bin of each location; one statement."""
    rows = Bin.objects.filter(location__in=list(location_ids), kind=BinKind.DEFAULT)
    return dict(rows.values_list("location_id", "pk"))
