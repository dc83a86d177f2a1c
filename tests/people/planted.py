"""A business with a row of every model, and a script in every text field that a person or a channel can fill."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import IntegrityError, models, transaction

from config.kernel import clock
from config.kernel.triggers import suspended
from inventory.enums import AdjustmentKind as K
from inventory.models import Sku
from inventory.services.adjustment_booking import AdjustedLine, AdjustmentPlan, book_adjustment
from inventory.services.counts import CountPlan, book_count
from inventory.services.transfers import TransferUnits, book_transfer
from inventory.services.transfers.booking import TransferPlan
from orders.enums import HoldKind
from orders.models import Order
from orders.services.editing import Edit, edit_orders
from orders.services.holds import place_hold
from orders.services.noting import add_note
from tests.factories.fulfillment import make_released
from tests.factories.inventory import make_location
from tests.factories.orders import SYSTEM
from tests.factories.returns import make_received

SCRIPT = "<script>planted=1</script>"
LONGER = f'"><img src=x onerror=planted=2>{SCRIPT}'
# Codes that programs look up; no form and no channel writes words there.
CODES = frozenset(
    [
        "currency",
        "language",
        "time_zone",
        "country_code",
        "subject_type",
        "thread_type",
        "actor_kind",
        "reference_kind",
        "subject",
        "topic",
        "kind",
        "source",
        "state",
        "correlation",
        "password",
        "session_key",
        "digest",
        "codename",
        "model",
        "app_label",
        "event",
        "lane",
        "subscriber",
        "key",
    ]
)
SPOKEN = frozenset({"reason", "text", "title", "note", "name", "number", "code", "label", "error", "message"})
ROOMS = ("orders", "inventory", "fulfillment", "returns", "channels", "kernel", "auth")


def plant() -> None:
    """Make the rows, then overwrite their words."""
    make_business()
    with suspended():
        for model in apps.get_models():
            if model._meta.app_label in ROOMS and model._meta.managed and not model._meta.proxy:
                _plant_in(model)


def make_business() -> None:
    """Goods that came back and work under way by the verbs; what is still missing as plain rows."""
    make_received()
    work = make_released({"MUG": 1}, external_id="A-77")
    there, sku = make_location(), Sku.objects.get(code="MUG")
    plan = TransferPlan(work.location_id, there.pk, (TransferUnits(sku.pk, 1),))
    book_transfer(plan, nonce="planted", actor=SYSTEM)
    book_count(CountPlan(work.location_id, (sku.pk,)), nonce="planted", actor=SYSTEM)
    correction = AdjustmentPlan(K.CORRECTION, work.location_id, "found", (AdjustedLine(sku.pk, 1),))
    book_adjustment(correction, nonce="planted", actor=SYSTEM)
    order = Order.objects.latest("pk")
    place_hold([order.pk], kind=HoldKind.MANUAL, reason="planted", actor=SYSTEM).raise_refusals()
    add_note([order.pk], text="planted", actor=SYSTEM).raise_refusals()
    edit_orders([Edit(order.pk, {"note": "planted"})], actor=SYSTEM).raise_refusals()
    for model in admin.site._registry:
        if not model._default_manager.exists():
            _one(model)


def _one(model: Any) -> Any:
    """A plain row of a model, with what its columns need; None where its rules are stricter than that."""
    values: dict[str, Any] = {}
    for column in model._meta.concrete_fields:
        if column.primary_key or column.null:
            continue
        if column.is_relation:
            found = column.related_model._default_manager.first()
            values[column.name] = found or _one(column.related_model)
        elif column.has_default():
            continue
        elif column.choices:
            values[column.name] = column.choices[0][0]
        else:
            values[column.name] = _plain(column)
    try:
        with transaction.atomic():
            return model._default_manager.create(**values)
    except IntegrityError as refusal:
        raise AssertionError(f"make a row of {model._meta.label} by its verb: {refusal}") from refusal


def _plain(column: Any) -> Any:
    for kind, value in (
        (models.DateTimeField, clock.now()),
        (models.DateField, date(2026, 3, 2)),
        (models.DecimalField, Decimal(1)),
        (models.IntegerField, 1),
        (models.BooleanField, False),
        (models.JSONField, {}),
    ):
        if isinstance(column, kind):
            return value
    return "x"


def _plant_in(model: Any) -> None:
    words = [column for column in model._meta.concrete_fields if _is_words(column)]
    facts = [column.name for column in model._meta.concrete_fields if isinstance(column, models.JSONField)]
    for row in model._default_manager.all():
        values = {column.name: _script(column, row.pk) for column in words}
        values |= {name: _in_facts(getattr(row, name)) for name in facts}
        if values:
            model._default_manager.filter(pk=row.pk).update(**values)


def _is_words(column: Any) -> bool:
    is_text = isinstance(column, models.CharField | models.TextField)
    return is_text and not column.choices and column.name not in CODES and not column.primary_key


def _script(column: Any, pk: Any) -> str:
    text = f"{LONGER}{pk}"
    most = column.max_length or 500
    if most >= len(text):
        return text
    short = (
        f"{pk}{SCRIPT}"
        if column.unique or most >= len(SCRIPT) + len(str(pk))
        else f"{pk}<b onclick=planted=3>"
    )
    return short[:most]


def _in_facts(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _in_facts(one, str(key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_in_facts(one, name) for one in value]
    return LONGER if isinstance(value, str) and name in SPOKEN else value
