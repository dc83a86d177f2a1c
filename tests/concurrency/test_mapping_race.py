"""One code mapped by two people at the same moment: the second finds what the first has done."""

import threading
from typing import Any

import pytest
from django.db import connections, transaction

from config.kernel.actors import Actor, ActorKind
from config.kernel.models import Event
from config.kernel.results import Results
from inventory.models import Sku
from orders.errors import MappedMeanwhile
from orders.models import SkuAlias
from orders.services.mapping import SkuMapping, map_skus
from tests.concurrency.rivals import is_somebody_waiting
from tests.factories.inventory import make_sku
from tests.factories.orders import make_channel

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

STAFF = Actor(ActorKind.USER, 1, "rosa", frozenset({"orders.map_sku"}))


def map_beside(rival: Sku, *mappings: SkuMapping) -> Results[Any]:
    """What the second answers who maps while the first, who maps OLD to `rival`, has not committed yet."""
    answers: list[Results[Any]] = []

    def second() -> None:
        try:
            answers.append(map_skus(mappings, actor=STAFF))
        finally:
            connections.close_all()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        map_skus([SkuMapping(mappings[0].sales_channel_id, "OLD", rival.pk)], actor=STAFF).raise_refusals()
        thread.start()
        assert is_somebody_waiting(), "the second waits for the first"
    thread.join(timeout=30)
    return answers[0]


def test_loser_of_a_race_finds_the_same_mapping_unchanged_and_makes_the_others() -> None:
    mug, channel = make_sku("MUG"), make_channel()

    results = map_beside(mug, SkuMapping(channel.pk, "OLD", mug.pk), SkuMapping(channel.pk, "ODD", mug.pk))

    alias = SkuAlias.objects.get(code="OLD")
    assert (results.unchanged_ids, results.done_ids) == ([(channel.pk, "OLD")], [(channel.pk, "ODD")])
    assert results.values[channel.pk, "OLD"] == alias.pk
    assert Event.objects.filter(subject_type="sku_alias", subject_id=alias.pk).count() == 1


def test_loser_of_a_race_for_another_sku_hears_both_names_and_changes_nothing() -> None:
    mug, cup, channel = make_sku("MUG"), make_sku("CUP"), make_channel()

    results = map_beside(mug, SkuMapping(channel.pk, "OLD", cup.pk), SkuMapping(channel.pk, "ODD", cup.pk))

    refusal = results.refusals[channel.pk, "OLD"]
    assert isinstance(refusal, MappedMeanwhile)
    assert refusal.facts == {"code": "OLD", "theirs": "MUG", "ours": "CUP"}
    assert results.done_ids == [(channel.pk, "ODD")]
    assert dict(SkuAlias.objects.values_list("code", "sku__code")) == {"OLD": "MUG", "ODD": "CUP"}
