"""Before any page: a session that is over is ended, and a second factor that is due is asked for."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from config.access.sessions import is_factor_due, is_over, note_use

# Open while a second factor is due: to show it, to set it up, to leave, to read.
OPEN_NAMES = ("second_factor", "factor", "factor_image", "logout", "jsi18n")


class AccessMiddleware:
    """Asks the session only, which the page reads anyway: it costs no statement."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            if is_over(request.session):
                logout(request)
                if request.method == "GET" and not request.path.startswith("/api/"):
                    asked = urlencode({"next": request.get_full_path(), "ended": 1})
                    return HttpResponseRedirect(f"{reverse('admin:login')}?{asked}")
            elif is_factor_due(request.session) and not is_open(request.path):
                asked = urlencode({"next": request.get_full_path() if request.method == "GET" else "/"})
                return HttpResponseRedirect(f"{reverse('admin:second_factor')}?{asked}")
            else:
                note_use(request.session, request.path)
        return self.get_response(request)


def is_open(path: str) -> bool:
    named = {reverse(f"admin:{name}") for name in OPEN_NAMES}
    return path in named | {reverse("set_language"), reverse("healthz"), reverse("readyz")}
