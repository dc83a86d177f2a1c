"""Changes to one order confirmed at the same moment, beside allocation and each other."""

from functools import partial

import pytest

from config.kernel.actors import Actor
from orders.changes import SetQuantity
from orders.errors import ProposalOvertaken
from orders.models import Order, Proposal
from orders.services.cancelling import cancel_orders
from orders.services.proposals.confirming import confirm_proposals
from tests.concurrency.rivals import at_once, violations
from tests.factories.fulfillment import make_confirmed, stock
from tests.factories.proposals import propose

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ACTOR = Actor.system("race")


def test_one_of_two_changes_wins_and_the_other_is_overtaken() -> None:
    stock({"MUG": 20})
    order = make_confirmed()
    line = order.lines.get()
    rivals = [propose(order, SetQuantity(line.pk, units)) for units in (5, 9)]

    answers = at_once([partial(confirm_proposals, [one.pk], actor=ACTOR) for one in rivals])

    assert sorted(map(str, answers)) == sorted(["done", str(ProposalOvertaken)])
    assert sorted(Proposal.objects.values_list("status", flat=True)) == ["confirmed", "stale"]
    assert Order.objects.get().lines.get().quantity in (5, 9)
    assert violations() == []


def test_one_change_confirmed_twice_is_done_once() -> None:
    stock({"MUG": 20})
    order = make_confirmed()
    proposal = propose(order, SetQuantity(order.lines.get().pk, 5))

    answers = at_once([partial(confirm_proposals, [proposal.pk], actor=ACTOR)] * 4)

    assert sorted(answers) == ["done", "unchanged", "unchanged", "unchanged"]
    assert violations() == []


def test_changes_that_want_the_same_units_oversell_nothing() -> None:
    stock({"MUG": 12})
    orders = [make_confirmed() for _number in range(4)]
    rivals = [propose(order, SetQuantity(order.lines.get().pk, 5)) for order in orders]

    answers = at_once([partial(confirm_proposals, [one.pk], actor=ACTOR) for one in reversed(rivals)])

    assert answers == ["done"] * 4
    assert violations() == []


def test_change_and_cancel_of_one_order_leave_one_story() -> None:
    stock({"MUG": 20})
    order = make_confirmed()
    proposal = propose(order, SetQuantity(order.lines.get().pk, 5))

    at_once(
        [
            partial(confirm_proposals, [proposal.pk], actor=ACTOR),
            partial(cancel_orders, [order.pk], reason="no", actor=ACTOR),
        ]
    )

    assert Order.objects.get().status == "cancelled"
    assert violations() == []
