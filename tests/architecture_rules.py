"""The rules of `test_architecture.py`: each reads one module's syntax tree and yields its complaints."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

ROOMS = ("inventory", "orders", "fulfillment", "returns", "channels")
KERNEL = "config.kernel"
KERNEL_WRITER = "config/kernel/states.py"
KNOWS_NUL = {"config/kernel/texts.py", "config/kernel/nul.py", "orders/sheets/rows.py"}
CLOCK = "config/kernel/clock.py"
DOORS = ("admin", "api", "tasks", "imports", "subscribers", "selectors", "planners", "planner", "states")
REFUSED_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 500, 60, 6
WRITES = frozenset({"save", "bulk_create", "bulk_update", "update_or_create", "get_or_create"})
# The kernel's own ways past the ORM: the model is their first argument, columns that exist already the second.
FAST_UPDATES = frozenset({"set_in_rows", "add_to_rows"})
FAST_WRITES = FAST_UPDATES | {"insert_rows", "insert_values", "insert_missing"}
QUERYSET_STEPS = frozenset(
    {"objects", "filter", "exclude", "all", "get_queryset", "select_for_update", "order_by"}
)
Functions = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file; `path` is relative to the repository, with slashes."""

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.removesuffix(".py").split("/"))

    @property
    def room(self) -> str:
        return self.parts[0]

    @property
    def is_migration(self) -> bool:
        return "migrations" in self.parts

    @property
    def is_test(self) -> bool:
        return self.room == "tests"

    def at(self, node: ast.AST, words: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)} {words}"


Rule = Callable[[Module], Iterator[str]]


def sizes(module: Module) -> Iterator[str]:
    if module.is_migration:
        return
    lines = module.source.count("\n")
    if lines > MOST_LINES:
        yield f"{module.path}: {lines} lines, {MOST_LINES} at most"
    for node in ast.walk(module.tree):
        if not isinstance(node, Functions):
            continue
        long = (node.end_lineno or node.lineno) - node.lineno + 1
        if long > MOST_FUNCTION_LINES:
            yield module.at(node, f"{node.name} has {long} lines, {MOST_FUNCTION_LINES} at most")
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        if given and given[0].arg in {"self", "cls"}:
            given = given[1:]
        # pytest names its fixtures as parameters.
        if len(given) > MOST_PARAMETERS and not module.is_test:
            yield module.at(node, f"{node.name} has {len(given)} parameters, {MOST_PARAMETERS} at most")


def names(module: Module) -> Iterator[str]:
    for part in module.parts:
        if part in REFUSED_NAMES:
            yield f"{module.path}: a module is named after what it holds, not {part}"


def directions(module: Module) -> Iterator[str]:
    """Rooms import downwards, and of `config` only the kernel; the kernel knows no room."""
    in_kernel = module.path.startswith("config/kernel/")
    if module.is_test or not (in_kernel or module.room in ROOMS):
        return
    rank = -1 if in_kernel else ROOMS.index(module.room)
    for node, target in _imports(module):
        top = target.split(".")[0]
        if top in ROOMS and ROOMS.index(top) > rank:
            yield module.at(node, f"{module.room} imports {target}, which stands above it")
        if top == "config" and not f"{target}.".startswith(f"{KERNEL}."):
            yield module.at(node, f"imports {target}; of config only the kernel may be imported")


PURE = frozenset(
    (
        *(
            "__future__",
            "collections",
            "dataclasses",
            "datetime",
            "decimal",
            "enum",
            "fractions",
            "functools",
        ),
        *("heapq", "itertools", "math", "operator", "typing", "zoneinfo"),
    )
)


def pure_planners(module: Module) -> Iterator[str]:
    """A planner is a function of plain values: no query, no model, nothing of Django."""
    if module.is_test or not any(re.search(r"(^|_)planners?$", part) for part in module.parts):
        return
    for node, target in _imports(module):
        own_words = target.startswith(f"{module.room}.") and not {"models", "services", "selectors"} & set(
            target.split(".")
        )
        if target.split(".")[0] not in PURE and not own_words and not target.startswith(f"{KERNEL}."):
            yield module.at(node, f"a planner is pure and imports {target}")


def one_text_that_is_stored(module: Module) -> Iterator[str]:
    """`config.kernel.texts` alone knows what no database keeps; a sheet shows its NULs, an address has none."""
    if module.is_test or module.is_migration or module.path in KNOWS_NUL:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and node.value == "\x00":
            yield module.at(node, f"NUL by hand: {KERNEL}.texts says what can be stored")


def one_clock(module: Module) -> Iterator[str]:
    """`config.kernel.clock` is the only clock; also Django's own stamps would pass it by."""
    if (
        module.is_test
        or module.is_migration
        or module.path == CLOCK
        or module.path.startswith("config/setup/")
    ):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
            owner = ast.unparse(node.value).rpartition(".")[2]
            if owner in {"datetime", "date", "timezone"}:
                yield module.at(node, f"{owner}.{node.attr}: the only clock is {KERNEL}.clock")
        if isinstance(node, ast.Attribute) and node.attr == "time" and ast.unparse(node.value) == "time":
            yield module.at(node, f"time.time: the only clock is {KERNEL}.clock (durations: time.monotonic)")
        if isinstance(node, ast.keyword) and node.arg in {"auto_now", "auto_now_add"}:
            yield module.at(node.value, f"{node.arg} passes the kernel's clock by; use default=clock.now")
    for node, target in _imports(module):
        if target in {"django.utils.timezone.now", "django.db.models.functions.Now", "time.time"}:
            yield module.at(node, f"{target}: the only clock is {KERNEL}.clock")


def no_unescaped_markup(module: Module) -> Iterator[str]:
    """Markup lives in templates, or in `format_html` with a constant; `SafeString` is only a type."""
    if module.is_test:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).endswith("mark_safe"):
            yield module.at(node, "mark_safe: markup lives in templates")
        if not isinstance(node, ast.Call):
            continue
        if _called(node) in {"SafeString", "SafeText"}:
            yield module.at(node, f"{_called(node)}(): markup lives in templates")
        if _called(node) == "format_html" and not (node.args and isinstance(node.args[0], ast.Constant)):
            yield module.at(node, "format_html wants a constant as its first argument")
    for node, target in _imports(module):
        if target.endswith(".mark_safe"):
            yield module.at(node, "mark_safe: markup lives in templates")


def status_written_by_kernel(fields: Iterable[str]) -> Rule:
    """No assignment and no query writes a machine's status; `apply_transition` does."""
    wanted = frozenset(fields)

    def rule(module: Module) -> Iterator[str]:
        if module.is_test or module.is_migration or module.path == KERNEL_WRITER:
            return
        for node, field, _function in column_writes(module, wanted):
            yield module.at(node, f"writes {field}; only the kernel's apply_transition may")

    return rule


def doors_write_nothing(module: Module) -> Iterator[str]:
    """What is not a service, a model or the kernel calls verbs and saves nothing itself."""
    if module.is_test or module.is_migration or module.room not in ROOMS or len(module.parts) < 2:
        return
    if module.parts[1] not in DOORS:
        return
    yield from (module.at(node, f"calls {what}; a service does") for node, what in _query_writes(module))


def guarded_models_written_by_services(models: Iterable[str]) -> Rule:
    """Stock, status and money rows are written in `services/` and the kernel alone."""
    guarded = frozenset(models)

    def rule(module: Module) -> Iterator[str]:
        if module.is_test or module.is_migration or module.path.startswith("config/kernel/"):
            return
        if len(module.parts) > 1 and module.parts[1] in {"services", "models"} and module.room in ROOMS:
            return
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _called(node) in {*WRITES, "update", "create", "delete"}:
                root = _root_name(node.func)
                if root in guarded and root != _called(node):
                    yield module.at(node, f"{root}…{_called(node)}(): a service writes {root}")
            if isinstance(node, ast.Call) and _called(node) in FAST_WRITES:
                for root in {_root_name(model) for model in node.args[:1]} & guarded:
                    yield module.at(node, f"{_called(node)}({root}): a service writes {root}")

    return rule


def history_kept_by_verbs(models: Iterable[str]) -> Rule:
    """Models with history are written in bulk only where `record_history` tells of it: signals do not see it."""
    tracked = frozenset(models)

    def rule(module: Module) -> Iterator[str]:
        if module.room not in ROOMS or module.is_migration or "record_history(" in module.source:
            return
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            called = _called(node)
            # Of a level, people set three figures; the others follow the ledger.
            is_tracked = _root_name(node.func) in tracked - {"StockLevel"} or (
                _root_name(node.func) == "StockLevel" and "reorder_point" in ast.unparse(node)
            )
            if called in {"bulk_create", "bulk_update", "update"} and is_tracked:
                yield module.at(
                    node, f"{_root_name(node.func)}…{called}() leaves no history; record_history() does"
                )
            if called in FAST_WRITES:
                for root in {_root_name(model) for model in node.args[:1]} & tracked - {"StockLevel"}:
                    yield module.at(node, f"{called}({root}) leaves no history; record_history() does")

    return rule


def column_writes(module: Module, fields: frozenset[str]) -> Iterator[tuple[ast.AST, str, str]]:
    """Every place that writes one of these columns to an existing row: node, column, enclosing function."""
    for function, node in _with_functions(module.tree):
        for field in _columns_written(node):
            if field in fields:
                yield node, field, function


def _columns_written(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in chain.from_iterable(t.elts if isinstance(t, ast.Tuple) else [t] for t in targets):
            if isinstance(target, ast.Attribute):
                yield target.attr
    if not isinstance(node, ast.Call):
        return
    called = _called(node)
    if called == "setattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        yield str(node.args[1].value)
    if called == "update":
        for keyword in node.keywords:
            if keyword.arg:
                yield keyword.arg
            elif isinstance(keyword.value, ast.Dict):
                yield from _strings(keyword.value.keys)
    if called in {"bulk_update", *FAST_UPDATES} and len(node.args) > 1:
        yield from _strings(getattr(node.args[1], "elts", ()))
    for keyword in node.keywords:
        if called in {"save", "bulk_update"} and keyword.arg in {"update_fields", "fields"}:
            yield from _strings(getattr(keyword.value, "elts", ()))
        if called == "bulk_create" and keyword.arg == "update_fields":
            yield from _strings(getattr(keyword.value, "elts", ()))
        if called == "update_or_create" and keyword.arg == "defaults" and isinstance(keyword.value, ast.Dict):
            yield from _strings(keyword.value.keys)


TEMPLATE_FAULTS = (
    (re.compile(r"<[^>]*\sstyle\s*=", re.I), "style attribute"),
    (re.compile(r"<[^>]*\son[a-z]+\s*=", re.I), "event attribute"),
    (re.compile(r"<script(?![^>]*\ssrc\s*=)(?![^>]*application/(?:ld\+)?json)[^>]*>", re.I), "inline script"),
    (re.compile(r"<style[\s>]", re.I), "inline style sheet"),
    (re.compile(r"javascript:", re.I), "javascript address"),
    (re.compile(r"\|\s*safe\b|autoescape\s+off|\|\s*safeseq\b"), "unescaped value"),
    (
        re.compile(r"""(?:src|href)\s*=\s*["'](?:https?:)?//[^"']+\.(?:js|css|woff2?)""", re.I),
        "foreign asset",
    ),
)


def template_faults(path: str, text: str) -> Iterator[str]:
    """What the strict content security policy would refuse, or what would let markup through."""
    in_mail = "/mail/" in path or "/email/" in path  # a mail has no style sheet to link to
    for pattern, words in TEMPLATE_FAULTS:
        if in_mail and words in {"style attribute", "inline style sheet"}:
            continue
        for match in pattern.finditer(text):
            yield f"{path}:{text.count(chr(10), 0, match.start()) + 1} {words}"


def _imports(module: Module) -> Iterator[tuple[ast.AST, str]]:
    package = module.parts[:-1]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += [node.module] if node.module else []
            yield from ((node, ".".join([*base, alias.name])) for alias in node.names)


def _with_functions(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(tree):
        inside = child.name if isinstance(child, Functions) else function
        yield inside, child
        yield from _with_functions(child, inside)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _steps(node: ast.AST) -> Iterator[str]:
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        if isinstance(node, ast.Attribute):
            yield node.attr
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Name):
        yield node.id


def _root_name(node: ast.AST) -> str:
    return list(_steps(node))[-1] if list(_steps(node)) else ""


def _query_writes(module: Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _called(node) in FAST_WRITES:
            yield node, f"{_called(node)}()"
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        called, steps = node.func.attr, set(_steps(node.func.value))
        if called in WRITES and "super" not in steps:
            yield node, f"{called}()"
        if called in {"update", "create", "delete"} and steps & QUERYSET_STEPS:
            yield node, f"{called}()"


def _strings(nodes: Iterable[ast.AST | None]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
