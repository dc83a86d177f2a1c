import pytest
from django.db import transaction

from config.kernel import idempotency
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
