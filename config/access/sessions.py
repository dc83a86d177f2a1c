"""Sessions: what begins with a log-in, when it ends by itself, and ending it by hand."""

from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpRequest

from config.access.addresses import client_address
from config.access.factors import has_factor
from config.kernel import clock
from config.kernel.admin.proof import PROVED
from config.kernel.models import StaffSession

# How long the address of a log-in, or of a failed one, is kept.
REMEMBERED = timedelta(days=90)
BEGAN, SEEN, FACTOR = "began_at", "seen_at", "second_factor"
DUE, DONE, NONE = "due", "done", "none"
# How often a session notes that it is used: each note is a write.
NOTE_EVERY = 60
# Open pages ask these by themselves; nobody sits before them.
POLLED = ("/queues/", "/progress/", "/today/")


def begin(sender: Any, request: HttpRequest | None, user: Any, **_kwargs: Any) -> None:
    """Write down a log-in: its time in the session, and a row for its owner to see."""
    if request is None or not hasattr(request, "session"):
        return
    session, now = request.session, clock.now()
    factor = DUE if has_factor(user) else NONE
    session.update({BEGAN: now.timestamp(), SEEN: now.timestamp(), PROVED: now.timestamp(), FACTOR: factor})
    if session.session_key is None:
        session.create()
    agent = str(request.META.get("HTTP_USER_AGENT", ""))[:200]
    written = {"user": user, "began_at": now, "address": client_address(request), "browser": agent}
    StaffSession.objects.update_or_create(session_key=str(session.session_key), defaults=written)


def is_over(session: MutableMapping[str, Any]) -> bool:
    """Whether a session has lasted, or lain idle, too long; one without a beginning is of an older version."""
    now = clock.now().timestamp()
    age = now - float(session.get(BEGAN, 0))
    idle = now - float(session.get(SEEN, 0))
    return age > settings.SESSION_COOKIE_AGE or idle > settings.SESSION_IDLE_MINUTES * 60


def note_use(session: MutableMapping[str, Any], path: str) -> None:
    now = clock.now().timestamp()
    if not path.endswith(POLLED) and now - float(session.get(SEEN, 0)) > NOTE_EVERY:
        session[SEEN] = now


def is_factor_due(session: MutableMapping[str, Any]) -> bool:
    """Whether a second factor has to be shown, or first to be set up, before anything else."""
    state = session.get(FACTOR, NONE)
    return bool(state == DUE or (settings.REQUIRE_TOTP and state != DONE))


def sessions_of(user: Any) -> list[StaffSession]:
    """The living log-ins of a person, newest first; rows of ended ones are cleared away. Three statements."""
    rows = list(StaffSession.objects.filter(user=user).order_by("-began_at", "-pk"))
    oldest = clock.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    keys = Session.objects.filter(session_key__in=[row.session_key for row in rows])
    living = set(keys.values_list("session_key", flat=True))
    kept = [row for row in rows if row.session_key in living and row.began_at > oldest]
    gone = {row.pk for row in rows} - {row.pk for row in kept}
    if gone:
        StaffSession.objects.filter(pk__in=gone).delete()
    return kept


def forget_old_access() -> None:
    """Delete sessions that ended and what is remembered of log-ins: addresses are personal. Four statements."""
    now = clock.now()
    Session.objects.filter(expire_date__lt=now).delete()
    StaffSession.objects.filter(began_at__lt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE)).delete()
    AccessLog.objects.filter(attempt_time__lt=now - REMEMBERED).delete()
    AccessAttempt.objects.filter(attempt_time__lt=now - REMEMBERED).delete()


def follow_key(former: str | None, session: Any) -> None:
    """Keep the row of a log-in whose session got another key, as it does with a new password: a session without a row
    is neither shown to its owner nor ended with the others."""
    if former and session.session_key and session.session_key != former:
        StaffSession.objects.filter(session_key=former).update(session_key=session.session_key)


def end_sessions(user: Any, *, but: str = "", only: int | None = None) -> int:
    """End a person's sessions at once, but the one with this key, or one of them only; how many there were."""
    rows = StaffSession.objects.filter(user=user).exclude(session_key=but)
    if only is not None:
        rows = rows.filter(pk=only)
    keys = list(rows.values_list("session_key", flat=True))
    ended, _per_model = Session.objects.filter(session_key__in=keys).delete()
    rows.delete()
    return ended
