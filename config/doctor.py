"""`manage.py doctor`: every configuration fault at once, each with its variable and its fix.

The variables are judged before Django reads them, so a broken environment is told and not raised; then
whatever can still be reached is asked: database, migrations, Redis.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from config.setup.variables import Fault, environment_faults, is_public

ROOT = Path(__file__).resolve().parent.parent
OLDEST_POSTGRESQL = 14
# Each must be so, or a power cut can take back what a channel was told.
DURABLE = {"fsync": "on", "full_page_writes": "on"}
SYNCHRONOUS = frozenset({"on", "remote_write", "remote_apply", "local"})
ARGUMENTS_REFUSED = 2


def main(arguments: Sequence[str]) -> int:
    """Print every fault; 0 when there is none, 1 when there is any."""
    if arguments:
        sys.stderr.write("manage.py doctor takes no arguments: it checks everything.\n")
        return 0 if arguments[0] in {"-h", "--help"} else ARGUMENTS_REFUSED
    faults = all_faults()
    sys.stdout.write(report(faults))
    return 1 if faults else 0


def all_faults() -> list[Fault]:
    """Faults of the variables (process and `.env`), then of the servers that they name."""
    _read_dotenv()
    faults = environment_faults(os.environ, ROOT)
    try:
        _start_django()
    except Exception as error:  # whatever a setting raised, the others are still told
        if not faults:
            faults.append(Fault("settings", f"cannot be loaded: {error}", "compare .env with .env.example"))
        return faults
    for ask in (database_faults, redis_faults, deployment_faults):
        faults.extend(ask())
    return faults


def report(faults: Sequence[Fault]) -> str:
    """The words for a terminal, a fault a paragraph."""
    if not faults:
        return "No fault found.\n"
    paragraphs = [f"{fault.about} {fault.problem}.\n    Fix: {fault.fix}.\n" for fault in faults]
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return "".join([*paragraphs, f"{count} found.\n"])


def _read_dotenv() -> None:
    import environ

    if (ROOT / ".env").exists():
        environ.Env.read_env(ROOT / ".env")


def _start_django() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()


def database_faults() -> Iterator[Fault]:
    """Reachable, durable, migrated."""
    from django.db import DatabaseError, connection

    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
        yield Fault("The database", "does not exist yet", "python3 manage.py migrate")
        return
    try:
        connection.ensure_connection()
    except Exception as error:
        words = " ".join(str(error).split())
        yield Fault("DATABASE_URL", f"cannot be opened ({words})", "start the server, or correct the address")
        return
    try:
        if connection.vendor == "postgresql":
            yield from _postgresql_faults()
        yield from _migration_faults()
    except DatabaseError as error:
        yield Fault("DATABASE_URL", f"cannot be read ({error})", "let its user own the database")


def _postgresql_faults() -> Iterator[Fault]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN"
            " ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version_num')"
        )
        shown = dict(cursor.fetchall())
    yield from durability_faults(shown)


def durability_faults(shown: dict[str, str]) -> Iterator[Fault]:
    """What PostgreSQL's own settings (name to value) say against keeping orders in it."""
    for name, wanted in DURABLE.items():
        if shown[name] != wanted:
            problem = f"is {shown[name]}: a power cut can corrupt the database"
            yield Fault(f"PostgreSQL's {name}", problem, f"ALTER SYSTEM SET {name} = {wanted}, then reload")
    if shown["synchronous_commit"] not in SYNCHRONOUS:
        problem = f"is {shown['synchronous_commit']}: a power cut can take accepted orders back"
        fix = "ALTER SYSTEM SET synchronous_commit = on, then reload"
        yield Fault("PostgreSQL's synchronous_commit", problem, fix)
    major = int(shown["server_version_num"]) // 10000
    if major < OLDEST_POSTGRESQL:
        fix = f"upgrade it to {OLDEST_POSTGRESQL} or newer"
        yield Fault("PostgreSQL's version", f"is {major}, which Django does not support", fix)


def _migration_faults() -> Iterator[Fault]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        problem = f"lacks {len(waiting)} migrations, first {waiting[0][0]}"
        yield Fault("The database", problem, "python3 manage.py migrate")


def redis_faults() -> Iterator[Fault]:
    """Reachable, and keeping what it is given."""
    import redis
    from django.conf import settings

    if not settings.REDIS_URL:
        return
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2) as client:
            client.ping()
            policy = _memory_policy(client.config_get)
    except (redis.RedisError, ValueError) as error:
        fix = "start the server, or correct the address"
        yield Fault("BANCALE_REDIS_URL", f"does not answer ({error})", fix)
        return
    if policy not in {"", "noeviction"}:
        fix = "CONFIG SET maxmemory-policy noeviction, and write it into its file"
        yield Fault("Redis's maxmemory-policy", f"is {policy}: it drops queued work when it is full", fix)


def _memory_policy(config_get: Callable[[str], object]) -> str:
    """The policy, or nothing where a hosted Redis does not tell."""
    import redis

    try:
        answer = config_get("maxmemory-policy")
    except redis.ResponseError:
        return ""
    return str(answer.get("maxmemory-policy", "")) if isinstance(answer, dict) else ""


def deployment_faults() -> Iterator[Fault]:
    """Django's own system checks; those for a deployment only when others can reach the site."""
    from django.core.checks import WARNING, run_checks

    for found in run_checks(include_deployment_checks=is_public(os.environ)):
        if found.level >= WARNING:
            yield Fault(
                found.id or "Django", found.msg.rstrip("."), (found.hint or "see Django's checks").rstrip(".")
            )
