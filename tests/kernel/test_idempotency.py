from datetime import timedelta

import pytest
from django.db import transaction

from config.kernel import clock, idempotency, tasks
from config.kernel.errors import KeyReused
from config.kernel.models import IdempotencyKey

pytestmark = pytest.mark.django_db
REQUEST = {"order": 1, "amount": "9.90"}


def test_first_call_goes_on_and_the_second_gets_its_answer() -> None:
    with transaction.atomic():
        assert idempotency.begin("test", "k", REQUEST) is None
        idempotency.finish("test", "k", {"done": 1})

    with transaction.atomic():
        assert idempotency.begin("test", "k", dict(reversed(REQUEST.items()))) == {"done": 1}
    assert IdempotencyKey.objects.count() == 1


def test_same_key_with_another_request_is_refused() -> None:
    with transaction.atomic():
        idempotency.begin("test", "k", REQUEST)

    with pytest.raises(KeyReused), transaction.atomic():
        idempotency.begin("test", "k", {**REQUEST, "amount": "9.91"})


def test_keys_of_other_scopes_are_others() -> None:
    with transaction.atomic():
        assert idempotency.begin("test", "k", REQUEST) is None
        assert idempotency.begin("other", "k", {"else": 1}) is None


def test_rollback_frees_the_key() -> None:
    with transaction.atomic():
        assert idempotency.begin("test", "k", REQUEST) is None
        transaction.set_rollback(True)

    with transaction.atomic():
        assert idempotency.begin("test", "k", {"another": "request"}) is None


def test_keys_and_what_was_posted_with_them_go_after_30_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "_CHUNK", 2)
    now = clock.now()
    for days, scopes in ((31, ("admin", "admin_bulk", "goods_receipt", "demo")), (29, ("admin", "demo"))):
        with clock.frozen(now - timedelta(days=days)), transaction.atomic():
            for scope in scopes:
                idempotency.begin(scope, f"{days}", {**REQUEST, "scope": scope})
                idempotency.finish(scope, f"{days}", {"given": "Rosa Neri"})

    tasks.forget_keys()
    again = idempotency.forget_old_keys()

    left = set(IdempotencyKey.objects.values_list("scope", "key"))
    assert left == {("demo", "31"), ("admin", "29"), ("demo", "29")}
    assert again == 0
