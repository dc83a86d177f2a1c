"""What keeps the desk quick with many orders: the indexes that its queues are counted from, and how a server begins."""

import gc
from datetime import date

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.test.utils import CaptureQueriesContext

import config.wsgi
from config.kernel.admin import SeenFilter
from config.kernel.fastpath import is_fast
from config.kernel.visibility import visible_to
from fulfillment.models import FulfillmentOrder
from fulfillment.selectors import queues
from orders.models import Order
from orders.selectors import work
from tests.factories.fulfillment import make_released
from tests.factories.inventory import make_location
from tests.factories.orders import make_order
from tests.kernel.visitor import visitor

on_postgresql = pytest.mark.skipif(not is_fast(), reason="what PostgreSQL plans")


def plan_of(rows: QuerySet[object]) -> str:
    """How the rows are found where nothing but this index and keys is left, and reading whole tables is no choice."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("DROP INDEX order_status, order_dispatch, order_placed, fulfillment_order_work")
    return str(rows.order_by().values("pk").explain())


@on_postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("queue", [work.backordered, work.late])
def test_queues_of_orders_are_read_from_the_index_of_open_ones(queue: object) -> None:
    make_order()

    assert "order_open" in plan_of(queue(Order.objects.all()))  # type: ignore[operator]


@on_postgresql
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("queue", "index"), [(queues.to_release, "order_to_release"), (work.to_allocate, "order_to_allocate")]
)
def test_queues_are_read_from_an_index_of_just_their_orders_in_the_order_of_the_list(
    queue: object, index: str
) -> None:
    make_order()
    rows = queue(Order.objects.all())  # type: ignore[operator]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    assert index in plan_of(rows)
    listed = str(rows.order_by(*Order._meta.ordering)[:101].explain())
    assert index in listed
    assert "Sort" not in listed


@on_postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("queue", [queues.to_ship, queues.stopped])
def test_queues_of_work_compare_two_indexes(queue: object) -> None:
    plan = plan_of(queue(FulfillmentOrder.objects.all()))  # type: ignore[operator]

    assert "fulfillment_order_live" in plan


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/fulfillment/fulfillmentorder/",
        "/inventory/reservation/",
        "/inventory/stockmovement/",
        "/inventory/lowstockalert/",
        "/returns/rma/",
        "/orders/importrun/",
    ],
)
def test_filter_offers_places_without_a_look_at_all_rows(path: str) -> None:
    torino, milano = make_location("TO", name="Torino"), make_location("MI", name="Milano")
    manager = visitor(superuser=True)

    with CaptureQueriesContext(connection) as captured:
        page = manager.get(path)

    assert not [query["sql"] for query in captured if "DISTINCT" in query["sql"]]
    choices = [
        spec.lookup_choices for spec in page.context["cl"].filter_specs if isinstance(spec, SeenFilter)
    ]
    if path != "/orders/importrun/":
        assert choices == [[(milano.pk, "Milano"), (torino.pk, "Torino")]]


@pytest.mark.django_db
def test_filter_offers_a_bounded_person_their_own_places() -> None:
    torino, _milano = make_location("TO", name="Torino"), make_location("MI", name="Milano")
    picker = visitor("Picker")
    torino.staff.create(user=get_user_model().objects.get())

    specs = picker.get("/fulfillment/fulfillmentorder/").context["cl"].filter_specs

    assert not any(isinstance(spec, SeenFilter) for spec in specs), "one place is no choice"


@pytest.mark.django_db
def test_work_to_ship_is_paged_by_what_was_promised() -> None:
    third, first, second = (make_released() for _number in range(3))
    for day, released in enumerate((first, second, third), start=1):
        Order.objects.filter(pk=released.order_id).update(dispatch_by_on=date(2026, 3, day))
    manager = visitor(superuser=True)

    listed = manager.get("/fulfillment/fulfillmentorder/", {"queue": "to_ship"}).context["cl"].result_list

    assert list(listed) == [first, second, third]


@on_postgresql
@pytest.mark.django_db
def test_what_a_bounded_person_sees_is_looked_up_order_by_order() -> None:
    torino = make_location("TO")
    picker = get_user_model().objects.create_user("piet", is_staff=True)
    torino.staff.create(user=picker)
    asked = FulfillmentOrder.objects.filter(order=OuterRef("pk"), location=torino)

    assert "hashed" not in visible_to(picker, Order.objects.all()).explain()
    assert "hashed" in Order.objects.filter(Exists(asked) | Q(pk=0)).explain(), (
        "all work of the place at first"
    )


@on_postgresql
@pytest.mark.django_db
def test_no_statement_is_compiled_before_it_runs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


def test_server_leaves_what_it_loaded_out_of_the_collectors_rounds() -> None:
    assert config.wsgi.application is not None
    assert gc.get_freeze_count() > 0
