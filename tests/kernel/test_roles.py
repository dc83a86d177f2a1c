import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from config.kernel.states import MACHINES
from config.roles import PICKER, SUPPORT, ensure_roles

pytestmark = pytest.mark.django_db


def permissions_of(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def test_migrating_makes_the_three_roles() -> None:
    assert permissions_of("Picker") == set(PICKER)
    assert permissions_of("Support") == set(SUPPORT)


def test_picker_moves_goods_and_support_decides_orders() -> None:
    assert "orders.confirm_order" in permissions_of("Support") - permissions_of("Picker")
    assert "fulfillment.ship_fulfillmentorder" in permissions_of("Picker")


def test_manager_may_take_every_edge_but_writes_no_history() -> None:
    given = permissions_of("Manager")

    assert {edge.permission for machine in MACHINES.values() for edge in machine.edges} <= given
    assert not given & {"kernel.change_event", "kernel.add_event", "kernel.delete_event", "auth.change_user"}


def test_second_run_keeps_what_a_person_added() -> None:
    group = Group.objects.get(name="Picker")
    extra = Permission.objects.get(codename="cancel_order")
    group.permissions.add(extra)

    ensure_roles(apps.get_app_config("returns"))

    assert permissions_of("Picker") == {*PICKER, "orders.cancel_order"}
    assert Group.objects.filter(name__in=["Picker", "Support", "Manager"]).count() == 3
