"""`manage.py test`: the checks, then the whole suite on PostgreSQL, then on SQLite; the last line sums up.

With arguments the checks are skipped and the arguments go to pytest (`manage.py test tests/orders -k foo`).
`BANCALE_REQUIRE=postgres,redis,browser` turns what is left out for want of one of them into a failure.
"""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.setup import postgres_server, redis_server
from config.setup.checks import CHECKS, Check
from config.setup.chromium import find_chromium
from config.setup.console import SetupError, say, step

WORKERS = "2"
# How long the whole suite looks for files that break something; a single test file does so for a moment.
FUZZ_SECONDS = "120"
NOTHING_COLLECTED = 5
# Needs and what a person reads when they were not met.
NEEDS = {
    "postgres": "tests on PostgreSQL",
    "redis": "tests on Redis",
    "browser": "browser tests",
    "real_data": "tests on recorded data",
}


@dataclass(slots=True)
class Summary:
    """What a run did, for its last line and for `.data/test-run/summary.json`."""

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    skipped: int = 0

    def missing(self, required: Sequence[str]) -> list[str]:
        """The required needs that were not met."""
        return [need for need in required if need in self.left_out]

    def sentence(self, seconds: float, required: Sequence[str]) -> str:
        """The last line: what was passed or failed, and what had to be left out and why."""
        missing = [f"{NEEDS.get(need, need)} (required)" for need in self.missing(required)]
        failed = [*self.failed, *missing]
        verdict = f"Failed: {', '.join(failed)}. " if failed else ""
        done = f"Passed: {', '.join(self.passed) or 'nothing'}, in {seconds:.0f} s. "
        reasons = [f"{NEEDS.get(need, need)} ({why.rstrip('.')})" for need, why in self.left_out.items()]
        if self.skipped:
            reasons.append(f"{self.skipped} skipped tests (reasons above)")
        return f"{verdict}{done}Left out: {', '.join(reasons) or 'nothing'}."


def main(root: Path, arguments: Sequence[str]) -> int:
    """Run the checks and the suites; 0 only when all passed and nothing that is required was left out."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    required = [need for need in os.environ.get("BANCALE_REQUIRE", "").replace(" ", "").split(",") if need]
    summary = Summary()
    with _only_one(root) as folder, ExitStack() as stack:
        if not arguments:
            _run_checks(root, CHECKS, summary)
        environment = _provide(root, stack, summary, arguments)
        for name, extra in _suites(environment, stack, summary).items():
            _run_suite(root, folder, name, {**environment, **extra}, arguments, summary)
        facts = {"passed": summary.passed, "failed": summary.failed, "left_out": summary.left_out}
        (folder / "summary.json").write_text(json.dumps(facts, indent=2), encoding="utf-8")
    print(summary.sentence(time.monotonic() - started, required), flush=True)  # noqa: T201
    return 1 if summary.failed or summary.missing(required) else 0


@contextmanager
def _only_one(root: Path) -> Iterator[Path]:
    """The folder of this run's facts. Two runs in one clone would share test databases, so they queue."""
    folder = root / ".data" / "test-run"
    folder.mkdir(parents=True, exist_ok=True)
    with (root / ".data" / "test.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("Waiting for another test run in this folder"):
                fcntl.flock(handle, fcntl.LOCK_EX)
        shutil.rmtree(folder)
        folder.mkdir()
        yield folder


def _run_checks(root: Path, checks: Sequence[Check], summary: Summary) -> None:
    good = 0
    for check in checks:
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, *check.command],
            cwd=root,
            env={**os.environ, **check.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        verdict = "FAILED" if done.returncode else "ok"
        say(f"  {check.name:<28} {verdict:<6} {time.monotonic() - started:5.1f} s")
        if done.returncode:
            say(done.stdout)
            summary.failed.append(check.name)
        else:
            good += 1
    if good:
        summary.passed.append(f"{good} checks")


def _provide(root: Path, stack: ExitStack, summary: Summary, arguments: Sequence[str] = ()) -> dict[str, str]:
    """The environment that all suites share; what cannot be had is noted as left out."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)  # tests/environment.py sets it, after all others
    if not arguments:
        environment.setdefault("FUZZ_SECONDS", FUZZ_SECONDS)
    environment.setdefault("BANCALE_TEST_DB_SUFFIX", hashlib.sha256(str(root).encode()).hexdigest()[:8])
    beside = root.parent / "shared"
    if not environment.get("BANCALE_TEST_DATA") and beside.is_dir():
        environment["BANCALE_TEST_DATA"] = str(beside)
    try:
        with step("Finding a Redis:"):
            broker = stack.enter_context(redis_server.provide(os.environ))
            say(broker.origin + ",", end="")
        environment["BANCALE_TEST_REDIS_URL"] = broker.url
    except SetupError as refusal:
        summary.left_out["redis"] = str(refusal)
        environment["BANCALE_TEST_REDIS_URL"] = "none"
    if (chromium := find_chromium(os.environ)) is not None:
        environment["BANCALE_CHROMIUM"] = chromium
    else:
        summary.left_out["browser"] = "no Chromium found; set BANCALE_CHROMIUM"
    return environment


def _suites(environment: Mapping[str, str], stack: ExitStack, summary: Summary) -> dict[str, dict[str, str]]:
    """Which databases to run on, first the one that runs everything, with the variables of each."""
    suites = {}
    try:
        with step("Finding a PostgreSQL:"):
            database = stack.enter_context(postgres_server.provide(environment))
            say(f"{database.origin}, version {database.version},", end="")
        suites[f"PostgreSQL {database.version}"] = {"DATABASE_URL": database.url}
    except SetupError as refusal:
        summary.left_out["postgres"] = str(refusal)
    repeated = {"BANCALE_TEST_REPEAT": "1"} if suites else {}
    suites[f"SQLite {sqlite3.sqlite_version}"] = {"DATABASE_URL": "", **repeated}
    return suites


def _run_suite(
    root: Path,
    folder: Path,
    name: str,
    environment: Mapping[str, str],
    arguments: Sequence[str],
    summary: Summary,
) -> None:
    key = name.split()[0].lower()
    facts_file = folder / f"{key}.json"
    command = [sys.executable, "-m", "pytest", f"--junitxml={folder / key}.xml", "-o", "junit_family=xunit2"]
    command += arguments or ["-q", "-n", WORKERS, "--dist", "loadfile", "--no-loadscope-reorder"]
    say(f"\nTests on {name}")
    code = subprocess.run(
        command, cwd=root, env={**environment, "BANCALE_TEST_FACTS": str(facts_file)}
    ).returncode
    facts = json.loads(facts_file.read_text(encoding="utf-8")) if facts_file.exists() else {}
    for need, why in facts.get("left_out", {}).items():
        summary.left_out.setdefault(need, why)
    summary.skipped += facts.get("skipped", 0)
    if code == NOTHING_COLLECTED and environment.get("BANCALE_TEST_REPEAT"):
        return
    if code:
        summary.failed.append(f"tests on {name}")
    else:
        summary.passed.append(f"{facts.get('passed', 0)} tests on {name}")
