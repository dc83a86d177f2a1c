"""The house rules that a machine can check; snippets that break each rule prove that it can see."""

import importlib
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from packaging.requirements import Requirement

from config.kernel.money import MoneyField
from config.kernel.states import MACHINES, Machine
from config.setup.locks import read_pins
from tests import architecture_rules as rules
from tests.architecture_rules import Module, Rule

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "config" / "requirements"
TOP_LEVEL = {"manage.py", "pyproject.toml", "README.md", "templates", "tests", "config", *rules.ROOMS}
DERIVED_AXES = ("fulfillment_status", "payment_status")
STOCK_COLUMNS = {"on_hand", "reserved", "unsellable", "balance_after"}


@cache
def listed(*options: str) -> tuple[str, ...]:
    """Files that git knows, or would take; without git, all that is not hidden."""
    try:
        done = subprocess.run(
            ["git", "ls-files", *options], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return tuple(done.stdout.splitlines())
    except (OSError, subprocess.CalledProcessError):
        files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return tuple(path.as_posix() for path in files if not path.parts[0].startswith("."))


@cache
def modules() -> tuple[Module, ...]:
    found = (
        path
        for path in listed("-co", "--exclude-standard")
        if path.endswith(".py") and (ROOT / path).exists()
    )
    return tuple(Module(path, (ROOT / path).read_text(encoding="utf-8")) for path in found)


def complaints(rule: Rule) -> list[str]:
    return [words for module in modules() for words in rule(module)]


def machines() -> dict[str, Machine]:
    """Every machine of every room; a room's table of edges is registered when it is imported."""
    for room in rules.ROOMS:
        if (ROOT / room / "states.py").exists():
            importlib.import_module(f"{room}.states")
    return MACHINES


def machine_fields() -> set[str]:
    return {"status", *(machine.field for machine in machines().values())}


def guarded_models() -> set[str]:
    """Rows of stock, status and money: their models are found by what their columns are."""
    found = {machine.model.split(".")[1].lower() for machine in MACHINES.values()}
    guarded = set()
    for model in apps.get_models():
        if model._meta.app_label not in rules.ROOMS:
            continue
        columns = model._meta.concrete_fields
        is_money = any(isinstance(column, MoneyField) for column in columns)
        is_stock = any(column.name in STOCK_COLUMNS for column in columns)
        if is_money or is_stock or model._meta.model_name in found:
            guarded.add(model.__name__)
    return guarded


def tracked_models() -> list[str]:
    """Models that keep a history of what people edit by hand."""
    return [model.__name__ for model in apps.get_models() if hasattr(model, "history")]


RULES: dict[str, Callable[[], Rule]] = {
    "sizes": lambda: rules.sizes,
    "names": lambda: rules.names,
    "directions": lambda: rules.directions,
    "pure planners": lambda: rules.pure_planners,
    "stored text": lambda: rules.one_text_that_is_stored,
    "one clock": lambda: rules.one_clock,
    "markup": lambda: rules.no_unescaped_markup,
    "status": lambda: rules.status_written_by_kernel(machine_fields()),
    "doors": lambda: rules.doors_write_nothing,
    "history": lambda: rules.history_kept_by_verbs(tracked_models()),
    "guarded models": lambda: rules.guarded_models_written_by_services(guarded_models()),
}


@pytest.mark.parametrize("name", RULES)
def test_source_obeys_rule(name: str) -> None:
    assert complaints(RULES[name]()) == []


SEVEN = "a, b, c, d, e, f, g"
BREAKS = [
    ("history", "orders/services/x.py", "SalesChannel.objects.filter(pk=1).update(name='x')"),
    ("history", "inventory/services/x.py", "Sku.objects.bulk_create(rows)"),
    ("history", "inventory/services/x.py", "StockLevel.objects.bulk_update(rows, ['reorder_point'])"),
    ("history", "inventory/services/x.py", "add_to_rows(Location, ('preference',), numbers)"),
    ("sizes", "orders/services/x.py", "x = 1\n" * 501),
    ("sizes", "orders/services/x.py", "def f():\n" + "    x = 1\n" * 60),
    ("sizes", "tests/x.py", "def f():\n" + "    x = 1\n" * 60),
    ("sizes", "orders/services/x.py", f"def f({SEVEN}): ..."),
    ("sizes", "orders/services/x.py", "def f(a, b, c, d, *, e, f, g): ..."),
    ("names", "orders/utils.py", ""),
    ("names", "orders/services/common/x.py", ""),
    ("directions", "inventory/services/x.py", "from orders.models import Order"),
    ("directions", "orders/models/x.py", "import fulfillment.models"),
    ("directions", "orders/models/x.py", "def f():\n    from channels import adapters"),
    ("directions", "orders/admin/x.py", "from config.settings import DEBUG"),
    ("directions", "orders/admin/x.py", "from config import dashboard"),
    ("directions", "config/kernel/x.py", "from inventory import models"),
    ("directions", "config/kernel/x.py", "from config.dashboard import tiles"),
    ("pure planners", "orders/planners.py", "from django.db import models"),
    ("pure planners", "orders/allocation_planner.py", "from orders.models import Order"),
    ("pure planners", "orders/planners/x.py", "import os"),
    ("stored text", "orders/services/x.py", "x = text.replace('\\0', '')"),
    ("one clock", "orders/services/x.py", "from datetime import datetime\nx = datetime.now(UTC)"),
    ("one clock", "orders/services/x.py", "import datetime\nx = datetime.date.today()"),
    ("one clock", "orders/models/x.py", "from django.utils import timezone\nx = F(default=timezone.now)"),
    ("one clock", "orders/models/x.py", "x = models.DateTimeField(auto_now_add=True)"),
    ("one clock", "orders/services/x.py", "import time\nx = time.time()"),
    ("one clock", "orders/services/x.py", "from django.utils.timezone import now"),
    ("one clock", "orders/services/x.py", "from django.db.models.functions import Now"),
    ("markup", "orders/admin/x.py", "from django.utils.safestring import mark_safe"),
    ("markup", "orders/admin/x.py", "from django.utils import safestring\nx = safestring.mark_safe(y)"),
    ("markup", "orders/admin/x.py", "x = SafeString(y)"),
    ("markup", "orders/admin/x.py", "x = format_html(f'<b>{y}</b>')"),
    ("markup", "orders/admin/x.py", "x = format_html('<b>' + y)"),
    ("status", "orders/services/x.py", "order.status = 'open'"),
    ("status", "orders/services/x.py", "a.note, a.status = 'x', 'open'"),
    ("status", "orders/services/x.py", "Order.objects.filter(pk=1).update(status='open')"),
    ("status", "orders/services/x.py", "Order.objects.update(**{'status': 'open'})"),
    ("status", "orders/services/x.py", "Order.objects.bulk_update(orders, ['status'])"),
    ("status", "orders/services/x.py", "Order.objects.bulk_update(orders, fields=['status'])"),
    ("status", "orders/services/x.py", "order.save(update_fields=['status'])"),
    ("status", "orders/services/x.py", "setattr(order, 'status', 'open')"),
    ("status", "orders/services/x.py", "Order.objects.update_or_create(pk=1, defaults={'status': 'open'})"),
    ("status", "config/kernel/outbox.py", "row.status = 'done'"),
    ("status", "orders/services/x.py", "set_in_rows(Order, ('status', 'version'), values)"),
    ("doors", "orders/admin/x.py", "order.save()"),
    ("doors", "orders/tasks.py", "Order.objects.filter(pk=1).update(note='x')"),
    ("doors", "orders/api/x.py", "Order.objects.create(note='x')"),
    ("doors", "orders/selectors.py", "Order.objects.bulk_update(orders, ['note'])"),
    ("doors", "orders/imports/x.py", "Order.objects.all().delete()"),
    ("doors", "orders/admin/x.py", "fastpath.insert_rows(Order, rows)"),
    ("guarded models", "config/dashboard.py", "Order.objects.update(note='x')"),
    ("guarded models", "config/demo/x.py", "StockLevel.objects.filter(pk=1).update(on_hand=3)"),
    ("guarded models", "orders/neutral.py", "Order.objects.create(number='1')"),
    ("guarded models", "config/demo/x.py", "add_to_rows(StockLevel, ('on_hand',), numbers, condition=c)"),
]


@pytest.mark.parametrize(("name", "path", "source"), BREAKS)
def test_rule_catches_a_breach(name: str, path: str, source: str) -> None:
    assert list(RULES[name]()(Module(path, source)))


FINE = [
    ("sizes", "orders/migrations/0001_x.py", "x = 1\n" * 501),
    ("sizes", "orders/services/x.py", "class A:\n    def f(self, a, b, c, d, e, f): ..."),
    (
        "directions",
        "orders/services/x.py",
        "from config.kernel.states import Edge\nfrom inventory import models",
    ),
    ("directions", "config/urls.py", "from orders.models import Order"),
    (
        "pure planners",
        "orders/planners.py",
        "from dataclasses import dataclass\nfrom orders.enums import Kind",
    ),
    ("one clock", "orders/services/x.py", "from config.kernel import clock\nx = clock.now()"),
    ("status", "orders/services/x.py", "order = Order(status='open')\nif order.status == 'open': pass"),
    ("markup", "orders/admin/x.py", "def f(x: str) -> SafeString:\n    return format_html('<b>{}</b>', x)"),
    ("status", "config/kernel/states.py", "rows.update(status='open')"),
    ("doors", "orders/admin/x.py", "super().save_model(request, obj, form, change)\ncontext.update(a=1)"),
    ("guarded models", "orders/services/x.py", "Order.objects.update(note='x')"),
]


@pytest.mark.parametrize(("name", "path", "source"), FINE)
def test_rule_lets_the_rest_be(name: str, path: str, source: str) -> None:
    assert list(RULES[name]()(Module(path, source))) == []


def test_machines_and_guarded_models_are_found() -> None:
    assert {"StockLevel", "StockMovement", "Order", "OrderLine", "Reservation"} <= guarded_models()
    assert len(machines()) >= 3


@pytest.mark.parametrize("axis", DERIVED_AXES)
def test_derived_axis_is_written_by_one_function(axis: str) -> None:
    has_column = [
        model for model in apps.get_models() for column in model._meta.concrete_fields if column.name == axis
    ]

    assert len(has_column) == 1
    assert len(writers(axis, modules())) == 1, writers(axis, modules())


def writers(axis: str, among: tuple[Module, ...]) -> set[str]:
    return {
        f"{module.path}:{function}"
        for module in among
        if not module.is_test and not module.is_migration
        for _node, _column, function in rules.column_writes(module, frozenset({axis}))
    }


def test_second_writer_of_an_axis_is_caught() -> None:
    source = (
        "def a(order):\n    order.payment_status = 'paid'\n\n"
        "def b():\n    Order.objects.update(payment_status='x')\n\n"
        "def c(values):\n    set_in_rows(Order, ('payment_status',), values)\n"
    )

    assert writers("payment_status", (Module("orders/services/x.py", source),)) == {
        f"orders/services/x.py:{name}" for name in "abc"
    }


def test_templates_obey_the_content_security_policy() -> None:
    pages = [path for path in listed("-co", "--exclude-standard") if path.endswith((".html", ".svg"))]

    faults = [words for path in pages for words in rules.template_faults(path, (ROOT / path).read_text())]

    assert faults == []


@pytest.mark.parametrize(
    "text",
    [
        '<p style="color: red">',
        '<button class="x" onclick="f()">',
        "<script>f()</script>",
        '<script type="module">f()</script>',
        "<style>p {}</style>",
        '<a href="javascript:f()">',
        "{{ note|safe }}",
        "{% autoescape off %}",
        '<script src="https://example.com/x.js"></script>',
    ],
)
def test_template_fault_is_caught(text: str) -> None:
    assert list(rules.template_faults("templates/x.html", text))


def test_template_with_linked_assets_is_fine() -> None:
    text = '<script src="{% static "x.js" %}" defer></script><p class="style" data-on="1">{{ note }}</p>'

    assert list(rules.template_faults("templates/x.html", text)) == []


def top_level(paths: tuple[str, ...]) -> set[str]:
    return {path.split("/")[0] for path in paths if not path.startswith(".")}


def test_top_level_is_the_blueprints() -> None:
    extra = top_level(listed()) - TOP_LEVEL

    assert extra == set()
    assert {path for path in TOP_LEVEL if not (ROOT / path).exists()} == set()
    assert top_level(("orders/x.py", "docs/y.md", ".ci/run")) == {"orders", "docs"}


ADDRESS = re.compile(r"[a-z]+://|@ file:|--index-url|--find-links|--extra-index", re.I)


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_lock_holds_hashes_and_no_address(name: str) -> None:
    text = (LOCKS / f"{name}.lock").read_text()

    assert ADDRESS.findall(text) == []
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [
        entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry and entry[0] != "#"
    ] == []
    assert ADDRESS.findall("x @ https://example.com/x.whl")


def wanted(group: str) -> Iterator[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = project["project"]["dependencies"] if group == "runtime" else project["dependency-groups"]["dev"]
    return map(Requirement, lines)


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_lock_pins_every_dependency(name: str) -> None:
    pins = read_pins(LOCKS / f"{name}.lock", with_markers=True)

    assert [
        str(one) for one in wanted(name) if not one.specifier.contains(pins.get(one.name.lower(), "0"))
    ] == []


def test_dev_lock_contains_the_runtime_lock() -> None:
    runtime = read_pins(LOCKS / "runtime.lock", with_markers=True)
    dev = read_pins(LOCKS / "dev.lock", with_markers=True)

    assert runtime
    assert {name: pin for name, pin in runtime.items() if dev.get(name) != pin} == {}


VARIABLE = re.compile(r"""\b(?:env(?:\.\w+)?|environ\.get)\(\s*["']([A-Z0-9_]+)["']""")


def test_every_setting_stands_in_the_example_and_is_fixed_for_tests() -> None:
    from tests.environment import FIXED

    read = set(VARIABLE.findall((ROOT / "config" / "settings.py").read_text()))
    example = set(re.findall(r"^#?\s?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.M))
    given = {"DATABASE_URL", "BANCALE_DATA_DIR", "BANCALE_TEST_DB_SUFFIX"}

    assert read
    assert read - example - {"BANCALE_TEST_DB_SUFFIX"} == set()
    assert read - set(FIXED) - given == set()
