from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.test.utils import override_settings

from config import health
from config.kernel import clock, heartbeat
from config.kernel.models import Heartbeat
from tests.kernel.rows import delivery, job

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_work() -> None:
    heartbeat.beat("worker")
    heartbeat.beat("beat")


def test_healthz_answers_without_database_or_login(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = Client().get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("at_work")
def test_readyz_names_each_check_when_all_is_well() -> None:
    response = Client().get("/readyz")

    assert response.status_code == 200, response.json()
    assert set(response.json()["checks"]) == {
        "database", "migrations", "broker", "oldest_delivery", "oldest_job", "worker", "beat",
    }  # fmt: skip
    assert all(check["ok"] for check in response.json()["checks"].values())


@pytest.mark.usefixtures("at_work")
def test_readyz_is_not_redirected_to_https() -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        assert [Client().get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


def test_readyz_without_a_worker_is_unfit() -> None:
    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json()["status"] == "unfit"
    assert response.json()["checks"]["worker"] == {"ok": False, "detail": "never seen"}


@pytest.mark.usefixtures("at_work")
def test_readyz_with_a_silent_beat_is_unfit() -> None:
    Heartbeat.objects.filter(name="beat").update(
        at=clock.now() - timedelta(seconds=health.SILENT_SECONDS + 5)
    )

    checks = Client().get("/readyz").json()["checks"]

    assert (checks["worker"]["ok"], checks["beat"]["ok"]) == (True, False)


@pytest.mark.usefixtures("at_work")
def test_readyz_with_old_work_is_unfit() -> None:
    delivery("due"), job("queued")
    with clock.frozen(clock.now() + timedelta(seconds=health.LATE_SECONDS + 10)):
        heartbeat.beat("worker"), heartbeat.beat("beat")
        response = Client().get("/readyz")

    checks = response.json()["checks"]
    assert response.status_code == 503
    assert not checks["oldest_delivery"]["ok"]
    assert not checks["oldest_job"]["ok"]
    assert checks["oldest_job"]["seconds"] >= health.LATE_SECONDS


@pytest.mark.usefixtures("at_work")
def test_readyz_says_what_fails_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable() -> health.Check:
        raise DatabaseError("could not connect to postgres://shop:hunter2@db/shop")

    monkeypatch.setitem(health.CHECKS, "database", unreachable)

    with override_settings(REDIS_URL="redis://:hunter3@127.0.0.1:1/0"):
        response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"]["database"] == {"ok": False, "detail": "database unreachable"}
    assert response.json()["checks"]["broker"] == {"ok": False, "detail": "broker unreachable"}
    assert b"hunter" not in response.content
