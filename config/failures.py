"""What people see of an error that nobody foresaw: a page in words, and whether to try again."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error

RETRY_AFTER = 5


def failed(request: HttpRequest) -> HttpResponse:
    """503 and when to come back where the database is away or too busy, else the page of an error of ours.

    It asks no database and no session. Called by Django while it handles the exception, which it has logged.
    """
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return server_error(request)
    page = loader.get_template("503.html").render()
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})
