"""Where a request comes from, as far as it can be known."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address that reached us, or what trusted proxies before us say; further left is anybody's word."""
    told = [
        part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if part.strip()
    ]
    count = settings.PROXY_COUNT
    if count and len(told) >= count:
        return told[-count][:45]
    return str(request.META.get("REMOTE_ADDR", ""))[:45]
