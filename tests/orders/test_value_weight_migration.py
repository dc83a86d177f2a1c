"""Kits sold before weights were kept get those that their kit has."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from inventory.models import KitPart
from orders.models import LinePart
from tests.factories.orders import make_kit, make_order, neutral_line

pytestmark = pytest.mark.django_db


def test_fill_writes_the_weights_of_kits_and_leaves_plain_lines_alone() -> None:
    make_kit("GIFT", CUP=(2, 3), TIN=(1, 5), TEA=(1, 1))
    make_kit("PAIR", CUP=(2, 7))
    make_order(external_id="1", lines=(neutral_line("GIFT"), neutral_line("CUP"), neutral_line("PAIR")))
    make_order(external_id="2", skus=False, lines=(neutral_line("GONE"),))
    wanted = dict(LinePart.objects.values_list("pk", "value_weight"))
    assert sorted(wanted.values()) == [1, 1, 1, 3, 5, 7]
    LinePart.objects.update(value_weight=1)
    KitPart.objects.filter(part__code="TEA").delete()

    editor = SimpleNamespace(connection=connection)
    import_module("orders.migrations.0028_fill_value_weight").fill(apps, editor)

    assert dict(LinePart.objects.values_list("pk", "value_weight")) == wanted
