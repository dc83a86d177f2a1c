"""Pages that lead through one change of stock: fill it in, see what will be, then do it."""

from dataclasses import replace
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from config.kernel.admin import Foreseen, admin_url, within_sight
from config.kernel.idempotency import is_answered
from inventory.admin.line_forms import MORE

BOOK = "book"


def is_agreed(request: HttpRequest, shown: Foreseen, scope: str) -> bool:
    """Whether the person pressed the last button and saw exactly this before, or has pressed it already: a double
    click gets the first answer, though the stock has changed by it."""
    if BOOK not in request.POST:
        return False
    return request.POST.get("seen") == shown.mark or is_answered(scope, request.POST.get("nonce", ""))


def guided_page(
    model_admin: Any, request: HttpRequest, form: Form, lines: Any = None, **more: Any
) -> HttpResponse:
    """`more`: title, effect (the words of the last button), lines_title, hint, kinds, and `foreseen` once the form is
    filled in; a press on something else than was shown says so by itself. Without `foreseen_first` there is nothing
    to see before."""
    shown: Foreseen | None = more.pop("foreseen", None)
    if shown is not None:
        shown = replace(shown, consequences=within_sight(shown.consequences, request.user))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "form": form,
        "lines": lines,
        "foreseen": shown,
        "more": MORE,
        "book": BOOK,
        "foreseen_first": True,
        "stale": shown is not None and BOOK in request.POST and not form.errors,
        "risk": any(one["tone"] == "stop" for one in shown.consequences) if shown else False,
        "cancel_url": admin_url(model_admin.model, "changelist"),
        **more,
    }
    return TemplateResponse(request, "inventory/guided.html", context)
