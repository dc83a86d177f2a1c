"""A private PostgreSQL, a private Redis and a mailbox, and this process's Django on them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.management import call_command
from django.core.management.utils import get_random_secret_key
from django.db import connections

from config.prove.database import CannotProve, nothing_published
from config.prove.kills.mailbox import Mailbox, open_mailbox
from config.prove.kills.services import ROOT, Services, kill_tree
from config.setup import postgres_server, redis_server
from config.setup.console import SetupError

TRIES_TO_RESTART = 20


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that may be killed, and the mailbox that may not."""

    services: Services
    postgres: postgres_server.OwnServer
    broker_url: str
    mailbox: Mailbox

    def crash_postgres(self) -> None:
        """SIGKILL for every process of the server, and start it again at once, as its supervisor would."""
        if self.postgres.process is not None:
            kill_tree(self.postgres.process.pid)
            self.postgres.process.wait()
        connections.close_all()  # ours is gone too
        for _try in range(TRIES_TO_RESTART):
            try:
                self.postgres.start()
            except SetupError:
                continue
            return
        raise CannotProve("PostgreSQL did not start again after SIGKILL.")

    def flush_redis(self) -> None:
        with redis.Redis.from_url(self.broker_url) as client:
            client.flushall()


@contextmanager
def private_stage(*, app: str) -> Iterator[Stage]:
    """Start servers of the proof's own, migrate, and point this process's Django at them until the end.

    The web process, the worker and beat are made, not started; `app` is the module of the Celery app of the last
    two. Raises `CannotProve` where there is no server.
    """
    try:
        with (
            tempfile.TemporaryDirectory(prefix="bancale-kills-", ignore_cleanup_errors=True) as folder,
            postgres_server.own_server() as postgres,
            redis_server.own_server() as broker,
            open_mailbox() as mailbox,
        ):
            postgres.start()
            # Of its own, as the servers are: what this process signs (sessions), they must be able to read.
            settings.SECRET_KEY = get_random_secret_key()
            environment = _environment(postgres.url, broker.url, mailbox.url, Path(folder))
            services = Services(environment, Path(folder), app=app)
            with _database(postgres.url), nothing_published():
                call_command("migrate", verbosity=0, interactive=False)
                try:
                    yield Stage(services, postgres, broker.url, mailbox)
                finally:
                    services.end()
    except SetupError as refusal:
        raise CannotProve(str(refusal)) from refusal


def _environment(database: str, broker: str, mail: str, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database,
        "BANCALE_REDIS_URL": broker,
        "EMAIL_URL": mail,
        "BANCALE_DATA_DIR": str(folder),
        "SECRET_KEY": settings.SECRET_KEY,
        "DEBUG": "off",
        "ALLOWED_HOSTS": "127.0.0.1",
        "BANCALE_SITE_URL": "http://127.0.0.1:8000",
        "SECURE_SSL_REDIRECT": "off",
        "BEHIND_PROXY": "off",
        "LOG_LEVEL": "WARNING",
    }


@contextmanager
def _database(url: str) -> Iterator[None]:
    """Let this process's Django work on another database."""
    place = urlsplit(url)
    home = connections.settings["default"]
    connections.close_all()
    del connections["default"]
    connections.settings["default"] = {
        **home,
        "ENGINE": "django.db.backends.postgresql",
        "NAME": place.path[1:],
        "USER": place.username,
        "PASSWORD": place.password,
        "HOST": place.hostname,
        "PORT": str(place.port),
        "OPTIONS": {},
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
    }
    try:
        yield
    finally:
        connections.close_all()
        del connections["default"]
        connections.settings["default"] = home
