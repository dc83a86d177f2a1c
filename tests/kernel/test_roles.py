import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from config.kernel.states import MACHINES
from config.roles import PICKER, ROLE_WORDS, ROLES, ensure_roles
from orders.privacy import SEE_MONEY, SEE_PERSONAL

pytestmark = pytest.mark.django_db


def permissions_of(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def test_migrating_makes_the_five_roles() -> None:
    assert {name: permissions_of(name) for name in ROLES} == {
        name: set(given) for name, given in ROLES.items()
    }
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLE_WORDS)


def test_warehouse_sees_no_buyer_and_no_money_and_reading_writes_nothing() -> None:
    hidden = {
        SEE_PERSONAL,
        SEE_MONEY,
        "orders.view_customer",
        "orders.view_payment",
        "orders.view_notification",
    }

    assert not hidden & permissions_of("Picker")
    assert SEE_PERSONAL not in permissions_of("Reader")
    assert {code.partition(".")[2].partition("_")[0] for code in permissions_of("Reader")} == {
        "view",
        "export",
    }


def test_picker_moves_goods_and_support_decides_orders() -> None:
    assert "orders.confirm_order" in permissions_of("Support") - permissions_of("Picker")
    assert "fulfillment.ship_fulfillmentorder" in permissions_of("Picker")


def test_manager_may_take_every_edge_but_writes_no_history() -> None:
    given = permissions_of("Manager")

    assert {edge.permission for machine in MACHINES.values() for edge in machine.edges} <= given
    assert not given & {"kernel.change_event", "kernel.add_event", "kernel.delete_event"}
    assert {code for code in given if code.startswith("auth.")} == {
        "auth.view_user", "auth.add_user", "auth.change_user", "auth.view_group",
    }  # fmt: skip


def test_second_run_keeps_what_a_person_added() -> None:
    group = Group.objects.get(name="Picker")
    extra = Permission.objects.get(codename="cancel_order")
    group.permissions.add(extra)

    ensure_roles(apps.get_app_config("returns"))

    assert permissions_of("Picker") == {*PICKER, "orders.cancel_order"}
    assert Group.objects.count() == 5
