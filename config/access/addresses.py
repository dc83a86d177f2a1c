"""Where a request comes from, as far as it can be known."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address that reached us, or what trusted proxies before us say; further left is anybody's word.

    A port beside it is left out. Where a proxy names no address (“unknown”), its own; "" where none is known.
    """
    told = [
        part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if part.strip()
    ]
    count = settings.PROXY_COUNT
    if count and len(told) >= count and (found := _address(told[-count])):
        return found
    return _address(str(request.META.get("REMOTE_ADDR", "")))


def _address(text: str) -> str:
    """What stands in a header as an address that a database keeps; "" for all else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return ""
