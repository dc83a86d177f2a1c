"""Counts as their verbs see them: locked, with their lines."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import NotFound
from config.kernel.locks import lock_rows
from config.kernel.results import Results
from config.kernel.states import Edge
from config.kernel.visibility import seen_by
from inventory.models import StockCount, StockCountLine
from inventory.selectors.counting import REFERENCE

__all__ = ["REFERENCE", "Desk", "person"]


def person(actor: Actor) -> dict[str, str | int | None]:
    """Who counts, as it stands on the count."""
    label = "" if actor.kind == ActorKind.USER else actor.label[:80]
    return {"counter_kind": actor.kind, "counter_id": actor.id, "counter_label": label}


@dataclass(frozen=True, slots=True)
class Desk:
    """Locked counts by id, with their lines."""

    counts: Mapping[int, StockCount]
    lines: Mapping[int, Sequence[StockCountLine]]

    @classmethod
    def of(cls, count_ids: Iterable[int], *, actor: Actor) -> "Desk":
        """Lock counts that the actor sees by ascending pk; two statements."""
        every = StockCount.objects.select_related("location").filter(pk__in=list(count_ids))
        rows = seen_by(actor, every)
        counts = {row.pk: row for row in lock_rows("count", rows)}
        lines: dict[int, list[StockCountLine]] = defaultdict(list)
        for line in StockCountLine.objects.filter(count__in=list(counts)).select_related("sku"):
            lines[line.count_id].append(line)
        return cls(counts, lines)

    def sort_out(self, edge: Edge, results: Results[int]) -> None:
        """Answer those that are gone, that stand there already, or that do not stand where the edge begins."""
        for pk in results.keys:
            count = self.counts.get(pk)
            if count is None:
                results.refuse(pk, NotFound())
            elif count.status == edge.target:
                results.unchanged(pk)
            elif (problem := edge.refusal(count.status)) is not None:
                results.refuse(pk, problem)

    def facts(self, count_id: int, **more: int | str) -> Mapping[str, int | str]:
        """Codes and counts for an event."""
        return {"number": self.counts[count_id].number, "lines": len(self.lines[count_id]), **more}
