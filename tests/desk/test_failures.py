"""Errors that nobody foresaw: 503 and when to come back while the database is away, else 500."""

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from config import health


def asked(monkeypatch: pytest.MonkeyPatch, error: Exception) -> tuple[int, str, str]:
    def fail() -> health.Check:
        raise error

    monkeypatch.setattr("config.health.CHECKS", {"broken": fail})
    monkeypatch.setattr("config.health._safely", lambda _name, check: check())
    answer = Client(raise_request_exception=False).get("/readyz")
    return answer.status_code, answer.headers.get("Retry-After", ""), answer.content.decode()


@pytest.mark.parametrize(
    "error", [OperationalError("server closed the connection"), InterfaceError("closed")]
)
def test_database_away_answers_503_and_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    status, retry_after, page = asked(monkeypatch, error)

    assert (status, retry_after) == (503, "5")
    assert "The database does not answer right now" in page
    assert "server closed" not in page


def test_any_other_error_is_ours_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    status, retry_after, page = asked(monkeypatch, KeyError("secret"))

    assert (status, retry_after) == (500, "")
    assert "Something broke on our side" in page
    assert "secret" not in page
