"""One rule a model decides who sees which rows, and every page asks it."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.test import RequestFactory
from django.urls import reverse

from config.kernel import visibility
from config.kernel.actors import Actor
from config.kernel.admin import SeenAdmin
from config.kernel.errors import NotFound
from config.kernel.visibility import Undeclared, seen_by, visible_to
from config.queues import queue_tiles
from fulfillment.models import FulfillmentOrder, Parcel
from inventory.models import BinStock, Location, StaffLocation, StockLevel
from orders.models import Order
from tests.factories.fulfillment import make_released, make_shipped, stock
from tests.factories.inventory import make_level, make_location, make_sku
from tests.kernel.visitor import Visitor, visitor

pytestmark = pytest.mark.django_db
PAGES = sorted(admin.site._registry.items(), key=lambda row: row[0]._meta.label)


def request_of(user: Any) -> Any:
    request: Any = RequestFactory().get("/")
    request.user = user
    request.resolver_match = None
    return request


def bound(role: str, *locations: Location) -> Visitor:
    """Somebody of a role, bound to locations."""
    client = visitor(role)
    user = get_user_model().objects.latest("pk")
    for location in locations:
        StaffLocation.objects.create(user=user, location=location)
    return client


@pytest.mark.parametrize(("model", "page"), PAGES, ids=[model._meta.label for model, _page in PAGES])
def test_page_of_every_model_asks_its_rule(
    model: Any, page: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    assert isinstance(page, SeenAdmin)
    assert visibility.is_declared(model)

    nothing = {label: [lambda _actor: Q(pk__in=())] for label in visibility._SIGHTS}
    monkeypatch.setattr(visibility, "_SIGHTS", nothing)

    with django_assert_num_queries(0):
        assert not page.get_queryset(request_of(get_user_model()(pk=1, is_superuser=True))).exists()


def test_rows_of_an_undeclared_model_are_refused_not_shown() -> None:
    with pytest.raises(Undeclared, match=r"inventory\.binstock"):
        seen_by(Actor.system("test"), BinStock.objects.all())


def test_nobody_sees_nothing() -> None:
    make_location()

    assert not visible_to(AnonymousUser(), Location.objects.all()).exists()


def test_person_bound_to_a_location_sees_its_stock_only() -> None:
    here, there, sku = make_location("HERE"), make_location("THERE"), make_sku("GLASS")
    mine, foreign = make_level(sku, here, 3), make_level(sku, there, 5)
    picker = bound("Picker", here)

    page = picker.get(reverse("admin:inventory_stocklevel_changelist"))

    assert list(page.context["cl"].result_list) == [mine]
    # The same answer as to an id that does not exist.
    for pk in (foreign.pk, foreign.pk + 1000):
        gone = picker.get(reverse("admin:inventory_stocklevel_change", args=[pk]))
        assert (gone.status_code, gone["Location"]) == (302, "/")
    assert picker.get(reverse("admin:inventory_stocklevel_change", args=[mine.pk])).status_code == 200


def test_person_without_a_bound_sees_every_location() -> None:
    sku = make_sku()
    for location in (make_location(), make_location()):
        make_level(sku, location, 1)
    visitor("Picker")

    assert visible_to(get_user_model().objects.latest("pk"), StockLevel.objects.all()).count() == 2


def test_order_is_seen_where_its_work_is() -> None:
    work = make_released()
    picker_here, _picker_there = bound("Picker", work.location), bound("Picker", make_location())
    here, there = get_user_model().objects.order_by("pk")

    assert list(visible_to(here, Order.objects.all())) == [work.order]
    assert not visible_to(there, Order.objects.all()).exists()
    assert not visible_to(there, FulfillmentOrder.objects.all()).exists()
    assert picker_here.get(reverse("admin:orders_order_change", args=[work.order_id])).status_code == 200


def test_order_is_seen_where_its_units_are_promised_before_there_is_work() -> None:
    from tests.factories.fulfillment import make_confirmed

    place = stock({"GLASS-6": 5})
    order = make_confirmed({"GLASS-6": 1})
    bound("Picker", place)

    assert list(visible_to(get_user_model().objects.latest("pk"), Order.objects.all())) == [order]


def test_tile_counts_what_its_list_shows() -> None:
    work = make_released()
    bound("Picker", work.location)
    bound("Picker", make_location())
    here, there = get_user_model().objects.order_by("pk")

    counts = [{str(tile.url): tile.count for tile in queue_tiles(user)} for user in (here, there)]

    url = f"{reverse('admin:fulfillment_fulfillmentorder_changelist')}?queue=to_ship"
    assert [count[url] for count in counts] == [1, 0]


def test_search_box_does_not_lead_to_what_is_not_seen() -> None:
    work = make_released()
    bound_elsewhere = bound("Picker", make_location())

    answer = bound_elsewhere.get(reverse("admin:find"), {"q": work.number})

    assert reverse("admin:fulfillment_fulfillmentorder_change", args=[work.pk]) not in answer["Location"]


def test_search_box_tells_several_that_are_not_seen_from_none_as_little_as_one() -> None:
    for place in range(2):
        Parcel.objects.filter(pk=make_shipped().pk).update(
            tracking_number="TWICE", carrier=f"carrier-{place}"
        )
    picker = bound("Picker", make_location())

    led = [picker.get(reverse("admin:find"), {"q": text})["Location"] for text in ("TWICE", "NEVER")]

    assert led == [f"/orders/order/?q={text}" for text in ("TWICE", "NEVER")]


def test_superuser_is_not_seen_by_those_below() -> None:
    visitor("", "auth.view_user", "auth.change_user")
    below = get_user_model().objects.get()
    get_user_model().objects.create_superuser("owner")

    assert list(visible_to(below, get_user_model().objects.all())) == [below]


def test_actor_of_a_bound_person_refuses_another_place() -> None:
    here, there = make_location(), make_location()
    bound("Picker", here)
    actor = Actor.for_user(get_user_model().objects.get())

    actor.require_place(here.pk)
    with pytest.raises(NotFound):
        actor.require_place(there.pk)
    Actor.system("test").require_place(there.pk)


def test_column_without_a_filter_cannot_be_asked() -> None:
    client = visitor("Picker")

    assert client.get("/orders/order/", {"email__startswith": "a"}).status_code == 400
    assert client.get("/orders/order/", {"status__exact": "placed"}).status_code == 200
