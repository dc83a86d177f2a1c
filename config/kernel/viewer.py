"""Times are shown in the viewer's zone, which the browser states in a cookie."""

from collections.abc import Callable
from zoneinfo import available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

ZONE_COOKIE = "bancale_tz"
_ZONES = frozenset(available_timezones())


class ViewerZoneMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = request.COOKIES.get(ZONE_COOKIE, "")
        if zone not in _ZONES:
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)
