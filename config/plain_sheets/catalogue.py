"""Sheets of what stock can be of and where it lies: SKUs, and the bins of locations."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel import idempotency
from config.kernel.actors import Actor
from config.kernel.admin import admin_url
from config.kernel.batches import in_batches, retried
from config.kernel.visibility import seen_by
from config.plain_sheets.columns import LOCATION, Choice, Codes, Column, Text, Units, YesNo
from config.plain_sheets.sheets import Outcome, Row, Sheet, Step, register_sheet, twice
from inventory.enums import BinKind
from inventory.models import Barcode, Bin, Location, Sku
from inventory.selectors.scanning import Meanings
from inventory.services.bins import ADD_BIN, CHANGE_BIN, OWN_BINS, BinDraft, save_bins
from inventory.services.catalogue import (
    ADD_SKU,
    CHANGE_SKU,
    NewSku,
    SkuChange,
    barcodes_of,
    change_skus,
    create_skus,
)
from inventory.services.levels import lock_skus


def words_of(value: Any) -> str:
    """A value as the export writes it, so that what was exported changes nothing when it comes back."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, set | tuple | frozenset):
        return " ".join(sorted(value))
    return "" if value is None else str(value)


def _plan_skus(outcome: Outcome, _actor: Actor) -> None:
    rows = twice(outcome, lambda row: row.sku, "sku", _("it stands on line %(line)s already"))
    known = {sku.code: sku for sku in Sku.objects.filter(code__in=[row.sku for row in rows])}
    scanned = barcodes_of([sku.pk for sku in known.values()])
    _refuse_barcodes(outcome, rows)
    before = {code: scanned.get(sku.pk, set()) for code, sku in known.items()}
    _refuse_two_meanings(outcome, rows, before)
    for row in rows:
        sku = known.get(row.sku)
        step = Step(row, row.sku, "new" if sku is None else "same")
        if sku is None and not row.get("title"):
            outcome.complain(row, "title", "", _("it is empty, and a new SKU needs a title"))
        fields = {
            "title": sku.title if sku else None,
            "weight_grams": sku.weight_grams if sku else None,
            "active": sku.is_active if sku else None,
            "barcodes": before.get(row.sku, set()),
        }
        for name, old in fields.items():
            new = row.get(name)
            if new is not None and new not in ("", ()) and words_of(new) != words_of(old):
                step.changes.append((name, words_of(old), words_of(new)))
        if sku is not None and step.changes:
            step.what = "change"
        outcome.steps.append(step)


def _refuse_barcodes(outcome: Outcome, rows: Iterable[Row]) -> None:
    """Each barcode means one SKU, in the file and with those that are not in it."""
    wanted: dict[str, Row] = {}
    for row in rows:
        for code in row.get("barcodes") or ():
            first = wanted.setdefault(code, row)
            if first is not row:
                words = _("“%(code)s” is a barcode of line %(line)s already")
                outcome.complain(row, "barcodes", code, words % {"code": code, "line": first.line})
    stated = {row.sku for row in rows if row.get("barcodes")}
    taken = Barcode.objects.filter(code__in=list(wanted)).exclude(sku__code__in=stated)
    for code, sku in taken.values_list("code", "sku__code"):
        words = _("it is a barcode of %(sku)s; accepted is one that no other SKU has")
        outcome.complain(wanted[code], "barcodes", code, words % {"sku": sku})


def _refuse_two_meanings(
    outcome: Outcome, rows: Sequence[Row], before: Mapping[str, Collection[str]]
) -> None:
    """No barcode is another SKU's code, in the file and with those that are not in it. `before` are the barcodes of
    the SKUs that are known; what the file states replaces them."""
    meanings = Meanings.of({text for row in rows for text in (row.sku, *(row.get("barcodes") or ()))})
    stated = {row.sku for row in rows if row.get("barcodes")}
    meanings.barcodes = {code: sku for code, sku in meanings.barcodes.items() if sku not in stated}
    for row in rows:
        meanings.add(row.sku, ())
        if row.sku not in before and (problem := meanings.code_problem(row.sku)) is not None:
            outcome.complain(row, "sku", row.sku, str(problem))
    # One that a SKU keeps is judged too where the file makes a SKU of that code; what both were before is no matter.
    made = {row.sku for row in rows} - set(before)
    for row in rows:
        kept = set(before.get(row.sku, ())) - made
        new = [code for code in row.get("barcodes") or () if code not in kept]
        if (problem := meanings.barcode_problem(row.sku, new)) is not None:
            outcome.complain(row, "barcodes", problem.facts["code"], str(problem))


def _write_skus(outcome: Outcome, nonce: str, actor: Actor) -> str:
    new = [step.row for step in outcome.steps if step.what == "new"]
    drafts = [NewSku(row.sku, row.title, row.get("barcodes") or (), row.get("weight_grams")) for row in new]
    changes = [_sku_change(step.row) for step in outcome.steps if step.what == "change"]
    closed = [SkuChange(row.sku, is_active=False) for row in new if row.get("active") is False]

    def write() -> None:
        # Of a long file each batch alone would lock its SKUs in a sequence of its own.
        lock_skus(
            Sku.objects.filter(code__in=[change.code for change in changes]).values_list("pk", flat=True)
        )
        # First those that are there: a new SKU may take a barcode over that an old one gives up.
        in_batches(change_skus, changes, actor=actor).raise_refusals()
        in_batches(create_skus, drafts, actor=actor).raise_refusals()
        in_batches(change_skus, closed, actor=actor).raise_refusals()

    once("skus", nonce, outcome, write)
    return admin_url(Sku, "changelist")


def _sku_change(row: Row) -> SkuChange:
    return SkuChange(
        row.sku,
        row.get("title") or None,
        row.get("weight_grams"),
        row.get("active"),
        row.get("barcodes") or None,
    )


def once(kind: str, nonce: str, outcome: Outcome, write: Any) -> None:
    """All of it in one transaction; the same nonce again does nothing."""

    def once() -> None:
        with transaction.atomic():
            if idempotency.begin("plain_sheet", nonce, {"kind": kind, "mark": outcome.mark()}) is None:
                write()
                idempotency.finish("plain_sheet", nonce, {"rows": len(outcome.work)})

    retried(once)


def places(actor: Actor, codes: Iterable[str]) -> dict[str, Location]:
    """The locations that an actor sees, by code."""
    rows = seen_by(actor, Location.objects.filter(code__in=set(codes)))
    return {place.code: place for place in rows}


def unknown_place(outcome: Outcome, row: Row) -> None:
    outcome.complain(row, "location", row.location, _("accepted is the code of a location where you work"))


def _plan_bins(outcome: Outcome, actor: Actor) -> None:
    words = _("this location has it on line %(line)s already")
    rows = twice(outcome, lambda row: (row.location, row.bin), "bin", words)
    found = places(actor, (row.location for row in rows))
    known = {
        (row.location.code, row.code): row
        for row in Bin.objects.filter(location__in=found.values()).select_related("location")
    }
    for row in rows:
        if row.location not in found:
            unknown_place(outcome, row)
            continue
        kept, kind = known.get((row.location, row.bin)), row.get("kind")
        step = Step(row, f"{row.location} · {row.bin}", "new" if kept is None else "same")
        if kept is None:
            step.changes.append(("kind", "", str(kind or BinKind.SHELF)))
        elif kind is not None and kept.kind != kind:
            step.what = "change"
            step.changes.append(("kind", kept.kind, str(kind)))
        own = kind is None or kind in OWN_BINS
        if step.what != "same" and not (own and (kept is None or kept.kind in OWN_BINS)):
            accepted = _("accepted are shelf and tote; default and quarantine come with the location")
            outcome.complain(row, "kind", kind or "", accepted)
        outcome.steps.append(step)


def _write_bins(outcome: Outcome, nonce: str, actor: Actor) -> str:
    found = places(actor, (step.row.location for step in outcome.work))
    drafts = [
        BinDraft(found[step.row.location].pk, step.row.bin, step.row.get("kind") or BinKind.SHELF)
        for step in outcome.work
    ]
    once("bins", nonce, outcome, lambda: in_batches(save_bins, drafts, actor=actor).raise_refusals())
    return admin_url(Bin, "changelist")


def register() -> None:
    register_sheet(
        Sheet(
            "skus", "inventory.sku", gettext_lazy("SKUs"),
            gettext_lazy("New SKUs are made, known ones changed. An empty cell leaves what is there."),
            (ADD_SKU, CHANGE_SKU),
            (
                Column("sku", Text(64, is_code=True), gettext_lazy("Your code of the SKU"), is_needed=True,
                       also=("code", "codice", "variant sku", "reference", "upc")),
                Column("title", Text(200), gettext_lazy("A new SKU needs one"),
                       also=("name", "titolo", "product name", "descrizione")),
                Column("barcodes", Codes(64),
                       gettext_lazy("One or several, with blanks between; they replace those before"),
                       also=("barcode", "ean", "gtin", "variant barcode")),
                Column("weight_grams", Units(), gettext_lazy("Whole grams"), also=("weight", "peso", "variant grams")),
                Column("active", YesNo(), gettext_lazy("yes or no"), also=("attivo",)),
            ),
            _plan_skus, _write_skus,
        )
    )  # fmt: skip
    kinds = {kind.value: kind for kind in BinKind}
    register_sheet(
        Sheet(
            "bins", "inventory.bin", gettext_lazy("bins"),
            gettext_lazy("Shelves and totes are made, or change their kind. No stock moves."),
            (ADD_BIN, CHANGE_BIN),
            (
                Column("location", Text(16, is_code=True), LOCATION, is_needed=True, also=("ubicazione", "warehouse")),
                Column("bin", Text(32, is_code=True), gettext_lazy("Code of the bin, once in each location"),
                       is_needed=True, also=("code", "scaffale", "shelf")),
                Column("kind", Choice(kinds), gettext_lazy("shelf or tote; empty means shelf"), also=("tipo",)),
            ),
            _plan_bins, _write_bins,
        )
    )  # fmt: skip
