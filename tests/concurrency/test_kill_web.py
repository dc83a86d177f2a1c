"""Kill -9 of the web process between commit and publish: no mail lost, none sent twice."""

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import global_settings
from django.contrib.auth import get_user_model
from django.db import connection

from config.kernel.audit import run_audit
from orders.enums import OrderStatus
from orders.models import Notification, Order
from tests.concurrency.browsing import Person
from tests.factories.fulfillment import stock
from tests.factories.orders import make_order

KILLS = 10
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mail_folder(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What the processes need to work on this test's database, and to write their mails into its folder."""
    given = connection.settings_dict
    place = f"{given['HOST']}:{given['PORT']}" if given["PORT"] else given["HOST"]
    address = f"postgres://{given['USER']}:{given['PASSWORD']}@{place}/{given['NAME']}"
    return {**os.environ, "DATABASE_URL": address, "BANCALE_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}


def run(module: str, environment: dict[str, str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", f"tests.concurrency.{module}"]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@contextmanager
def web(environment: dict[str, str]) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    process = run("web_process", environment)
    try:
        assert process.stdout is not None
        yield process, f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()
        end_other_sessions()


def end_other_sessions() -> None:
    """What a killed process left open on the server, which would keep the test database from being dropped."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def sweep_with(count: int, environment: dict[str, str]) -> None:
    """Let `count` workers sweep at once."""
    for process in [run("sweep_process", environment) for _number in range(count)]:
        process.communicate(timeout=60)
        assert process.returncode == 0


def mails_to(folder: Path, recipient: str) -> int:
    texts = [path.read_text(errors="replace") for path in folder.glob("*")] if folder.exists() else []
    return sum(text.count(f"\nTo: {recipient}\n") for text in texts)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_confirm_web_killed_before_publish_each_mail_is_sent_once(
    environment: dict[str, str], mail_folder: Path, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # those of the web process
    get_user_model().objects.create_superuser("boss", "boss@example.com", "forbice-pallet-cassa")
    stock({"MUG": 2 * KILLS})  # so that nobody has to hear that goods are awaited
    orders = [make_order(external_id=f"K-{number}") for number in range(KILLS)]
    emails = [order.email for order in orders]

    for order in orders:
        with web(environment) as (process, address):
            person = Person(address)
            person.log_in("boss", "forbice-pallet-cassa")
            with pytest.raises((http.client.HTTPException, OSError)):
                person.post(f"/orders/order/{order.pk}/confirm/", {})
            assert process.wait(timeout=120) == -9

    confirmed = Order.objects.filter(pk__in=[order.pk for order in orders], status=OrderStatus.CONFIRMED)
    assert confirmed.count() == KILLS
    # The negative control: without the sweep every one of these mails would be lost.
    assert [mails_to(mail_folder, email) for email in emails] == [0] * KILLS

    sweep_with(2, environment)
    sweep_with(2, environment)

    assert [mails_to(mail_folder, email) for email in emails] == [1] * KILLS
    assert Notification.objects.exclude(sent_at=None).count() == KILLS
    assert [finding.violations for finding in run_audit() if finding.violations] == []
