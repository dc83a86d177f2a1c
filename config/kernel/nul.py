"""Requests with a NUL in their address or headers: PostgreSQL keeps no such text, and nobody types one."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

NUL = "\x00"


class NoNulMiddleware:
    """Refuses them with 400 before any page asks the database; forms refuse those that are posted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if NUL in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("NUL in an address")
        # A cookie may spell it `\000`, and a session is looked for by what a cookie says.
        if any(NUL in value for value in (*request.headers.values(), *request.COOKIES.values())):
            raise BadRequest("NUL in a header")
        return self.get_response(request)
