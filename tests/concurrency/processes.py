"""Processes of our own on the test's database."""

import os
import subprocess
import sys
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def database_address() -> str:
    """The address of the database that this test runs on."""
    given = connection.settings_dict
    place = f"{given['HOST']}:{given['PORT']}" if given["PORT"] else given["HOST"]
    return f"postgres://{given['USER']}:{given['PASSWORD']}@{place}/{given['NAME']}"


def start(module: str, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
    """Start `tests.concurrency.<module>` with pipes for its input and output."""
    environment = {**os.environ, "DATABASE_URL": database_address(), "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", f"tests.concurrency.{module}", *arguments]
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
