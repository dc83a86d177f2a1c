"""Sheets of units: what was counted, what came in, and how much a location wants. Never a level itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.actors import Actor
from config.kernel.admin import admin_url
from config.kernel.batches import MAX_BATCH, in_batches
from config.kernel.errors import BancaleError
from config.plain_sheets.catalogue import once, places, unknown_place
from config.plain_sheets.columns import LOCATION, SKU, Column, Text, Units
from config.plain_sheets.sheets import Outcome, Row, Sheet, Step, by_place, chunks, register_sheet, twice
from inventory.models import Location, Sku, StockCount, StockLevel, StockReceipt
from inventory.selectors.sku_page import found_skus
from inventory.services.counts import CountPlan, CountSheet, book_counts, cancel_counts, record_counts
from inventory.services.levels import lock_levels, lock_skus
from inventory.services.policies import CHANGE_LEVEL, LevelPolicy, set_policies
from inventory.services.receipts import Delivery, ReceivedLine, book_receipts
from inventory.services.receiving import RECEIVE
from inventory.states import CANCEL_COUNT, COUNT_STOCK

FIGURES = ("buffer", "reorder_point", "target")


def _found(outcome: Outcome, actor: Actor, *, is_open: bool = False) -> list[Row]:
    """The rows whose location and SKU are known, each as `place` and `item`; the others are complained of."""
    at, skus = (
        places(actor, (row.location for row in outcome.rows)),
        found_skus([row.sku for row in outcome.rows]),
    )
    good = []
    for row in outcome.rows:
        row.place, row.item = at.get(row.location), skus.get(row.sku)
        if row.place is None:
            unknown_place(outcome, row)
        elif is_open and not row.place.is_active:
            outcome.complain(row, "location", row.location, _("it is not active, and takes no goods in"))
        if row.item is None:
            outcome.complain(
                row, "sku", row.sku, _("accepted is the code or a barcode of a SKU that we have")
            )
        elif row.item.is_kit:
            outcome.complain(row, "sku", row.sku, _("a kit holds no stock, its parts do"))
        elif row.place is not None:
            good.append(row)
    return good


def _each_once(outcome: Outcome) -> list[Row]:
    """A SKU once a location, whether it is named by its code or by a barcode."""
    words = _("this location has it on line %(line)s already")
    return twice(outcome, lambda row: (row.place.pk, row.item.pk), "sku", words)


def _step(row: Row, what: str = "new") -> Step:
    return Step(row, f"{row.location} · {row.item.code}", what)


def _plan_counts(outcome: Outcome, actor: Actor) -> None:
    """What should be there is not shown, so that nobody copies it."""
    outcome.rows = _found(outcome, actor)
    for row in _each_once(outcome):
        step = _step(row)
        step.changes.append(("counted", "", str(row.counted)))
        outcome.steps.append(step)


def _write_counts(outcome: Outcome, nonce: str, actor: Actor) -> str:
    """A count a location and 200 SKUs, recorded at once; nothing is corrected before it is approved."""
    lists = [
        some
        for steps in by_place(outcome.work, lambda row: row.place.pk).values()
        for some in chunks(steps, MAX_BATCH)
    ]
    plans = [
        CountPlan(some[0].row.place.pk, tuple(step.row.item.pk for step in some), _("From a sheet"))
        for some in lists
    ]
    pks = book_counts(plans, nonce=nonce, actor=actor)
    found = {(step.row.place.pk, step.row.item.pk): step.row.counted for step in outcome.work}
    counts = StockCount.objects.filter(pk__in=pks).prefetch_related("lines").order_by("pk")
    sheets = [
        CountSheet(count.pk, {line.pk: found[count.location_id, line.sku_id] for line in count.lines.all()})
        for count in counts
    ]
    try:
        in_batches(record_counts, sheets, actor=actor).raise_refusals()
    except BancaleError:
        if actor.may(CANCEL_COUNT.permission):
            cancel_counts(pks, reason=_("The sheet was refused"), actor=actor)
        raise
    return admin_url(StockCount, "change", pks[0]) if len(pks) == 1 else admin_url(StockCount, "changelist")


def _plan_receipts(outcome: Outcome, actor: Actor) -> None:
    outcome.rows = _found(outcome, actor, is_open=True)
    for row in outcome.rows:
        step = _step(row)
        step.changes.append(("quantity", "", f"+{row.quantity}"))
        outcome.steps.append(step)


def _write_receipts(outcome: Outcome, nonce: str, actor: Actor) -> str:
    """A receipt a location, delivery note and 200 lines; all of them or none."""
    together = by_place(outcome.work, lambda row: (row.place.pk, row.get("note") or ""))
    deliveries = [
        Delivery(place, tuple(ReceivedLine(step.row.item.pk, step.row.quantity) for step in some), note)
        for (place, note), steps in together.items()
        for some in chunks(steps, MAX_BATCH)
    ]
    pks = book_receipts(deliveries, nonce=nonce, actor=actor)
    return (
        admin_url(StockReceipt, "change", pks[0]) if len(pks) == 1 else admin_url(StockReceipt, "changelist")
    )


def _plan_levels(outcome: Outcome, actor: Actor) -> None:
    outcome.rows = _found(outcome, actor)
    rows = _each_once(outcome)
    levels = _levels([row.place for row in rows], [row.item for row in rows])
    for row in rows:
        level = levels.get((row.item.pk, row.place.pk))
        step = _step(row, "new" if level is None else "same")
        for name in FIGURES:
            before = getattr(level, name) if level is not None else 0
            after = row.get(name)
            if after is not None and after != before:
                step.changes.append((name, str(before), str(after)))
        if step.changes and level is not None:
            step.what = "change"
        elif not step.changes:
            step.what = "same"
        outcome.steps.append(step)


def _levels(at: Sequence[Location], skus: Sequence[Sku]) -> Mapping[tuple[int, int], StockLevel]:
    rows = StockLevel.objects.filter(
        location__in={place.pk for place in at}, sku__in={sku.pk for sku in skus}
    )
    return {(level.sku_id, level.location_id): level for level in rows}


def _write_levels(outcome: Outcome, nonce: str, actor: Actor) -> str:
    rows = [step.row for step in outcome.work]

    def write() -> None:
        """What an empty cell leaves is what is there under the locks, all of them taken before the first batch."""
        sku_ids = {row.item.pk for row in rows}
        lock_skus(sku_ids)
        lock_levels(sku_ids)
        levels = _levels([row.place for row in rows], [row.item for row in rows])

        def figure(row: Row, name: str) -> int:
            stated: Any = row.get(name)
            level = levels.get((row.item.pk, row.place.pk))
            return int(stated if stated is not None else getattr(level, name, 0))

        policies = [
            LevelPolicy(row.item.pk, row.place.pk, *(figure(row, name) for name in FIGURES)) for row in rows
        ]
        in_batches(set_policies, policies, actor=actor).raise_refusals()

    once("levels", nonce, outcome, write)
    return admin_url(StockLevel, "changelist")


def register() -> None:
    location = Column(
        "location", Text(16, is_code=True), LOCATION, is_needed=True, also=("ubicazione", "warehouse")
    )
    sku = Column("sku", Text(64), SKU, is_needed=True, also=("barcode", "codice", "sku code"))
    register_sheet(
        Sheet(
            "counts", "inventory.stockcount", gettext_lazy("stock counts"),
            gettext_lazy("What was found on the shelves is written down as counts. The books change when somebody "
                         "approves them."),
            (COUNT_STOCK,),
            (
                location, sku,
                Column("counted", Units(), gettext_lazy("Units found, those set aside left out"), is_needed=True,
                       also=("found", "quantity", "contati", "quantità")),
            ),
            _plan_counts, _write_counts,
        )
    )  # fmt: skip
    register_sheet(
        Sheet(
            "receipts", "inventory.stockreceipt", gettext_lazy("stock receipts"),
            gettext_lazy("Units come in, opening stock as well as deliveries: a receipt for each location and "
                         "delivery note."),
            (RECEIVE,),
            (
                location, sku,
                Column("quantity", Units(least=1), gettext_lazy("Units that came in"), is_needed=True,
                       also=("units", "qty", "quantità")),
                Column("note", Text(120), gettext_lazy("Delivery note"), also=("delivery note", "bolla")),
            ),
            _plan_receipts, _write_receipts,
        )
    )  # fmt: skip
    register_sheet(
        Sheet(
            "levels", "inventory.stocklevel", gettext_lazy("buffers and reorder points"),
            gettext_lazy("Buffer, reorder point and target of SKUs at locations. An empty cell leaves what is there; "
                         "units do not change."),
            (CHANGE_LEVEL,),
            (
                location, sku,
                Column("buffer", Units(), gettext_lazy("Units that are never offered for sale")),
                Column("reorder_point", Units(), gettext_lazy("At so many units the level is low"),
                       also=("reorder point",)),
                Column("target", Units(), gettext_lazy("So many are enough")),
            ),
            _plan_levels, _write_levels,
        )
    )  # fmt: skip
