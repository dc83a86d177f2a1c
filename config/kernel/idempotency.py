"""Idempotency keys, written inside the business transaction: a rival waits, then gets the first answer."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from config.kernel import clock
from config.kernel.errors import KeyReused
from config.kernel.locks import note_lock


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
