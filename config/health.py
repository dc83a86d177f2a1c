"""Alive (`/healthz`) and fit for work (`/readyz`): answered without login, naming each check, never a secret."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from config.kernel import clock, heartbeat
from config.kernel.enums import DeliveryState, JobState

log = logging.getLogger(__name__)

LATE_SECONDS = 300
SILENT_SECONDS = 180
BROKER_TIMEOUT = 2


@dataclass(frozen=True, slots=True)
class Check:
    """`detail` is a word for people and machines; the reason of a failure goes to the log."""

    ok: bool
    detail: str = ""
    seconds: int | None = None

    def as_json(self) -> dict[str, object]:
        said: dict[str, object] = {"ok": self.ok}
        if self.detail:
            said["detail"] = self.detail
        if self.seconds is not None:
            said["seconds"] = self.seconds
        return said


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every check passes, else 503; each check by name."""
    checks = {name: _safely(name, check) for name, check in CHECKS.items()}
    ready = all(check.ok for check in checks.values())
    body = {
        "status": "ok" if ready else "unfit",
        "checks": {name: check.as_json() for name, check in checks.items()},
    }
    response = JsonResponse(body, status=200 if ready else 503)
    response["Cache-Control"] = "no-store"
    return response


def _safely(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except DatabaseError:
        log.exception("readiness: %s", name)
        return Check(False, "database unreachable")
    except Exception:
        log.exception("readiness: %s", name)
        return Check(False, "failed")


def database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return Check(cursor.fetchone() == (1,))


def migrations() -> Check:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return Check(missing == 0, f"{missing} to apply" if missing else "")


def broker() -> Check:
    """The memory broker lives in this process; Redis must answer a ping."""
    if not settings.REDIS_URL:
        return Check(True, "in memory")
    import redis

    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=BROKER_TIMEOUT, socket_connect_timeout=BROKER_TIMEOUT
    )
    try:
        return Check(bool(client.ping()))
    except redis.RedisError:
        log.exception("readiness: broker")
        return Check(False, "broker unreachable")
    finally:
        client.close()


def oldest_delivery() -> Check:
    from config.kernel.models import Delivery

    due = Delivery.objects.filter(
        state__in=[DeliveryState.DUE, DeliveryState.FAILED], due_at__lte=clock.now()
    )
    return _age(due.order_by("due_at").values_list("due_at", flat=True).first())


def oldest_job() -> Check:
    from config.kernel.models import Job

    queued = Job.objects.filter(state=JobState.QUEUED).order_by("id")
    return _age(queued.values_list("queued_at", flat=True).first())


def _age(since: datetime | None) -> Check:
    if since is None:
        return Check(True, "none waiting")
    seconds = max(0, int((clock.now() - since).total_seconds()))
    return Check(seconds <= LATE_SECONDS, seconds=seconds)


def worker() -> Check:
    return _alive("worker")


def beat() -> Check:
    return _alive("beat")


def _alive(name: str) -> Check:
    seconds = heartbeat.seconds_since(name)
    if seconds is None:
        return Check(False, "never seen")
    return Check(seconds <= SILENT_SECONDS, seconds=max(0, int(seconds)))


CHECKS: dict[str, Callable[[], Check]] = {
    "database": database,
    "migrations": migrations,
    "broker": broker,
    "oldest_delivery": oldest_delivery,
    "oldest_job": oldest_job,
    "worker": worker,
    "beat": beat,
}
