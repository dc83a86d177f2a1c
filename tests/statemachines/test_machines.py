"""Any sequence of verbs leaves every invariant whole and agrees with a model. `size.py` says how to run them longer."""

import pytest

from tests.statemachines.corrections import CorrectionMachine
from tests.statemachines.money import MoneyMachine
from tests.statemachines.orders import OrderMachine
from tests.statemachines.queue import QueueMachine
from tests.statemachines.size import run
from tests.statemachines.stock import StockMachine

pytestmark = pytest.mark.django_db


def test_stock_verbs_in_any_order_keep_every_invariant() -> None:
    run(StockMachine)


def test_stock_that_is_corrected_by_hand_and_taken_back_keeps_every_invariant() -> None:
    run(CorrectionMachine)


def test_order_verbs_in_any_order_keep_every_invariant() -> None:
    run(OrderMachine)


def test_money_verbs_in_any_order_keep_every_invariant() -> None:
    run(MoneyMachine)


def test_backorders_in_any_order_of_events_are_served_in_turn() -> None:
    run(QueueMachine)
