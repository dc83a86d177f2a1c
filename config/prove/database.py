"""A migrated database of the proof's own on the configured PostgreSQL, dropped at the end."""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, connections

from config.kernel import jobs, outbox


class CannotProve(Exception):
    """The configured database does not let a proof run; the message says why, in one sentence."""


@contextmanager
def own_database() -> Iterator[str]:
    """Create, migrate and use a database beside the configured one; yields its name.

    Every connection of this process and of those forked from it goes there. Nothing is published to a broker.
    Raises `CannotProve` on SQLite, for a server that does not answer, and without the right to create one.
    """
    if connection.vendor != "postgresql":
        raise CannotProve(
            "A proof needs PostgreSQL: set DATABASE_URL to a server that lets us create databases."
        )
    home = str(connection.settings_dict["NAME"])
    name = f"prove_{os.getpid()}_{secrets.token_hex(3)}"
    _create(name)
    try:
        _go_to(name)
        call_command("migrate", verbosity=0, interactive=False)
        with nothing_published():
            yield name
    finally:
        _go_to(home)
        _run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connections.close_all()


@contextmanager
def nothing_published() -> Iterator[None]:
    """Keep courtesy nudges from the broker, which works for another database."""
    with ExitStack() as quiet:
        for module in (outbox, jobs):
            quiet.enter_context(replaced(module, "_publish", lambda _what: None))
        yield


@contextmanager
def replaced(module: ModuleType, name: str, other: Any) -> Iterator[None]:
    """Let a module's name mean something else for a while."""
    kept = getattr(module, name)
    setattr(module, name, other)
    try:
        yield
    finally:
        setattr(module, name, kept)


def deadlocks() -> int:
    """How many deadlocks the server has counted in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def address() -> str:
    """The address of the database that this process works on now."""
    given = connection.settings_dict
    place = f"{given['HOST']}:{given['PORT']}" if given["PORT"] else given["HOST"]
    who = f"{given['USER']}:{given['PASSWORD']}" if given["PASSWORD"] else given["USER"]
    return f"postgres://{who}@{place}/{given['NAME']}"


def _create(name: str) -> None:
    try:
        _run(f'CREATE DATABASE "{name}"')
    except DatabaseError as error:
        words = " ".join(str(error).split())
        raise CannotProve(f"No database for the proof could be created: {words}.") from error


def _go_to(name: str) -> None:
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
