"""What an action on many rows did: a page with an address of its own, each object's answer, and the way back, once."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel import clock, idempotency
from config.kernel.actors import Actor
from config.kernel.admin.base import acting, admin_url
from config.kernel.admin.bulk_looks import and_more
from config.kernel.admin.bulk_verbs import BULK_VERBS, BulkVerb, arguments, cleaned, reverse_of, titled
from config.kernel.batches import commits
from config.kernel.errors import BancaleError
from config.kernel.languages import kept_words, readers_words
from config.kernel.models import IdempotencyKey
from config.kernel.results import Results
from config.kernel.templatetags.bancale import number

log = logging.getLogger(__name__)
SCOPE = "admin_bulk"
SHOWN = 20
UNDO = "-undo"
Answer = Mapping[str, Any]


def answer_of(results: Results[Any]) -> dict[str, Any]:
    """Results as JSON: counts, the ids done and already so, and [id, reason (`kept_words`)] of each refused object."""
    refused = [[key, kept_words(error)] for key, error in results.refusals.items()]
    return {
        "done": len(results.done_ids),
        "done_ids": results.done_ids,
        "unchanged": len(results.unchanged_ids),
        "unchanged_ids": results.unchanged_ids,
        "refused": refused,
    }


def run_now(
    bulk: BulkVerb, ids: Sequence[int], given: Mapping[str, str], nonce: str, *, actor: Actor, list_url: str
) -> Answer:
    """Run one batch, and keep with the nonce all that its page needs; `given` is the form as it was posted.

    Where the verb broke, `broken` says so. If nothing of it was committed the nonce is free for another press.
    """
    before = commits()
    answer = {"bulk": bulk.name, "by": actor.id, "given": dict(given), "list": list_url}
    answer["since"] = clock.now().isoformat()
    try:
        answer |= answer_of(bulk.verb(ids, actor=actor, **cleaned(bulk, given)))
    except Exception as error:
        answer["broken"] = _broken(bulk, error, is_begun=commits() > before)
        if commits() == before:
            idempotency.forget(SCOPE, nonce)
            return answer
    idempotency.finish(SCOPE, nonce, answer)
    return answer


def _broken(bulk: BulkVerb, error: Exception, *, is_begun: bool) -> str:
    """In words; what nobody meant to refuse goes to the log."""
    if isinstance(error, BancaleError):
        return str(error)
    log.exception("%s broke", bulk.name)
    if is_begun:
        return _("An error stopped it after a part was done: look at the list again. It stands in the log.")
    return _("An error stopped it and nothing was done; you may press again. It stands in the log.")


def results_url(nonce: str) -> str:
    return reverse("admin:kernel_job_bulk", args=[nonce])


def results_view(site: Any, request: HttpRequest, nonce: str) -> HttpResponse:
    """GET shows what a press did, to whoever pressed; POST takes it back."""
    row = IdempotencyKey.objects.filter(scope=SCOPE, key=nonce).first()
    answer: Answer = (row and row.response) or {}
    bulk = BULK_VERBS.get(answer.get("bulk", ""))
    if bulk is None or answer["by"] != request.user.pk:
        raise Http404
    if not request.user.has_perm(bulk.permission):
        raise PermissionDenied
    if "broken" in answer:
        messages.error(request, answer["broken"])
        return HttpResponseRedirect(answer["list"])
    if request.method == "POST":
        return _take_back(request, nonce, bulk, answer)
    return _page(site, request, nonce, bulk, answer)


def undo_form(bulk: BulkVerb, given: Mapping[str, Any], since: str) -> Mapping[str, str] | None:
    """The posted form of the verb that takes this back; None where there is none, or it would take back more."""
    if bulk.undo is None or not since:
        return None
    return bulk.undo.values({**cleaned(bulk, given), "since": since})


def _take_back(request: HttpRequest, nonce: str, bulk: BulkVerb, answer: Answer) -> HttpResponse:
    back, form = reverse_of(bulk), undo_form(bulk, answer["given"], answer["since"])
    if back is None or form is None or nonce.endswith(UNDO):
        raise Http404
    if not request.user.has_perm(back.permission):
        raise PermissionDenied
    undo = _undo_nonce(nonce)
    with transaction.atomic():
        before = idempotency.begin(SCOPE, undo, {"undo": nonce})
    if before is None:
        ids, url = answer["done_ids"], answer["list"]
        done = run_now(back, ids, form, undo, actor=acting(request), list_url=url)
        if "broken" in done:
            messages.error(request, done["broken"])
            return HttpResponseRedirect(results_url(nonce))
    return HttpResponseRedirect(results_url(undo))


def _undo_nonce(nonce: str) -> str:
    return f"{nonce[:57]}{UNDO}"


def named_rows(bulk: BulkVerb, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Objects by name, with a link; one query, none for none."""
    model = apps.get_model(bulk.model)
    names = {row.pk: str(row) for row in model._default_manager.filter(pk__in=ids)} if ids else {}
    return [{"id": pk, "label": names.get(pk, f"#{pk}"), "url": admin_url(model, "change", pk)} for pk in ids]


def refused_rows(bulk: BulkVerb, refused: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """The refused objects by name, with a link; one query."""
    rows = named_rows(bulk, [pk for pk, _why in refused])
    return [
        {**row, "reason": readers_words(reason)} for row, (_pk, reason) in zip(rows, refused, strict=True)
    ]


def shown_rows(bulk: BulkVerb, ids: Sequence[int], count: int) -> dict[str, Any]:
    """The first of many objects, and how many more there are."""
    rows = named_rows(bulk, ids[:SHOWN])
    return {"rows": rows, "more": and_more(count - len(rows))}


def _page(site: Any, request: HttpRequest, nonce: str, bulk: BulkVerb, answer: Answer) -> HttpResponse:
    refused = refused_rows(bulk, answer["refused"])
    counts = ngettext("%(done)s done", "%(done)s done", answer["done"]) % {"done": number(answer["done"])}
    if refused:
        counts += ", " + ngettext("%(n)s refused", "%(n)s refused", len(refused)) % {
            "n": number(len(refused))
        }
    again = [("action", bulk.name), ("select_across", "0"), ("bulk_nonce", uuid4().hex)]
    context = {
        **site.each_context(request),
        "opts": apps.get_model(bulk.model)._meta,
        "title": f"{titled(bulk, answer['given'])}: {counts}",
        "verb": bulk.done,
        "arguments": [(label, value) for _name, label, value in arguments(bulk, answer["given"])],
        "done": answer["done"],
        "unchanged": answer["unchanged"],
        "refused": refused,
        "done_rows": shown_rows(bulk, answer["done_ids"], answer["done"]),
        "unchanged_rows": shown_rows(bulk, answer["unchanged_ids"], answer["unchanged"]),
        "retry": {
            "url": answer["list"],
            "label": "",
            "hidden": [*again, *answer["given"].items()],
            "name": ACTION_CHECKBOX_NAME,
        },
        "undo": _undo(request, nonce, bulk, answer),
        "undone_url": results_url(_undo_nonce(nonce)) if _is_undone(nonce) else "",
        "back_url": answer["list"],
    }
    return TemplateResponse(request, "kernel/bulk_results.html", context)


def _is_undone(nonce: str) -> bool:
    return not nonce.endswith(UNDO) and idempotency.is_answered(SCOPE, _undo_nonce(nonce))


def _undo(request: HttpRequest, nonce: str, bulk: BulkVerb, answer: Answer) -> Mapping[str, Any] | None:
    """The button that takes back exactly what was done, once."""
    back = reverse_of(bulk)
    if back is None or not answer["done_ids"] or nonce.endswith(UNDO) or _is_undone(nonce):
        return None
    if (
        not request.user.has_perm(back.permission)
        or undo_form(bulk, answer["given"], answer["since"]) is None
    ):
        return None
    label = _("Undo (%(count)s)") % {"count": number(len(answer["done_ids"]))}
    return {"url": results_url(nonce), "label": label, "hidden": []}
