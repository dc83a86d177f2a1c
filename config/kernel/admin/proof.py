"""Sensitive acts ask once more who sits there: the password, unless it was given within five minutes."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel import clock
from config.kernel.admin.addresses import admin_url

PROVED = "proved_at"
PROOF_SECONDS = 5 * 60
# What is left of a proof where a form is opened that could not be carried on if it ended meanwhile.
TYPING_SECONDS = 3 * 60
FIELD = "proof_password"
_NEVER_CARRIED = ("csrfmiddlewaretoken", FIELD)


class ProofForm(forms.Form):
    proof_password = forms.CharField(
        label=gettext_lazy("Your password"),
        widget=forms.PasswordInput({"autocomplete": "current-password", "autofocus": True}),
    )


def is_proved(request: HttpRequest, *, for_seconds: int = 0) -> bool:
    """Whether the person gave their password within the last five minutes, so that it holds for some more."""
    age = clock.now().timestamp() - float(request.session.get(PROVED, 0))
    return 0 <= age <= PROOF_SECONDS - for_seconds


def sensitive(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view function of (admin or site, request, …) that does something sensitive with POST.

    A press without a fresh proof is answered by a page that asks for the password and carries the press on; typed
    passwords and files are not carried, the form is opened again for them.
    """

    @wraps(view)
    def asked(owner: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" or is_proved(request):
            return view(owner, request, *args, **kwargs)
        error = ""
        if FIELD in request.POST:
            if _is_right(request):
                request.session[PROVED] = clock.now().timestamp()
                if _holds_secrets(request):
                    return HttpResponseRedirect(request.get_full_path())
                return view(owner, request, *args, **kwargs)
            error = _("The password is not right.")
        return _page(owner, request, error)

    return asked


def asks_first(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A `sensitive` view whose form takes passwords: asked when it is opened, for what was typed could not be kept."""

    @wraps(view)
    def asked(owner: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        error = ""
        if request.method == "POST" and FIELD in request.POST and _holds_secrets(request):
            if _is_right(request):
                request.session[PROVED] = clock.now().timestamp()
                return HttpResponseRedirect(request.get_full_path())
            error = _("The password is not right.")
        elif request.method != "GET" or is_proved(request, for_seconds=TYPING_SECONDS):
            return view(owner, request, *args, **kwargs)
        return _page(owner, request, error, opens=True)

    return asked


def _is_right(request: HttpRequest) -> bool:
    """Counted and slowed down as a log-in is."""
    name = request.user.get_username()
    return authenticate(request, username=name, password=request.POST[FIELD]) == request.user


def _holds_secrets(request: HttpRequest) -> bool:
    return request.POST.get("proof_reopens") == "1"


def _page(owner: Any, request: HttpRequest, error: str, *, opens: bool = False) -> HttpResponse:
    """The page that asks; with `opens` it leads to a form that nobody has filled in yet."""
    posted = [(name, value) for name, values in request.POST.lists() for value in values]
    carried = [
        (name, value) for name, value in posted if name not in _NEVER_CARRIED and "password" not in name
    ]
    reopens = bool(request.FILES) or any("password" in name and name != FIELD for name, _value in posted)
    if reopens or opens:
        carried.append(("proof_reopens", "1"))
    site = getattr(owner, "admin_site", owner)
    context = {
        **site.each_context(request),
        "opts": getattr(owner, "opts", None),
        "title": _("Confirm that it is you"),
        "effect": _("Go on"),
        "error": error,
        "consequences": [
            _("This is a sensitive act. Your password is asked for if you gave it more than 5 minutes ago."),
            *([_("The form is then opened again: what was typed there is not kept.")] if reopens else []),
        ],
        "form": ProofForm(),
        "hidden": carried,
        # A form that asks when it is opened would ask again.
        "cancel_url": admin_url(owner.model, "changelist") if opens else request.get_full_path(),
    }
    return TemplateResponse(request, "kernel/confirm.html", context)
