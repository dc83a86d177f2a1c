"""Guessed passwords: a person is locked out at one address after five failures; many addresses only slow it down.

Never by the name alone: who knows a colleague's name could keep them out. An address from which the person has
logged in before is not slowed down by what others try elsewhere.
"""

from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext

from config.access.factors import about
from config.kernel.actors import Actor
from config.kernel.events import record_events

# Failures on one name within the hour, whatever the address, after which one try a minute is let through.
MANY = 20
WINDOW = timedelta(hours=1)
PAUSE = timedelta(minutes=1)


class Handler(AxesDatabaseHandler):
    """Adds the slower throttle of a name over all addresses."""

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        return bool(super().is_locked(request, credentials)) or is_slowed_down(request, credentials)


def is_slowed_down(request: Any, credentials: dict[str, Any] | None) -> bool:
    name = get_client_username(request, credentials)
    at = request.axes_attempt_time
    if not name or at is None:
        return False
    tried = AccessAttempt.objects.filter(username=name, attempt_time__gt=at - WINDOW)
    found = tried.aggregate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
    if (found["failures"] or 0) < MANY or at - found["last"] >= PAUSE:
        return False
    return not AccessLog.objects.filter(username=name, ip_address=request.axes_ip_address).exists()


def answer(request: HttpRequest, _response: Any, _credentials: Any) -> HttpResponse:
    """The page for somebody who has to wait."""
    minutes = settings.LOCKOUT_MINUTES
    said = ngettext("Wait %(n)s minute, then try again.", "Wait %(n)s minutes, then try again.", minutes)
    response = render(request, "account/locked_out.html", {"wait": said % {"n": minutes}}, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response


def note_lockout(sender: Any, request: Any, username: str | None, **_kwargs: Any) -> None:
    """Leave an event when a name of ours is locked out, once a lock-out: the failure that closed the door."""
    if getattr(request, "axes_failures_since_start", 0) != settings.AXES_FAILURE_LIMIT:
        return
    user = get_user_model().objects.filter(username=username or "").first()
    if user is not None:
        entry = about(user, "locked_out", failures=settings.AXES_FAILURE_LIMIT)
        record_events([entry], actor=Actor.system("log-in"))
