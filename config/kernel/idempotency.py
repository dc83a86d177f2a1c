"""Idempotency keys, written inside the business transaction: a rival waits, then gets the first answer."""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from config.kernel import clock
from config.kernel.errors import KeyReused
from config.kernel.locks import note_lock

# A page from before a log-in posts nothing any more, and what a press did is looked at again for some days.
KEPT = timedelta(days=30)
# Asked for as long as what they stand for is there; refunds belong here, which are never made a second time.
LASTING_SCOPES = ("demo",)
_CHUNK = 2000


def request_hash(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()


def begin(scope: str, key: str, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Claim a key for this transaction. None: go on and `finish`. Else the answer that was given before.

    A crash before commit leaves nothing. Refuses `KeyReused` when the same key came with another request.
    """
    from config.kernel.models import IdempotencyKey

    note_lock("idempotency_key")
    digest = request_hash(request)
    try:
        with transaction.atomic():
            IdempotencyKey.objects.create(scope=scope, key=key, request_hash=digest, created_at=clock.now())
    except IntegrityError:
        stored = IdempotencyKey.objects.get(scope=scope, key=key)
        if stored.request_hash != digest:
            raise KeyReused(key=key) from None
        return stored.response or {}
    return None


def finish(scope: str, key: str, response: Mapping[str, Any]) -> None:
    """Keep the answer with the key, in the same transaction."""
    from config.kernel.models import IdempotencyKey

    IdempotencyKey.objects.filter(scope=scope, key=key).update(response=dict(response))


def is_answered(scope: str, key: str) -> bool:
    """Whether a key has an answer already: its request may only be repeated, and nothing need be asked again."""
    from config.kernel.models import IdempotencyKey

    return IdempotencyKey.objects.filter(scope=scope, key=key, response__isnull=False).exists()


def forget(scope: str, key: str) -> None:
    """Let a key be claimed again whose request broke before anything of it was done."""
    from config.kernel.models import IdempotencyKey

    IdempotencyKey.objects.filter(scope=scope, key=key, response__isnull=True).delete()


def forget_old_keys() -> int:
    """Delete keys of more than 30 days ago with what was answered, but those that last; returns how many.

    A second call finds none. Some thousand a transaction, so that nobody who claims a key waits for it.
    """
    from config.kernel.models import IdempotencyKey

    old = IdempotencyKey.objects.filter(created_at__lt=clock.now() - KEPT).exclude(scope__in=LASTING_SCOPES)
    count = 0
    while some := list(old.order_by("created_at").values_list("pk", flat=True)[:_CHUNK]):
        count += IdempotencyKey.objects.filter(pk__in=some).delete()[0]
    return count
