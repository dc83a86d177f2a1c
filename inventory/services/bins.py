"""Shelves and totes of locations."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput, NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.history import CHANGED, CREATED, record_history
from config.kernel.results import Results
from config.kernel.visibility import seen_by
from inventory.enums import BinKind
from inventory.models import Bin, Location
from inventory.services.texts import refuse_long

ADD_BIN, CHANGE_BIN = "inventory.add_bin", "inventory.change_bin"
# A location's default and quarantine bins come with it and stay.
OWN_BINS = (BinKind.SHELF, BinKind.TOTE)


@dataclass(frozen=True, slots=True)
class BinDraft:
    """A bin as it is to be."""

    location_id: int
    code: str
    kind: BinKind = BinKind.SHELF

    @property
    def key(self) -> tuple[int, str]:
        return (self.location_id, self.code)


@verb
def save_bins(drafts: Sequence[BinDraft], *, actor: Actor) -> Results[tuple[int, str]]:
    """Make bins, or change their kind; the values are the pks. One that is so already is `unchanged`.

    At most 200. Refuses: `NotFound` for a location that the actor does not see; `InvalidInput` for a code that is
    too long, and for a kind that comes with the location. Raises `NotAllowed`. Each location's timeline is told.
    """
    actor.require(ADD_BIN)
    actor.require(CHANGE_BIN)
    results: Results[tuple[int, str]] = Results(draft.key for draft in drafts)
    with batch_transaction():
        ids = {draft.location_id for draft in drafts}
        seen = seen_by(actor, Location.objects.filter(pk__in=ids))
        places = set(seen.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
        known = {(row.location_id, row.code): row for row in Bin.objects.filter(location__in=places)}
        new, changed = [], []
        for draft in drafts:
            row = known.get(draft.key)
            if (problem := _problem(draft, row, places)) is not None:
                results.refuse(draft.key, problem)
            elif row is None:
                new.append(Bin(location_id=draft.location_id, code=draft.code, kind=draft.kind))
            elif row.kind == draft.kind:
                results.unchanged(draft.key, row.pk)
            else:
                row.kind = draft.kind
                changed.append(row)
        Bin.objects.bulk_create(new)
        Bin.objects.bulk_update(changed, ["kind"])
        record_history(new, CREATED, actor=actor)
        record_history(changed, CHANGED, actor=actor)
        for row in (*new, *changed):
            results.done((row.location_id, row.code), row.pk)
        _tell([*new, *changed], actor)
    return results


def _problem(draft: BinDraft, row: Bin | None, places: set[int]) -> BancaleError | None:
    if draft.location_id not in places:
        return NotFound(location_id=draft.location_id)
    if (problem := refuse_long(Bin, "code", draft.code)) is not None:
        return problem
    if (row is not None and row.kind == draft.kind) or (
        draft.kind in OWN_BINS and (row is None or row.kind in OWN_BINS)
    ):
        return None
    accepted = _("accepted are shelf and tote; default and quarantine come with the location")
    return InvalidInput(field=str(_("kind")), value=draft.kind, accepted=str(accepted))


def _tell(rows: Sequence[Bin], actor: Actor) -> None:
    by_place: dict[int, list[str]] = {}
    for row in rows:
        by_place.setdefault(row.location_id, []).append(row.code)
    entries = [
        Entry(
            ("location", pk),
            Thread("location", pk),
            "bins_saved",
            facts={"bins": codes[:50], "count": len(codes)},
        )
        for pk, codes in sorted(by_place.items())
    ]
    record_events(entries, actor=actor)
