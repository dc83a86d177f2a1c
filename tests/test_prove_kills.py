"""The judge of `manage.py prove kills`: each kind of damage is named."""

from collections import Counter

import pytest

from config.prove.figures import Figures
from config.prove.kills.clients import History, Wish
from config.prove.kills.healing import Mails
from config.prove.kills.verdict import effects_table
from orders.models import Order
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db


def judged(history: History, received: dict[str, int]) -> list[str]:
    figures: Figures = effects_table(history, Counter(received), Mails())
    return [sentence.removeprefix("effects: ") for sentence in figures.broken]


def wish(key: str, *, is_placed: bool = True, is_confirmed: bool = False) -> Wish:
    return Wish(key, True, {}, is_placed=is_placed, is_confirmed=is_confirmed)


def test_judge_of_an_acknowledged_order_that_is_gone_says_lost() -> None:
    assert judged(History(wishes=[wish("gone")]), {}) == ["acknowledged and lost is 1, not 0"]


def test_judge_of_an_unknown_order_that_left_nothing_is_content() -> None:
    assert judged(History(wishes=[wish("never", is_placed=False)]), {}) == []


def test_judge_names_work_not_done_and_an_order_that_nobody_wished() -> None:
    order = make_order()
    Order.objects.filter(pk=order.pk).update(email="stranger@example.com")

    told = judged(History(), {})

    assert "orphans is 2, not 0" in told  # nobody's, and of one part where the proof's have two


def test_judge_names_a_mail_twice_an_order_twice_and_a_confirmation_lost() -> None:
    for number in range(2):
        order = make_order(external_id=f"T-{number}")
        Order.objects.filter(pk=order.pk).update(email="twice@example.com")

    told = judged(History(wishes=[wish("twice", is_confirmed=True)]), {"twice@example.com": 2})

    assert "acknowledged and lost is 1, not 0" in told
    assert "orders twice is 1, not 0" in told
    assert "mails twice is 1, not 0" in told
    assert "orders whose work was lost is 2, not 0" in told
