"""The mutation score of the planner, the reservations and the machines: how many planted slips the tests notice.

    python -m tests.mutation                            # all, on SQLite, two at a time
    python -m tests.mutation orders/axes.py             # one module

Each mutant (`mutants.py`) is swapped into the running function in a fork of its own, on a copy of the test
database, and the tests that were seen to call the function run until one fails. What survives and why stands in
`survivors.py`; one that does not stand there makes the run fail.

A runner of our own, because mutmut (3.8.1) leaves out every decorated function, which all verbs are, and runs a whole
test session in each fork, so a database for each mutant. Of the two planners, whose tests need none, it killed 401
of its 437 mutants.
"""

import os
import shutil
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from glob import glob
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.survivors import WHY

PLANNER = ("tests/orders/test_planner.py",)
STATES = ("tests/kernel/test_machines.py", "tests/orders/test_confirm.py", "tests/orders/test_payments.py")
RESERVATIONS = tuple(
    f"tests/{name}.py"
    for name in (
        "inventory/test_reservations", "inventory/test_queue", "inventory/test_expiring", "inventory/test_moving",
        "inventory/test_cutting", "inventory/test_requeueing", "inventory/test_losses", "inventory/test_statements",
        "orders/test_allocate", "orders/test_backorders", "orders/test_reallocate", "orders/test_cancel_units",
        "orders/test_promise_expiry", "orders/test_unpaid_stock", "fulfillment/test_shipping",
    )
)  # fmt: skip
TESTS_OF = {
    "orders/planner.py": PLANNER,
    "orders/split_planner.py": PLANNER,
    "orders/axes.py": ("tests/orders/test_axes.py",),
    "config/kernel/states.py": STATES,
    **dict.fromkeys(sorted(glob("inventory/services/reservations/[a-z]*.py")), RESERVATIONS),
}
AT_ONCE, MOST_SECONDS = 2, 120


def functions_of(module: ModuleType) -> dict[str, FunctionType]:
    """A module's own functions by qualified name, under any decorator."""
    found: dict[str, FunctionType] = {}

    def look(value: Any) -> None:
        value = getattr(value, "fget", value)
        while hasattr(value, "__wrapped__"):
            value = value.__wrapped__
        if isinstance(value, FunctionType) and value.__module__ == module.__name__:
            found[value.__code__.co_qualname] = value

    for value in vars(module).values():
        look(value)
        if isinstance(value, type) and value.__module__ == module.__name__:
            for inner in vars(value).values():
                look(inner)
    return found


class Mutation:
    """A pytest plugin: run all tests once to see who calls what, then every mutant in a fork."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths
        self.survivors: list[Mutant] = []
        self.unexplained: list[Mutant] = []
        self.explained = {path: dict(WHY.get(path, {})) for path in paths}
        self.counts = {"killed": 0, "survived": 0, "never called": 0}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        functions: dict[tuple[str, str], FunctionType] = {}
        for path in self.paths:
            module = import_module(path.removesuffix(".py").replace("/", "."))
            functions |= {(path, name): one for name, one in functions_of(module).items()}
        callers = self.callers(session.items, {one.__code__: key for key, one in functions.items()})
        running: dict[int, Mutant] = {}
        for mutant in (one for path in self.paths for one in mutants_of(path)):
            key = (mutant.path, mutant.function)
            if not callers.get(key):
                self.settle(mutant, "never called")
                continue
            while len(running) >= AT_ONCE:
                self.reap(running)
            running[self.fork(mutant, functions[key], callers[key])] = mutant
        while running:
            self.reap(running)
        self.tell()
        return True

    def callers(
        self, items: Sequence[pytest.Item], known: dict[CodeType, tuple[str, str]]
    ) -> dict[tuple[str, str], list[pytest.Item]]:
        """The tests that call each function, the quickest first."""
        found: dict[tuple[str, str], dict[pytest.Item, float]] = defaultdict(dict)
        for place, item in enumerate(items):
            called: set[tuple[str, str]] = set()

            def note(frame: Any, event: str, _given: Any, called: set[Any] = called) -> None:
                if event == "call" and frame.f_code in known:
                    called.add(known[frame.f_code])

            began = time.perf_counter()
            sys.setprofile(note)
            try:
                reports = runtestprotocol(item, nextitem=self.after(items, place), log=False)
            finally:
                sys.setprofile(None)
            if any(report.failed for report in reports):
                raise pytest.UsageError(f"{item.nodeid} fails without any mutant")
            for key in called:
                found[key][item] = time.perf_counter() - began
        return {key: sorted(of, key=of.__getitem__) for key, of in found.items()}

    def after(self, items: Sequence[pytest.Item], place: int) -> pytest.Item:
        """Never None: the session's fixtures, and with them the database, stay."""
        return items[place + 1] if place + 1 < len(items) else items[0]

    def fork(self, mutant: Mutant, function: FunctionType, items: Sequence[pytest.Item]) -> int:
        from django.db import connections

        connections.close_all()
        if pid := os.fork():
            return pid
        signal.alarm(MOST_SECONDS)
        copy_database()
        function.__code__ = mutant.code
        for place, item in enumerate(items):
            reports = runtestprotocol(item, nextitem=self.after(items, place), log=False)
            if any(report.failed for report in reports):
                os._exit(1)
        os._exit(0)

    def reap(self, running: dict[int, Mutant]) -> None:
        pid, status = os.wait()
        self.settle(running.pop(pid), "survived" if status == 0 else "killed")

    def settle(self, mutant: Mutant, outcome: str) -> None:
        self.counts[outcome] += 1
        if outcome == "killed":
            return
        self.survivors.append(mutant)
        if self.explained[mutant.path].pop(mutant.name, None) is None:
            self.unexplained.append(mutant)
            print(f"{outcome}, not explained: {mutant}", flush=True)

    def tell(self) -> None:
        total = sum(self.counts.values())
        for path in self.paths:
            left = [one for one in self.survivors if one.path == path]
            print(f"{path}: {len(left)} survive")
            for name in self.explained[path]:
                print(f"  explained, and does not survive: {name}")
        print(
            f"{self.counts['killed']} of {total} mutants killed: {100 * self.counts['killed'] / total:.1f} %,"
            f" {len(self.survivors) - len(self.unexplained)} explained, {len(self.unexplained)} not"
        )


def copy_database() -> None:
    """A copy of the test database for this process."""
    from django.db import connection

    name = connection.settings_dict["NAME"]
    mine = Path(f"{name}.{os.getpid()}")
    shutil.copyfile(name, mine)
    connection.settings_dict["NAME"] = str(mine)


if __name__ == "__main__":
    os.environ.pop("DATABASE_URL", None)
    chosen = sys.argv[1:] or list(TESTS_OF)
    tests = sorted({test for path in chosen for test in TESTS_OF[path]})
    mutation = Mutation(chosen)
    sys.exit(pytest.main(["-q", "-s", *tests], plugins=[mutation]) or bool(mutation.unexplained))
