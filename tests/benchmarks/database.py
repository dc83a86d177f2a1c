"""A PostgreSQL database of a benchmark's own: created, migrated, dropped at the end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ADDRESS = os.environ.get("DATABASE_URL", "")


class NoPostgres(SystemExit):
    def __init__(self) -> None:
        super().__init__("set DATABASE_URL to a PostgreSQL whose user may create databases")


def address_of(name: str) -> str:
    """The configured server's address, with another database."""
    return urlunsplit(urlsplit(ADDRESS)._replace(path=f"/{name}"))


def _admin() -> "psycopg.Connection[tuple[object, ...]]":
    if not ADDRESS.startswith("postgres"):
        raise NoPostgres
    return psycopg.connect(ADDRESS, autocommit=True)


@contextmanager
def own_database(name: str, *, keep: bool = False) -> Iterator[str]:
    """Create a database, load Django on it and migrate; yields its name, drops it afterwards.

    With `keep` it is used as it stands where it stands already, and stays.
    """
    if not (keep and _exists(name)):
        create(name)
    try:
        os.environ["DATABASE_URL"] = address_of(name)
        from tests import environment

        environment.prepare()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield name
    finally:
        if not keep:
            drop(name)


def _exists(name: str) -> bool:
    with _admin() as admin:
        return admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


@contextmanager
def copy_of(name: str, copy: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A copy of a database that nobody is connected to, with a plain connection to it."""
    create(copy, template=name)
    try:
        with psycopg.connect(address_of(copy), autocommit=True) as connection:
            yield connection
    finally:
        drop(copy)


def create(name: str, template: str = "template0") -> None:
    drop(name)
    with _admin() as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )


def drop(name: str) -> None:
    with _admin() as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def tend(*names: str) -> None:
    """What autovacuum does beside the work: here between it, where the server has autovacuum switched off."""
    with _admin() as admin:
        if admin.execute("SHOW autovacuum").fetchone() == ("on",):
            return
    for name in names:
        with psycopg.connect(address_of(name), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")


def settings_of(connection: "psycopg.Connection[tuple[object, ...]]") -> dict[str, str]:
    """The server settings that a figure depends on."""
    names = (
        "server_version",
        "synchronous_commit",
        "fsync",
        "full_page_writes",
        "shared_buffers",
        "autovacuum",
    )
    found = connection.execute(
        "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", [list(names)]
    )
    return {str(name): str(value) for name, value in found}
