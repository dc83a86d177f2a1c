"""`manage.py prove kills` at the size of a test run: real processes and servers of its own, killed under load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.once


def prove(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Without the environment's key: whoever proves need not have set one."""
    environment = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    command = [sys.executable, "manage.py", "prove", "kills", "--hasty", "--clients", "3", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)


def test_killed_under_load_nothing_is_lost_and_nothing_happens_twice() -> None:
    done = prove("--kills", "3", "--crashes", "1", "--flushes", "1")

    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("PostgreSQL SIGKILL", "Redis FLUSHALL", "web process SIGKILL", "worker child SIGKILL"):
        assert line in done.stdout
    assert "Proven: 0 violations" in done.stdout


def test_control_without_the_sweep_is_seen_to_lose_work() -> None:
    done = prove("--control")

    assert done.returncode == 0, done.stdout + done.stderr
    # What is lost, the news of an order or its mail, depends on the moment of the kill.
    assert "BROKEN effects: " in done.stdout
    assert "The control failed as it must" in done.stdout
