"""set_policies: buffer, reorder point, target; and their page."""

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from inventory.errors import KitHoldsNoStock
from inventory.models import StockLevel
from inventory.services.catalogue import PartOfKit, save_kits
from inventory.services.policies import LevelPolicy, set_policies
from tests.factories.inventory import ACTOR, make_kit, make_level, make_location, make_sku, reserve
from tests.kernel.visitor import hidden, visitor

pytestmark = pytest.mark.django_db

Freed = Callable[[], list[int]]


def test_set_policies_makes_the_level_and_again_changes_nothing(freed: Freed) -> None:
    sku, place = make_sku(), make_location()
    policy = LevelPolicy(sku.pk, place.pk, buffer=2, reorder_point=5, target=20)

    assert set_policies([policy], actor=ACTOR).done_ids == [policy.key]

    level = StockLevel.objects.get()
    assert (level.buffer, level.reorder_point, level.target, level.version) == (2, 5, 20, 2)
    assert set_policies([policy], actor=ACTOR).unchanged_ids == [policy.key]
    level.refresh_from_db()
    assert level.version == 2
    assert freed() == []


def test_set_policies_smaller_buffer_frees_units(freed: Freed) -> None:
    sku, place = make_sku(), make_location()
    make_level(sku, place, buffer=4)

    set_policies([LevelPolicy(sku.pk, place.pk, buffer=1)], actor=ACTOR)

    assert freed() == [sku.pk]


def test_set_policies_unfit_is_refused_alone() -> None:
    sku, place = make_sku(), make_location()
    kit = make_kit({sku: 1})
    good = LevelPolicy(sku.pk, place.pk, buffer=1)

    for unfit, error in (
        (LevelPolicy(kit.pk, place.pk, buffer=1), KitHoldsNoStock),
        (LevelPolicy(0, place.pk), NotFound),
        (LevelPolicy(sku.pk, 0), NotFound),
        (LevelPolicy(sku.pk, make_location().pk, buffer=-1), InvalidInput),
    ):
        results = set_policies([unfit, good], actor=ACTOR)
        assert isinstance(results.refusals[unfit.key], error)
        assert good.key not in results.refusals
    with pytest.raises(NotAllowed):
        set_policies([good], actor=Actor(ActorKind.USER, 1, "x", frozenset()))


def test_level_page_sets_the_policy_behind_a_confirm_page(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("boss", password="x"))
    level = make_level(make_sku(), make_location(), on_hand=5, buffer=1)
    url = reverse("admin:inventory_stocklevel_policy", args=[level.pk])
    assert url in client.get(reverse("admin:inventory_stocklevel_change", args=[level.pk])).content.decode()
    assert 'value="1"' in client.get(url).content.decode()

    form = {"version": "1 0 0", "nonce": "n", "buffer": 3, "reorder_point": 2, "target": 9}
    assert client.post(url, form).status_code == 302
    assert client.post(url, form).status_code == 302

    level.refresh_from_db()
    assert (level.buffer, level.reorder_point, level.target) == (3, 2, 9)


def test_level_page_sets_the_policy_though_units_move_meanwhile() -> None:
    manager, level = visitor("Manager"), make_level(make_sku(), make_location(), on_hand=5)
    url = reverse("admin:inventory_stocklevel_policy", args=[level.pk])
    page = hidden(manager.get(url))
    reserve(level.sku, level.location, 1)

    answer = manager.post(url, {**page, "buffer": 3, "reorder_point": 2, "target": 9})

    level.refresh_from_db()
    assert (answer.status_code, level.buffer, level.reserved) == (302, 3, 1)


def test_level_page_shows_a_policy_that_somebody_else_has_set_meanwhile() -> None:
    manager, level = visitor("Manager"), make_level(make_sku(), make_location(), on_hand=5)
    url = reverse("admin:inventory_stocklevel_policy", args=[level.pk])
    page = hidden(manager.get(url))
    set_policies([LevelPolicy(level.sku_id, level.location_id, buffer=1)], actor=ACTOR).raise_refusals()

    answer = manager.post(url, {**page, "buffer": 3, "reorder_point": 2, "target": 9})

    level.refresh_from_db()
    assert (answer.status_code, level.buffer) == (200, 1)


def test_level_page_of_what_became_a_kit_offers_no_change(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("boss", password="x"))
    level = make_level(make_sku(), make_location())
    parts = {level.sku_id: [PartOfKit(make_sku().pk)]}
    save_kits([level.sku_id], parts=parts, actor=ACTOR).raise_refusals()

    page = client.get(reverse("admin:inventory_stocklevel_change", args=[level.pk])).content.decode()

    assert reverse("admin:inventory_stocklevel_policy", args=[level.pk]) not in page
    assert reverse("admin:inventory_stockadjustment_add") not in page
