"""Every page × every role × own and foreign rows: the table says who may open what; a guessed id tells nothing."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model

from config.kernel.models import Export, Job
from config.kernel.visibility import visible_to
from config.roles import ROLE_WORDS
from inventory.models import Location, StaffLocation
from tests.factories.inventory import make_location
from tests.kernel.visitor import Visitor, visitor
from tests.people.planted import make_business
from tests.people.routes import MISSING, Route, model_routes, site_urls

pytestmark = pytest.mark.django_db
ROLES = sorted(ROLE_WORDS)
ROUTES = list(model_routes())
# Who may open lists and pages of a model: (P)icker, (S)upport, (M)anager, (R)eader, (I)ntegration.
OPEN_TO = {
    "orders.order": "PSMRI", "orders.customer": "SM", "orders.hold": "SMR", "orders.payment": "SMR",
    "orders.notification": "SM", "orders.raworder": "SM", "orders.allocationdecision": "SMR",
    "orders.saleschannel": "SMR", "orders.legalentity": "MR", "orders.skualias": "SMR",
    "inventory.sku": "PSMRI", "inventory.stocklevel": "PSMRI", "inventory.location": "PSMRI",
    "inventory.bin": "PSMR", "inventory.reservation": "PSMR", "inventory.stockmovement": "PSMR",
    "inventory.stockreceipt": "PMR", "inventory.stockadjustment": "PMR", "inventory.transfer": "PMR",
    "inventory.stockcount": "PMR", "inventory.lowstockalert": "MR", "inventory.alertfollower": "M",
    "inventory.stockcheck": "M", "orders.importrun": "M", "orders.proposal": "SM", "orders.mailtext": "M",
    "orders.maildelivery": "SM",
    "fulfillment.fulfillmentorder": "PSMRI", "fulfillment.parcel": "PSMRI", "returns.rma": "PSMRI",
    "kernel.job": "PSMR", "kernel.export": "SMR", "kernel.event": "M", "kernel.delivery": "M", "kernel.fact": "M",
    "kernel.heartbeat": "M", "auth.user": "M", "auth.group": "M",
}  # fmt: skip
# Rows that stand at a location, or belong to what does.
LOCATED = {
    "inventory.location", "inventory.bin", "inventory.stocklevel", "inventory.stockmovement",
    "inventory.reservation", "inventory.stockreceipt", "inventory.stockadjustment", "inventory.transfer",
    "inventory.stockcount", "inventory.lowstockalert", "fulfillment.fulfillmentorder", "fulfillment.parcel",
    "returns.rma", "orders.order", "orders.hold", "orders.payment", "orders.notification", "orders.raworder",
    "orders.allocationdecision", "orders.maildelivery", "orders.customer", "orders.importrun", "inventory.stockcheck",
}  # fmt: skip


@pytest.fixture
def business() -> None:
    make_business()


def may_open(role: str, model: Any) -> bool:
    return role[0] in OPEN_TO[model._meta.label_lower]


def row_of(model: Any) -> Any:
    return model._default_manager.filter(
        **({"is_superuser": False} if model.__name__ == "User" else {})
    ).first()


def test_table_names_every_model() -> None:
    assert set(OPEN_TO) == {model._meta.label_lower for model in admin.site._registry}
    assert set(OPEN_TO) >= LOCATED


@pytest.mark.parametrize("role", ROLES)
def test_role_opens_what_the_table_says(role: str, business: None) -> None:
    client = visitor(role)
    for model in (Job, Export):
        model.objects.update(actor_kind="user", actor_id=get_user_model().objects.latest("pk").pk)

    wrong = [said for route in ROUTES if (said := judge(client, role, route))]

    assert wrong == []
    assert {client.get(url).status_code for url in site_urls()} <= {200, 302, 404}


def judge(client: Visitor, role: str, route: Route) -> str:
    """What is wrong with the answer to a GET; "" when it is as the table says."""
    row = row_of(route.model)
    answer = client.get(route.url(row.pk))
    wanted = expected(role, route)
    return "" if answer.status_code in wanted else f"{route.name}: {answer.status_code}, not {sorted(wanted)}"


def expected(role: str, route: Route) -> set[int]:
    is_open = may_open(role, route.model)
    if route.page == "views_change":
        # The id is a saved view's, and these are not the person's own.
        return {404} if is_open else {403, 404}
    if route.name == "kernel_job_bulk":
        return {404}  # what a list's press did is found by the press's own key, not by a row
    if route.page in {"changelist", "change", "history"}:
        return {200} if is_open else {403}
    if route.page in {"add", "delete", "password_change"} or not is_open:
        # Writing pages have rights of their own: open or refused, never an error.
        return {200, 403} if is_open else {403}
    if route.name == "orders_saleschannel_logo":
        return {404} if is_open else {403}  # the planted channel has none
    if route.name == "orders_importrun_failed":
        return {404}  # the planted run has no row that failed
    # A press: its page, refused for want of the right, or sent back because it does not apply now.
    return {200, 302, 403}


@pytest.mark.parametrize("role", ROLES)
def test_row_of_another_location_answers_as_one_that_does_not_exist(role: str, business: None) -> None:
    client = visitor(role)
    person = get_user_model().objects.latest("pk")
    StaffLocation.objects.create(user=person, location=make_location("EMPTY"))

    told = []
    for route in ROUTES:
        label = route.model._meta.label_lower
        if route.takes_row and label in LOCATED and may_open(role, route.model):
            rows = route.model._default_manager.all()
            pk = rows.exclude(pk__in=visible_to(person, rows).values("pk")).first().pk
            if answer(client, route, pk) != answer(client, route, MISSING):
                told.append(route.name)

    assert told == []


@pytest.mark.parametrize("role", ROLES)
def test_lists_of_another_location_are_empty(role: str, business: None) -> None:
    client = visitor(role)
    StaffLocation.objects.create(user=get_user_model().objects.latest("pk"), location=make_location("EMPTY"))

    found = {}
    for route in ROUTES:
        label = route.model._meta.label_lower
        if route.page == "changelist" and label in LOCATED and may_open(role, route.model):
            found[label] = client.get(route.url()).context["cl"].result_count

    # Their own place and its two bins is all there is.
    assert {label: count for label, count in found.items() if count} == {
        label: count for label, count in (("inventory.location", 1), ("inventory.bin", 2)) if label in found
    }


@pytest.mark.parametrize("role", ROLES)
def test_lists_name_no_location_that_is_not_seen(role: str, business: None) -> None:
    client, mine = visitor(role), make_location("MINE", name="Here")
    StaffLocation.objects.create(user=get_user_model().objects.latest("pk"), location=mine)
    Location.objects.exclude(pk=mine.pk).update(name="Nowhere Else")

    pages = {route.name: client.get(route.url()) for route in ROUTES if route.page == "changelist"}

    told = [name for name, page in pages.items() if "Nowhere Else" in page.content.decode()]
    assert {page.status_code for page in pages.values()} <= {200, 403}
    assert told == []


def answer(client: Visitor, route: Route, pk: int) -> tuple[int, str, bytes]:
    """Status, where to and what is said: everything by which two answers could be told apart."""
    response = client.get(route.url(pk))
    where = response.headers.get("Location", "")
    return response.status_code, where, response.content if response.status_code == 404 else b""


def test_nobody_opens_nothing_without_a_log_in(business: None) -> None:
    client = Visitor()

    for route in ROUTES:
        response = client.get(route.url(row_of(route.model).pk))
        assert response.status_code == 302, route.name
        assert response["Location"].startswith("/login/"), route.name
