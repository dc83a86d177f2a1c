"""SKUs, kits and locations: what stock can be of, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, InvalidInput, NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.history import CHANGED, CREATED, DELETED, record_history
from config.kernel.results import Results
from inventory.enums import LIVE_RESERVATION, BinKind
from inventory.errors import KitOfKits, KitWithoutParts, SkuHoldsStock
from inventory.models import Barcode, Bin, KitPart, Location, Reservation, Sku, StockLevel
from inventory.selectors.alerts import mistold_levels
from inventory.selectors.scanning import Meanings
from inventory.selectors.transit import lines_in_transit
from inventory.services.arrivals import refuse_quantity
from inventory.services.levels import lock_levels, lock_skus, record_crossed
from inventory.services.texts import refuse_long
from inventory.uses import uses_of

ADD_SKU = "inventory.add_sku"
CHANGE_SKU = "inventory.change_sku"
ADD_LOCATION = "inventory.add_location"
DEFAULT_BIN, QUARANTINE_BIN = "DEFAULT", "QUARANTINE"


@dataclass(frozen=True, slots=True)
class NewSku:
    code: str
    title: str
    barcodes: tuple[str, ...] = ()
    weight_grams: int | None = None

    @property
    def key(self) -> str:
        return self.code


@verb
def create_skus(drafts: Sequence[NewSku], *, actor: Actor) -> Results[str]:
    """Create SKUs by code with their barcodes; the value is the pk. An existing code comes back `unchanged`.

    At most 200. Refuses `NotAllowed`; `InvalidInput` for a text that is too long; `CodeMeansTwo` for a code that is
    another SKU's barcode, or the other way round; a barcode that another SKU has is refused as `conflict`.
    """
    actor.require(ADD_SKU)
    results: Results[str] = Results(draft.code for draft in drafts)
    at = clock.now()
    with batch_transaction():
        known = dict(Sku.objects.filter(code__in=results.keys).values_list("code", "pk"))
        for code, pk in known.items():
            results.unchanged(code, pk)
        fresh = []
        meanings = Meanings.of({text for draft in drafts for text in (draft.code, *draft.barcodes)})
        for draft in (draft for draft in drafts if draft.code not in known):
            problem = _problem(draft, meanings)
            if problem is None:
                meanings.add(draft.code, draft.barcodes)
                fresh.append(draft)
            else:
                results.refuse(draft.code, problem)
        rows = Sku.objects.bulk_create(
            Sku(code=draft.code, title=draft.title, weight_grams=draft.weight_grams, created_at=at)
            for draft in fresh
        )
        for row in rows:
            results.done(row.code, row.pk)
        barcodes = Barcode.objects.bulk_create(
            Barcode(sku=row, code=code)
            for draft, row in zip(fresh, rows, strict=True)
            for code in draft.barcodes
        )
        record_history([*rows, *barcodes], CREATED, actor=actor)
    return results


def _problem(draft: NewSku, meanings: Meanings) -> BancaleError | None:
    return (
        refuse_long(Sku, "code", draft.code)
        or _too_long(draft.title, draft.barcodes)
        or meanings.code_problem(draft.code)
        or meanings.barcode_problem(draft.code, draft.barcodes)
    )


def _too_long(title: str | None, barcodes: Sequence[str] | None) -> InvalidInput | None:
    return refuse_long(Sku, "title", title or "") or refuse_long(Barcode, "code", *barcodes or ())


@dataclass(frozen=True, slots=True)
class SkuChange:
    """What becomes of one SKU; None leaves it as it is. `barcodes` replace those before."""

    code: str
    title: str | None = None
    weight_grams: int | None = None
    is_active: bool | None = None
    barcodes: tuple[str, ...] | None = None

    @property
    def key(self) -> str:
        return self.code


@verb
def change_skus(changes: Sequence[SkuChange], *, actor: Actor) -> Results[str]:
    """Change SKUs by code and tell their timelines; the values are the pks. One that is so already is `unchanged`.

    At most 200. Locks the SKUs by ascending pk. Alerts follow which of them are active. Refuses: `NotFound` for an
    unknown code; `InvalidInput` for a text that is too long; `CodeMeansTwo` for a new barcode that is another SKU's
    code; a barcode that another SKU has is refused as `conflict`. Raises `NotAllowed`.
    """
    actor.require(CHANGE_SKU)
    results: Results[str] = Results(change.code for change in changes)
    with batch_transaction():
        ids = Sku.objects.filter(code__in=results.keys).values_list("pk", flat=True)
        rows = {row.code: row for row in lock_skus(ids)}
        scanned = barcodes_of([row.pk for row in rows.values()])
        meanings = Meanings.of({code for change in changes for code in change.barcodes or ()})
        entries = []
        for change in changes:
            row = rows.get(change.code)
            if row is None:
                results.refuse(change.code, NotFound(sku=change.code))
                continue
            before = scanned.get(row.pk, set())
            new_codes = [code for code in change.barcodes or () if code not in before]
            problem = _too_long(change.title, change.barcodes) or meanings.barcode_problem(
                row.code, new_codes
            )
            if problem is not None:
                results.refuse(change.code, problem)
                continue
            fields = _changed_fields(row, before, change)
            if not fields:
                results.unchanged(change.code, row.pk)
                continue
            row.version += 1
            entries.append(Entry(("sku", row.pk), Thread("sku", row.pk), "edited", facts={"fields": fields}))
            results.done(change.code, row.pk)
        chosen = [rows[code] for code in results.done_ids]
        Sku.objects.bulk_update(chosen, ["title", "weight_grams", "is_active", "version"])
        record_history(chosen, CHANGED, actor=actor)
        if any(one.is_active is not None for one in changes):
            record_crossed(mistold_levels(StockLevel.objects.filter(sku__in=chosen)))
        wanted = {rows[one.code].pk: one.barcodes for one in changes if results.is_done(one.code)}
        _write_barcodes(wanted, actor)
        record_events(entries, actor=actor)
    return results


def barcodes_of(sku_ids: Sequence[int]) -> dict[int, set[str]]:
    """The barcodes of SKUs; one statement."""
    found: dict[int, set[str]] = {}
    for pk, code in Barcode.objects.filter(sku__in=sku_ids).values_list("sku", "code"):
        found.setdefault(pk, set()).add(code)
    return found


def _changed_fields(row: Sku, scanned: set[str], change: SkuChange) -> list[str]:
    """Set what differs; labels of the fields."""
    fields = []
    for name in ("title", "weight_grams", "is_active"):
        wanted = getattr(change, name)
        if wanted is not None and wanted != getattr(row, name):
            setattr(row, name, wanted)
            column: Any = Sku._meta.get_field(name)
            fields.append(str(column.verbose_name))
    if change.barcodes is not None and set(change.barcodes) != scanned:
        fields.append(str(Barcode._meta.verbose_name_plural))
    return fields


def _write_barcodes(wanted: Mapping[int, tuple[str, ...] | None], actor: Actor) -> None:
    """All that go first, since one SKU may take over what another gives up."""
    named = {pk: codes for pk, codes in wanted.items() if codes is not None}
    if not named:
        return
    rows = list(Barcode.objects.filter(sku__in=named))
    gone = [row for row in rows if row.code not in named[row.sku_id]]
    kept = {(row.sku_id, row.code) for row in rows}
    record_history(gone, DELETED, actor=actor)
    # Past the signals, as in `_write_kits`.
    former = Barcode.objects.filter(pk__in=[row.pk for row in gone])
    former._raw_delete(former.db)
    made = Barcode.objects.bulk_create(
        Barcode(sku_id=pk, code=code)
        for pk, codes in named.items()
        for code in dict.fromkeys(codes)
        if (pk, code) not in kept
    )
    record_history(made, CREATED, actor=actor)


@dataclass(frozen=True, slots=True)
class PartOfKit:
    """`value_weight` shares the kit's price among its parts."""

    part_id: int
    per_unit: int = 1
    value_weight: int = 1


@verb
def save_kits(
    kit_ids: Sequence[int], *, parts: Mapping[int, Sequence[PartOfKit]], actor: Actor
) -> Results[int]:
    """Say what kits are made of; SKUs that were none become kits. The parts replace those before.

    Orders keep the parts that they froze; low-stock alerts of what became a kit end. Locks the kits and their parts,
    since neither may become the other's opposite meanwhile, then the kits' levels. The same parts again come back
    `unchanged`.

    Refuses: `NotAllowed`; `NotFound`; `SkuHoldsStock` while there are units or promises of it, and what upper rooms
    refuse that still need it as it is (`inventory.uses`); `KitOfKits` for a part that is a kit, and for a kit that
    is a part; `KitWithoutParts`; `InvalidInput` for a quantity, and for a part named twice.
    """
    actor.require(CHANGE_SKU)
    results: Results[int] = Results(kit_ids)
    with batch_transaction():
        part_ids = {part.part_id for pk in kit_ids for part in parts.get(pk, ())}
        locked = {row.pk: row for row in lock_skus({*kit_ids, *part_ids})}
        rows = {pk: locked[pk] for pk in kit_ids if pk in locked}
        lock_levels(kit_ids)
        facts = _KitFacts.of(list(rows.values()), parts)
        for pk in kit_ids:
            problem = NotFound(sku_id=pk) if pk not in rows else facts.problem(rows[pk], parts.get(pk, ()))
            if problem is not None:
                results.refuse(pk, problem)
            elif rows[pk].is_kit and facts.now.get(pk) == set(parts[pk]):
                results.unchanged(pk)
            else:
                results.done(pk)
        _write_kits([rows[pk] for pk in results.done_ids], parts, actor)
    return results


@dataclass(slots=True)
class _KitFacts:
    """What decides whether SKUs can be kits of these parts."""

    held: set[int]
    uses: dict[int, BancaleError]
    parts_of_others: set[int]
    known: dict[int, bool]
    now: dict[int, set[PartOfKit]]

    @classmethod
    def of(cls, kits: Sequence[Sku], parts: Mapping[int, Sequence[PartOfKit]]) -> "_KitFacts":
        kit_ids = [kit.pk for kit in kits]
        part_ids = {part.part_id for wanted in parts.values() for part in wanted}
        live = Reservation.objects.filter(sku_id__in=kit_ids, state__in=LIVE_RESERVATION)
        stocked = StockLevel.objects.filter(sku_id__in=kit_ids, on_hand__gt=0)
        now: dict[int, set[PartOfKit]] = {}
        for row in KitPart.objects.filter(kit_id__in=kit_ids):
            now.setdefault(row.kit_id, set()).add(PartOfKit(row.part_id, row.per_unit, row.value_weight))
        return cls(
            held={
                *stocked.values_list("sku_id", flat=True),
                *live.values_list("sku_id", flat=True),
                *lines_in_transit(kit_ids).values_list("sku_id", flat=True),
            },
            uses=uses_of([kit.pk for kit in kits if not kit.is_kit]),
            parts_of_others=set(
                KitPart.objects.filter(part_id__in=kit_ids).values_list("part_id", flat=True)
            ),
            known=dict(Sku.objects.filter(pk__in=part_ids).values_list("pk", "is_kit"))
            | dict.fromkeys(part_ids & set(kit_ids), True),
            now=now,
        )

    def problem(self, kit: Sku, parts: Sequence[PartOfKit]) -> BancaleError | None:
        if kit.pk in self.held:
            return SkuHoldsStock(sku=kit.code)
        if kit.pk in self.uses:
            return self.uses[kit.pk]
        if kit.pk in self.parts_of_others:
            return KitOfKits(sku=kit.code)
        if not parts:
            return KitWithoutParts()
        seen: set[int] = set()
        for part in parts:
            if part.part_id in seen:
                return InvalidInput(
                    field="part", value=part.part_id, accepted=_("accepted is each part once")
                )
            seen.add(part.part_id)
            if part.part_id not in self.known:
                return NotFound(sku_id=part.part_id)
            if self.known[part.part_id] or part.part_id == kit.pk:
                return KitOfKits(sku=kit.code)
            if (problem := refuse_quantity(part.per_unit)) is not None:
                return problem
        return None


def kit_problem(kit: Sku, parts: Sequence[PartOfKit]) -> BancaleError | None:
    """Why `save_kits` would refuse these parts now; for a form to say before it is sent."""
    return _KitFacts.of([kit], {kit.pk: parts}).problem(kit, parts)


def _write_kits(kits: Sequence[Sku], parts: Mapping[int, Sequence[PartOfKit]], actor: Actor) -> None:
    if not kits:
        return
    became = [kit for kit in kits if not kit.is_kit]
    Sku.objects.filter(pk__in=[kit.pk for kit in kits]).update(is_kit=True, version=F("version") + 1)
    for kit in kits:
        kit.is_kit = True
    wanted = {(kit.pk, part.part_id): part for kit in kits for part in parts[kit.pk]}
    rows = {(row.kit_id, row.part_id): row for row in KitPart.objects.filter(kit__in=kits)}
    gone = [row for key, row in rows.items() if key not in wanted]
    record_history(gone, DELETED, actor=actor)
    # Past the signals, which would write the same history once more, a statement a row.
    former = KitPart.objects.filter(pk__in=[row.pk for row in gone])
    former._raw_delete(former.db)
    changed = [row for key, row in rows.items() if key in wanted and _differs(row, wanted[key])]
    KitPart.objects.bulk_update(changed, ["per_unit", "value_weight"])
    made = KitPart.objects.bulk_create(
        KitPart(kit_id=kit_id, part_id=part_id, per_unit=part.per_unit, value_weight=part.value_weight)
        for (kit_id, part_id), part in wanted.items()
        if (kit_id, part_id) not in rows
    )
    record_history([*became, *changed], CHANGED, actor=actor)
    record_history(made, CREATED, actor=actor)
    if became:
        record_crossed(mistold_levels(StockLevel.objects.filter(sku__in=became)))


def _differs(row: KitPart, wanted: PartOfKit) -> bool:
    """Set what a part is to be; whether it was something else."""
    now = (row.per_unit, row.value_weight)
    row.per_unit, row.value_weight = wanted.per_unit, wanted.value_weight
    return now != (wanted.per_unit, wanted.value_weight)


def create_location(location: Location, *, actor: Actor) -> Location:
    """Save a new location with its default and its quarantine bin."""
    actor.require(ADD_LOCATION)
    with transaction.atomic():
        location.save(force_insert=True)
        bins = Bin.objects.bulk_create(
            [
                Bin(location=location, code=DEFAULT_BIN, kind=BinKind.DEFAULT),
                Bin(location=location, code=QUARANTINE_BIN, kind=BinKind.QUARANTINE),
            ]
        )
        record_history(bins, CREATED, actor=actor)
    return location
