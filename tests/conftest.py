"""What every test stands on: closed sockets, settings that no machine can change, and the four needs.

A need (`postgres`, `redis`, `browser`, `real_data`) that this machine cannot meet skips its tests with a
reason; `manage.py test` reads from the facts file what was left out, and says so in its last line.
"""

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import environment, sockets

sockets.close_all_but_loopback()
DATA_DIR = environment.prepare()
GIVEN = environment.GIVEN
# A busy machine is slow, not broken.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
NEEDS = ("postgres", "redis", "browser", "real_data")
MARKER_OF_FIXTURE = {"redis_url": "redis", "chromium": "browser", "real_data": "real_data"}
NOT_REPEATED = ("postgres", "redis", "browser", "once")
# Begun first: a file goes to one worker, and one that lasts minutes leaves the others idle when it comes last.
LASTING = ("tests/fuzz/", "tests/statemachines/", "tests/browser/test_planted")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Let each worker prepare its own environment; with this variable it would load our settings first."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_unconfigure() -> None:
    shutil.rmtree(DATA_DIR, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for fixture, marker in MARKER_OF_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)
        # CI runs these on PostgreSQL too, and counts those that it left out there as a failure.
        if item.get_closest_marker("postgres") and not environment.is_postgresql():
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL; set DATABASE_URL"))
    if hasattr(config, "workerinput"):
        sizes = Counter(_file_of(item) for item in items)
        items.sort(key=lambda item: (not item.nodeid.startswith(LASTING), -sizes[_file_of(item)]))
    if GIVEN.get("BANCALE_TEST_REPEAT"):
        left = [item for item in items if any(item.get_closest_marker(name) for name in NOT_REPEATED)]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.split("::", 1)[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    facts_file = GIVEN.get("BANCALE_TEST_FACTS")
    if not facts_file or hasattr(config, "workerinput"):
        return
    facts = {"passed": len(terminalreporter.stats.get("passed", ())), "skipped": 0, "left_out": {}}
    for report in terminalreporter.stats.get("skipped", ()):
        need = next((name for name in NEEDS if name in report.keywords), None)
        if need is None:
            facts["skipped"] += 1
        else:
            facts["left_out"][need] = str(report.longrepr[2]).removeprefix("Skipped: ")
    Path(facts_file).write_text(json.dumps(facts), encoding="utf-8")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Before the database is dropped, end what still holds on to it: a live server's thread that answers late."""
    yield
    if environment.is_postgresql():
        from django.db import connection

        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session")
def _redis_server(worker_id: str) -> Iterator[str]:
    """A Redis database for this worker; its number is the worker's."""
    from config.setup import redis_server
    from config.setup.console import SetupError

    given = GIVEN.get("BANCALE_TEST_REDIS_URL", "")
    with ExitStack() as stack:
        if given == "none":
            pytest.skip("needs Redis; set BANCALE_REDIS_URL")
        if not given:
            try:
                given = stack.enter_context(redis_server.provide(GIVEN)).url
            except SetupError as refusal:
                pytest.skip(str(refusal))
        base, _, number = given.rpartition("/") if given.count("/") > 2 else (given, "", "0")
        worker = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
        yield f"{base}/{int(number or 0) + worker}"


@pytest.fixture
def redis_url(_redis_server: str) -> Iterator[str]:
    """The address of an empty Redis database; it is emptied again afterwards."""
    import redis

    with redis.Redis.from_url(_redis_server) as client:
        client.flushdb()
        yield _redis_server
        client.flushdb()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to drive."""
    from config.setup.chromium import find_chromium

    path = find_chromium(GIVEN)
    if path is None:
        pytest.skip("no Chromium found; set BANCALE_CHROMIUM")
    return path


class RealData:
    """Recorded files that are not part of the repository: `real_data("data", "northwind")` is a path."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, *parts: str) -> Path:
        path = Path(self.folder or "nowhere").joinpath(*parts)
        if not self.folder or not path.exists():
            pytest.skip(f"needs the recorded files {'/'.join(parts)}; set BANCALE_TEST_DATA to their folder")
        return path


@pytest.fixture(scope="session")
def real_data() -> RealData:
    """Finds recorded files, or skips the test and counts it as left out."""
    beside = Path(__file__).resolve().parent.parent.parent / "shared"
    return RealData(GIVEN.get("BANCALE_TEST_DATA") or (str(beside) if beside.is_dir() else ""))


@pytest.fixture
def frozen_clock() -> Iterator[datetime]:
    """Stops the kernel's clock at 2026-03-02 09:00 UTC, a Monday."""
    from config.kernel import clock

    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    stopped: AbstractContextManager[None] = clock.frozen(at)
    with stopped:
        yield at
