"""The demo's stock room: deliveries, transfers to the shops, counts, losses, and what is done about low stock."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from config.demo.catalogue import ONLY_HERE, ONLY_THERE, SCARCE
from config.demo.making import units_a_week
from config.demo.master import ACTOR, SHELVES, WAREHOUSE, Business
from config.kernel import clock
from inventory.enums import AlertStatus, BinKind, ReservationState, UnsellableReason
from inventory.models import Bin, LowStockAlert, StockCountLine, StockLevel, Transfer, TransferLine
from inventory.services.alerts import acknowledge_alerts, snooze_alerts
from inventory.services.binning import BinMove, move_bin
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.counts import (
    CountPlan,
    CountSheet,
    approve_counts,
    book_count,
    cancel_counts,
    record_counts,
)
from inventory.services.receipts import ReceivedLine, book_receipt
from inventory.services.setting_aside import Aside, set_aside
from inventory.services.transfers import (
    TransferReceipt,
    TransferUnits,
    book_transfer,
    cancel_transfers,
    receive_transfers,
    send_transfers,
)
from inventory.services.transfers.booking import TransferPlan
from inventory.services.undoing import undo_counts

SHOPS = ("BO", "NA")
OPENING_WEEKS = 3
LINES = 200


@dataclass(slots=True)
class Stockroom:
    """What its hands know; every day asks it what is due. `now` is the demo's last day, age 0."""

    business: Business
    rng: random.Random

    def open_shop(self) -> None:
        """The first goods: all of it in Torino, some of it in the shops."""
        week = units_a_week()
        here = {code: 18 if code in SCARCE else week[code] * OPENING_WEEKS + 4 for code in week}
        here.pop(ONLY_THERE)
        self._receive("TO", here, "First delivery")
        for place in SHOPS:
            some = [code for code in week if code not in (*SCARCE, ONLY_HERE) and self.rng.random() < 0.5]
            there = {code: week[code] + 2 for code in {*some, ONLY_THERE}}
            self._receive(place, there, "First delivery")
        self._shelve([code for code in week if code[:3] in ("MOK", "CUP", "BTW", "PLT", "CDL")])

    def work(self, age: int) -> None:
        """What happens on the day that is `age` days before the last."""
        if age % 7 == 0 and age:
            self._restock(f"Week {(60 - age) // 7 + 1}")
        if age in (45, 31, 17):
            self._to_shops()
        if age in (44, 30, 16):
            receive_transfers(
                [TransferReceipt(pk) for pk in _transfers("sent")], actor=WAREHOUSE
            ).raise_refusals()
        if age == 24:
            self._count("TO", self._some("MOK"), {}, approve=True)
        if age == 9:
            self._count("NA", self._some("B"), {0: -1, 3: 2}, approve=True)
        if age == 6:
            self._damage()

    def leave_open(self) -> None:
        """On the last day: transfers, counts and alerts in each state that somebody has to look at."""
        self._lose_transfer_units()
        self._book("NA", self._some("CSH"), send=False, note="For the weekend")
        self._book("BO", self._some("VAS"), send=True, note="Window display")
        dropped = self._book("BO", self._some("FRA"), send=False, note="Booked twice")
        cancel_transfers([dropped], reason="Booked twice", actor=ACTOR)
        self._count("TO", self._some("PLT"), {1: -3, 4: 1}, approve=False)
        book_count(
            CountPlan(self._at("BO"), self._ids(self._some("BWL"))), nonce="demo:count:bowls", actor=ACTOR
        )
        spare = book_count(
            CountPlan(self._at("NA"), self._ids(self._some("RUG"))), nonce="demo:count:rugs", actor=ACTOR
        )
        cancel_counts([spare], reason="Counted last week", actor=ACTOR)
        hasty = self._count("BO", self._some("TUM"), {0: -1}, approve=True)
        undo_counts([hasty], reason="The other shelf was counted", actor=ACTOR).raise_refusals()
        self._lose_reserved()
        self._settle_alerts()

    def _at(self, place: str) -> int:
        return self.business.location_ids[place]

    def _ids(self, codes: Sequence[str]) -> tuple[int, ...]:
        return tuple(self.business.sku_ids[code] for code in codes)

    def _some(self, beginning: str, most: int = 8) -> list[str]:
        return [code for code in self.business.goods if code.startswith(beginning)][:most]

    def _receive(self, place: str, units: Mapping[str, int], note: str) -> None:
        lines = [ReceivedLine(self.business.sku_ids[code], count) for code, count in units.items()]
        for start in range(0, len(lines), LINES):
            nonce = f"demo:{note}:{place}:{start}"
            book_receipt(
                lines[start : start + LINES],
                location_id=self._at(place),
                note=note,
                nonce=nonce,
                actor=WAREHOUSE,
            )

    def _restock(self, note: str) -> None:
        """Suppliers bring what Torino is short of; of some goods they have none, and a queue forms."""
        week, due = units_a_week(), {}
        levels = {row.sku_id: row.free for row in StockLevel.objects.filter(location=self._at("TO"))}
        for code in self.business.goods:
            free = levels.get(self.business.sku_ids[code], 0)
            short = code in SCARCE or code == ONLY_THERE or self.rng.random() < 0.08
            if free < week[code] * 2 and not short:
                due[code] = week[code] * 2 + self.rng.randrange(4)
        if due:
            self._receive("TO", due, note)

    def _shelve(self, codes: Sequence[str]) -> None:
        """Half of what Torino has of these goods goes from the default bin to a shelf."""
        here = self._at("TO")
        bins = dict(Bin.objects.filter(location=here).values_list("code", "pk"))
        default = Bin.objects.get(location=here, kind=BinKind.DEFAULT).pk
        levels = StockLevel.objects.filter(location=here, sku__in=self._ids(codes)).order_by("pk")
        moves = [
            BinMove(
                f"demo:shelf:{row.pk}",
                row.sku_id,
                here,
                default,
                bins[SHELVES[place % len(SHELVES)]],
                row.on_hand // 2,
            )
            for place, row in enumerate(levels)
            if row.on_hand > 1
        ]
        move_bin(moves, actor=WAREHOUSE, reason="Put on the shelves").raise_refusals()

    def _to_shops(self) -> None:
        for place in SHOPS:
            self._book(place, self._plenty(40), send=True, note="Fortnight's goods")

    def _plenty(self, most: int) -> list[str]:
        rows = StockLevel.objects.filter(location=self._at("TO"), on_hand__gt=12)
        rows = rows.exclude(sku__reservations__state=ReservationState.WAITING)
        rows = rows.exclude(sku__code__in=(*SCARCE, ONLY_HERE, ONLY_THERE)).order_by("-on_hand", "pk")
        return list(rows.values_list("sku__code", flat=True)[:most])

    def _book(self, place: str, codes: Sequence[str], *, send: bool, note: str) -> int:
        """Two units of each that has them to spare."""
        spare = StockLevel.objects.filter(location=self._at("TO"), sku__code__in=codes).order_by("pk")
        lines = tuple(TransferUnits(row.sku_id, 2) for row in spare if row.free > 4)
        plan = TransferPlan(self._at("TO"), self._at(place), lines, note)
        pk = book_transfer(plan, nonce=f"demo:{place}:{note}:{clock.now():%m%d}", actor=WAREHOUSE)
        if send:
            send_transfers([pk], actor=WAREHOUSE)
        return pk

    def _lose_transfer_units(self) -> None:
        """One transfer arrives with a unit too few."""
        pk = self._book("NA", self._some("TUM"), send=True, note="Glasses")
        line = TransferLine.objects.filter(transfer=pk).order_by("pk").first()
        if line is not None:
            receipt = TransferReceipt(pk, {line.pk: line.quantity - 1}, "Broken on the way")
            receive_transfers([receipt], actor=WAREHOUSE).raise_refusals()

    def _count(self, place: str, codes: Sequence[str], off: Mapping[int, int], *, approve: bool) -> int:
        """Count these goods; line `n` is found to be off by `off[n]`. Another one than who counted approves."""
        plan = CountPlan(self._at(place), self._ids(codes))
        pk = book_count(plan, nonce=f"demo:count:{place}:{clock.now():%m%d}", actor=WAREHOUSE)
        levels = {row.sku_id: row for row in StockLevel.objects.filter(location=plan.location_id)}
        found = {}
        for number, line in enumerate(StockCountLine.objects.filter(count=pk).order_by("pk")):
            level = levels.get(line.sku_id)
            there = level.on_hand - level.unsellable if level is not None else 0
            found[line.pk] = max(0, there + off.get(number, 0))
        record_counts([CountSheet(pk, found)], actor=WAREHOUSE).raise_refusals()
        if approve:
            approve_counts([pk], actor=ACTOR).raise_refusals()
        return pk

    def _damage(self) -> None:
        here = StockLevel.objects.filter(location=self._at("TO"), sku__code__startswith="BWL", on_hand__gt=4)
        goods = [
            Aside(f"demo:broken:{row.pk}", row.sku_id, row.location_id, 2) for row in here.order_by("pk")[:3]
        ]
        set_aside(goods, reason=UnsellableReason.DAMAGED, note="A pallet was dropped", actor=WAREHOUSE)

    def _lose_reserved(self) -> None:
        """Water in the cellar takes units that were promised: the latest promised wait again."""
        here = StockLevel.objects.filter(location=self._at("TO"), reserved__gt=2).order_by("-reserved", "pk")
        losses = [
            Adjustment(f"demo:water:{row.pk}", row.sku_id, row.location_id, row.reserved - 2 - row.on_hand)
            for row in here[:2]
            if row.unsellable == 0
        ]
        adjust_stock(losses, reason="Water in the cellar", actor=WAREHOUSE).raise_refusals()

    def _settle_alerts(self) -> None:
        """Somebody has looked at a few of the alerts."""
        low = list(
            LowStockAlert.objects.filter(status=AlertStatus.OPEN).order_by("pk").values_list("pk", flat=True)
        )
        acknowledge_alerts(low[:3], reason="Ordered from the supplier", actor=ACTOR)
        snooze_alerts(
            low[3:5], until=clock.now() + timedelta(days=5), reason="Comes on Thursday", actor=ACTOR
        )


def _transfers(status: str) -> list[int]:
    return list(Transfer.objects.filter(status=status).order_by("pk").values_list("pk", flat=True))
