"""The second factor: a code from an authenticator app, or once a recovery code."""

import hashlib
import math
import secrets
from typing import Any

from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.errors import BancaleError
from config.kernel.events import Entry, Thread, record_events
from config.kernel.models import RecoveryCode

CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def has_factor(user: Any) -> bool:
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def pending_device(user: Any) -> TOTPDevice:
    """The app that is being set up; its secret stays the same until it is confirmed."""
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return device or TOTPDevice.objects.create(user=user, confirmed=False, name="app")


def confirm_device(user: Any, code: str, *, actor: Actor) -> list[str] | None:
    """Turn the second factor on with a first code; the recovery codes, shown this once, or None for a wrong code.

    What there was before is replaced: one app, one set of codes.
    """
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        if device is None or not is_token(code) or not device.verify_token(code.strip()):
            return None
        TOTPDevice.objects.filter(user=user, confirmed=True).delete()
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        codes = _new_codes(user)
        record_events([about(user, "factor_enrolled")], actor=actor)
    return codes


def check_code(user: Any, code: str) -> bool:
    """Whether a code of the app, or an unused recovery code, is right. Each counts once; failures slow the next try."""
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            return False
        if is_token(code):
            return bool(device.verify_token(code.strip()))
        allowed, _why = device.verify_is_allowed()
        if not allowed:
            return False
        used = RecoveryCode.objects.filter(user=user, digest=_digest(code), used_at=None).update(
            used_at=clock.now()
        )
        if used:
            device.throttle_reset()
        else:
            device.throttle_increment()
        return bool(used)


def seconds_locked(user: Any, *, confirmed: bool = True) -> int:
    """How long no code is looked at after wrong ones, of the app in use or of the one being set up; 0 where it is."""
    device = TOTPDevice.objects.filter(user=user, confirmed=confirmed).first()
    allowed, why = (True, None) if device is None else device.verify_is_allowed()
    until = None if allowed or why is None else why.get("locked_until")
    return 0 if until is None else max(1, math.ceil((until - clock.now()).total_seconds()))


def remove_factor(user: Any, *, actor: Actor, kind: str = "factor_removed") -> None:
    """Take a person's app and codes away. Refuses where there is nothing to take."""
    with transaction.atomic():
        gone, _per_model = TOTPDevice.objects.filter(user=user).delete()
        if not gone:
            raise BancaleError(code_message())
        RecoveryCode.objects.filter(user=user).delete()
        record_events([about(user, kind)], actor=actor)


def code_message() -> str:
    from django.utils.translation import gettext

    return gettext("There is no second factor.")


def codes_left(user: Any) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def about(user: Any, kind: str, **facts: Any) -> Entry:
    """An event of a person's access."""
    return Entry(("user", user.pk), Thread("user", user.pk), kind, facts=facts)


def _new_codes(user: Any) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = ["-".join(_part() for _ in range(3)) for _ in range(CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(code)) for code in codes)
    return codes


def _part() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(4))


def _digest(code: str) -> str:
    """Twelve random letters need no slow hash: there are 10^17 of them."""
    plain = "".join(letter for letter in code.lower() if letter in _LETTERS)
    return hashlib.sha256(plain.encode()).hexdigest()


def is_token(code: str) -> bool:
    plain = code.strip()
    return len(plain) == 6 and plain.isascii() and plain.isdigit()
