"""The test command itself: what it says, what it leaves out, and the servers that it starts."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config.setup import postgres_server, redis_server
from config.setup.chromium import find_chromium
from config.setup.console import SetupError
from config.setup.testrun import Summary
from tests.environment import FIXED
from tests.sockets import NotLoopback, is_loopback

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent


def test_sentence_of_a_whole_run() -> None:
    summary = Summary(passed=["6 checks", "40 tests on PostgreSQL 15.2", "38 tests on SQLite 3.40.1"])

    assert summary.sentence(61.4, ["postgres"]) == (
        "Passed: 6 checks, 40 tests on PostgreSQL 15.2, 38 tests on SQLite 3.40.1, in 61 s. Left out: nothing."
    )


def test_sentence_names_what_was_left_out_and_what_was_required() -> None:
    summary = Summary(
        passed=["38 tests on SQLite 3.40.1"],
        failed=["mypy"],
        left_out={"browser": "no Chromium found; set BANCALE_CHROMIUM", "postgres": "none was found."},
        skipped=2,
    )

    assert summary.sentence(5, ["postgres", "redis"]) == (
        "Failed: mypy, tests on PostgreSQL (required). Passed: 38 tests on SQLite 3.40.1, in 5 s. Left out: "
        "browser tests (no Chromium found; set BANCALE_CHROMIUM), tests on PostgreSQL (none was found), "
        "2 skipped tests (reasons above)."
    )
    assert summary.missing(["postgres", "redis"]) == ["postgres"]


SAMPLE = """
import pytest

def test_plain(): pass

@pytest.mark.once
def test_without_database(): pass

def test_on_redis(redis_url): pass

def test_in_browser(chromium): pass

def test_on_recorded(real_data): real_data("no", "such")

@pytest.mark.postgres
def test_on_postgresql(): pass

def test_other(): pytest.skip("for a reason of its own")
"""


def run_sample(tmp_path: Path, **given: str) -> dict[str, object]:
    """Run the sample under our conftest on SQLite, where no need is met; returns the facts of the run."""
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    facts = tmp_path / "facts.json"
    environment = {name: value for name, value in os.environ.items() if name not in {*FIXED, "DATABASE_URL"}}
    environment |= {
        "BANCALE_CHROMIUM": "/nowhere/chromium",
        "BANCALE_TEST_REDIS_URL": "none",
        "BANCALE_TEST_FACTS": str(facts),
        "BANCALE_TEST_REPEAT": "",
        **given,
    }
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-q"]
    done = subprocess.run(
        [*command, "-c", "pyproject.toml", "--rootdir", ROOT, tmp_path / "test_sample.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(facts.read_text()))


def test_unmet_needs_are_skipped_and_counted(tmp_path: Path) -> None:
    assert run_sample(tmp_path) == {
        "passed": 2,
        "skipped": 1,
        "left_out": {
            "redis": "needs Redis; set BANCALE_REDIS_URL",
            "browser": "no Chromium found; set BANCALE_CHROMIUM",
            "real_data": "needs the recorded files no/such; set BANCALE_TEST_DATA to their folder",
            "postgres": "needs PostgreSQL; set DATABASE_URL",
        },
    }


def test_repeat_on_sqlite_runs_only_what_the_database_can_change(tmp_path: Path) -> None:
    facts = run_sample(tmp_path, BANCALE_TEST_REPEAT="1")

    assert facts["passed"] == 1
    assert set(facts["left_out"]) == {"real_data"}  # type: ignore[call-overload]


def test_own_postgresql_starts_and_stops() -> None:
    with postgres_server.own_server() as server:
        assert server.start() == postgres_server.ask(server.url)

    with pytest.raises(SetupError, match="PostgreSQL cannot be reached"):
        postgres_server.ask(server.url)


def test_given_postgresql_that_does_not_answer_is_no_reason_to_use_another() -> None:
    with (
        pytest.raises(SetupError, match="PostgreSQL cannot be reached"),
        postgres_server.provide({"DATABASE_URL": "postgres://x@127.0.0.1:1/x"}),
    ):
        pass


def test_own_redis_starts_and_stops() -> None:
    with redis_server.own_server() as broker:
        assert redis_server._answers(broker.url)

    assert not redis_server._answers(broker.url)


def test_given_redis_that_does_not_answer_is_refused() -> None:
    with (
        pytest.raises(SetupError, match="BANCALE_REDIS_URL does not answer"),
        redis_server.provide({"BANCALE_REDIS_URL": "redis://127.0.0.1:1/0"}),
    ):
        pass


def test_chromium_is_the_given_one_or_one_on_path(tmp_path: Path) -> None:
    browser = tmp_path / "chromium"
    browser.write_text("#!/bin/sh\n")
    browser.chmod(0o755)

    assert find_chromium({"BANCALE_CHROMIUM": str(browser)}) == str(browser)
    assert find_chromium({"PATH": str(tmp_path)}) == str(browser)
    assert find_chromium({"PATH": str(tmp_path), "BANCALE_CHROMIUM": "/nowhere"}) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", b"localhost"])
def test_loopback_is_open(host: object) -> None:
    assert is_loopback(host)


def test_other_machines_are_closed() -> None:
    with socket.socket() as sock:
        with pytest.raises(NotLoopback):
            sock.connect(("192.0.2.1", 80))
        with pytest.raises(NotLoopback):
            sock.connect_ex(("192.0.2.1", 80))
    with pytest.raises(NotLoopback):
        socket.getaddrinfo("shop.example.com", 443)
