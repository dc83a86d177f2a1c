"""A person's own account: their sessions and second factor; and the page that asks for the factor at log-in."""

from io import BytesIO
from typing import Any

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.access.browsers import browser_words
from config.access.factors import (
    about,
    check_code,
    codes_left,
    confirm_device,
    has_factor,
    is_token,
    pending_device,
    remove_factor,
    seconds_locked,
)
from config.access.sessions import DONE, FACTOR, NONE, end_sessions, is_factor_due, sessions_of
from config.kernel.admin import acting
from config.kernel.admin.asked import number_of
from config.kernel.admin.proof import sensitive
from config.kernel.errors import BancaleError
from config.kernel.events import record_events


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        widget=forms.TextInput(
            {
                "autocomplete": "one-time-code",
                "autocapitalize": "off",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
        help_text=gettext_lazy("Six digits from your authenticator app."),
    )


def second_factor(site: Any, request: HttpRequest) -> HttpResponse:
    """Ask for the code; whoever has none yet and needs one is led to set it up."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(reverse("admin:login"))
    target = _target(request)
    if not is_factor_due(request.session):
        return HttpResponseRedirect(target)
    if not has_factor(request.user):
        return HttpResponseRedirect(reverse("admin:factor"))
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        code, locked = form.cleaned_data["code"], seconds_locked(request.user)
        if check_code(request.user, code):
            request.session[FACTOR] = DONE
            return HttpResponseRedirect(target)
        form.add_error("code", _locked(locked) if locked else _wrong(code))
    return render(request, "account/second_factor.html", {"form": form, "next": target})


def _locked(seconds: int) -> str:
    said = ngettext(
        "A code was wrong before: this one was not looked at. Try again in %(n)s second.",
        "A code was wrong before: this one was not looked at. Try again in %(n)s seconds.",
        seconds,
    )
    return said % {"n": seconds}


def _wrong(code: str) -> str:
    if is_token(code):
        return _("This code is not right, or was used before. Wait for the next one.")
    return _("This recovery code is not right, or was used before.")


def _target(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else "/"


def account(site: Any, request: HttpRequest) -> HttpResponse:
    """Where one is logged in, and whether a second factor is on."""
    user: Any = request.user
    context = {
        **site.each_context(request),
        "title": _("Your account"),
        "sessions": [
            {
                "row": row,
                "browser": browser_words(row.browser),
                "is_this": row.session_key == request.session.session_key,
            }
            for row in sessions_of(user)
        ],
        "has_factor": has_factor(user),
        "codes_left": codes_left(user),
        "may_remove": not settings.REQUIRE_TOTP,
    }
    return TemplateResponse(request, "account/account.html", context)


@sensitive
def end_session(site: Any, request: HttpRequest) -> HttpResponse:
    """End one of one's own sessions, or all but this."""
    user: Any = request.user
    if request.method == "POST":
        only = number_of(request.POST.get("session")) or None
        count = end_sessions(user, but=str(request.session.session_key), only=only)
        if count:
            record_events([about(user, "sessions_ended", count=count)], actor=acting(request))
        said = ngettext("%(n)s session is ended.", "%(n)s sessions are ended.", count)
        messages.success(request, said % {"n": count})
    return HttpResponseRedirect(reverse("admin:account"))


@sensitive
def factor(site: Any, request: HttpRequest) -> HttpResponse:
    """Set the second factor up: scan, type the first code, keep the recovery codes, which are shown this once."""
    user: Any = request.user
    if is_factor_due(request.session) and has_factor(user):
        return HttpResponseRedirect(reverse("admin:second_factor"))
    form, codes = CodeForm(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        locked = seconds_locked(user, confirmed=False)
        codes = confirm_device(user, form.cleaned_data["code"], actor=acting(request))
        if codes is None:
            wrong = _("This code is not right. Check the clock of your phone and try the next one.")
            form.add_error("code", _locked(locked) if locked else wrong)
        else:
            request.session[FACTOR] = DONE
            end_sessions(user, but=str(request.session.session_key))
    context = {
        **site.each_context(request),
        "title": _("Second factor"),
        "form": form,
        "codes": codes,
        "secret": None if codes else _spelled(pending_device(user)),
        "is_on": has_factor(user),
        "is_due": is_factor_due(request.session),
    }
    response = TemplateResponse(request, "account/factor.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _spelled(device: Any) -> str:
    """The secret for those who cannot scan, in groups of four."""
    from base64 import b32encode

    text = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def factor_image(site: Any, request: HttpRequest) -> HttpResponse:
    """The code to scan, as an image of our own address; only while it is being set up."""
    user: Any = request.user
    if not user.is_authenticated or (is_factor_due(request.session) and has_factor(user)):
        raise Http404
    image = BytesIO()
    code = segno.make(pending_device(user).config_url, error="m")
    code.save(image, kind="svg", scale=5, border=3, svgclass=None, lineclass=None, light="#fff", nl=False)
    response = HttpResponse(image.getvalue(), content_type="image/svg+xml")
    response["Cache-Control"] = "no-store"
    return response


@sensitive
def remove_own_factor(site: Any, request: HttpRequest) -> HttpResponse:
    """Turn one's own second factor off, where it is not required."""
    user: Any = request.user
    if request.method == "POST" and not settings.REQUIRE_TOTP:
        try:
            remove_factor(user, actor=acting(request))
            request.session[FACTOR] = NONE
            end_sessions(user, but=str(request.session.session_key))
            messages.success(request, _("The second factor is off."))
        except BancaleError as error:
            messages.error(request, str(error))
    return HttpResponseRedirect(reverse("admin:account"))
