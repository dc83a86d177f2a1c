"""Actions on many rows: a confirm page, then one answer an object; more than 200 become a job."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from uuid import uuid4

from django import forms
from django.apps import apps
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel import clock, idempotency
from config.kernel.actors import Actor
from config.kernel.admin.base import acting, admin_url
from config.kernel.admin.bulk_looks import look_at
from config.kernel.admin.bulk_results import SCOPE, SHOWN, answer_of, results_url, run_now, undo_form
from config.kernel.admin.bulk_verbs import (
    BULK_VERBS,
    BulkVerb,
    Text,
    cleaned,
    register_bulk,
    reverse_of,
    titled,
)
from config.kernel.admin.presses import bare
from config.kernel.batches import MAX_BATCH, in_batches
from config.kernel.errors import BancaleError, KeyReused
from config.kernel.jobs import JobRun, enqueue_job, register_job
from config.kernel.languages import filled
from config.kernel.results import Results
from config.kernel.templatetags.bancale import number

JOB_KIND = "bulk_verb"
KEPT_REFUSALS = 2000
# Beyond so many stretches of a selection it is no longer kept which of its objects were done.
KEPT_SPANS = 20_000
USED = gettext_lazy(
    "This was pressed before, in another way. Nothing was done now: press once more to do this too."
)
_NONCE = re.compile(r"[\w -]+")


def bulk_action(
    verb: Callable[..., Results[int]],
    permission: str,
    label: Text,
    *,
    model: str,
    done: Text,
    **more: Any,
) -> Callable[..., HttpResponse | None]:
    """A changelist action from a verb of ids. `more`: form, consequences, risk, undo, trial, foresee of `BulkVerb`.

    Goes into `actions` of the admin of `model` ("orders.Order"). People without `permission` do not see it.
    """
    bulk = register_bulk(verb, permission, label, model=model, done=done, **more)

    def action(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return _run(model_admin, request, queryset, bulk)

    action.__name__ = bulk.name
    action.short_description = label  # type: ignore[attr-defined]
    action.needs_permission = permission  # type: ignore[attr-defined]
    return action


def _run(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Any], bulk: BulkVerb
) -> HttpResponse | None:
    if not request.user.has_perm(bulk.permission):
        raise PermissionDenied
    ids = list(queryset.order_by("pk").values_list("pk", flat=True))
    confirmed = "bulk_nonce" in request.POST
    form = bulk.form(request.POST if confirmed else None) if bulk.form else None
    if not confirmed or (form is not None and not form.is_valid()):
        return _confirm_page(model_admin, request, ids, bulk, form)
    return _carry_out(model_admin, request, ids, bulk, form)


def _hidden(request: HttpRequest, bulk: BulkVerb, count: int, nonce: str) -> list[tuple[str, str]]:
    return [
        ("action", bulk.name),
        ("select_across", request.POST.get("select_across", "0")),
        ("bulk_count", str(count)),
        ("bulk_nonce", nonce or uuid4().hex),
    ]


def _is_across(request: HttpRequest) -> bool:
    return request.POST.get("select_across") == "1"


def _confirm_page(
    model_admin: Any,
    request: HttpRequest,
    ids: Sequence[int],
    bulk: BulkVerb,
    form: forms.Form | None,
    *,
    again: Literal["", "changed", "used"] = "",
) -> HttpResponse:
    """`again` says why a press was not taken: the selection has "changed", or its nonce was "used" for another press,
    so that a further one gets its own."""
    count = len(ids)
    names = model_admin.opts.verbose_name if count == 1 else model_admin.opts.verbose_name_plural
    # Across pages the filter in the address is the selection; one ticked row makes Django see the press.
    ticked = ids[:1] if _is_across(request) else ids
    values = form.cleaned_data if form is not None and form.is_bound and form.is_valid() else None
    look = look_at(bulk, ids, values, acting(request))
    consequences = [*(str(line) for line in bulk.consequences), *look.said]
    if count > MAX_BATCH:
        consequences.append(
            _("More than %(limit)s: it runs as a job, which you can watch and stop.") % {"limit": MAX_BATCH}
        )
    consequences.append(_("Each is judged by itself: what is refused is listed with its reason."))
    facts = {"label": bare(bulk.label), "count": number(count), "names": names}
    nonce = "" if again == "used" else request.POST.get("bulk_nonce", "")
    title = _("%(label)s: %(count)s %(names)s") % facts
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "stale": [title] if again == "changed" else [],
        "error": USED if again == "used" else "",
        "effect": _("%(label)s (%(count)s)") % facts,
        "lines": look.lines,
        "risk": bulk.risk,
        "consequences": consequences,
        "form": form,
        "hidden": [
            *_hidden(request, bulk, count, nonce),
            *((ACTION_CHECKBOX_NAME, str(pk)) for pk in ticked),
        ],
        "cancel_url": request.get_full_path(),
    }
    return TemplateResponse(request, "kernel/confirm.html", context)


def _carry_out(
    model_admin: Any, request: HttpRequest, ids: Sequence[int], bulk: BulkVerb, form: forms.Form | None
) -> HttpResponse | None:
    """Do it once a nonce. What was asked is what was posted: the first press may empty the filter of the second."""
    nonce = _nonce(request)
    given = {name: request.POST.get(name, "") for name in form.fields} if form is not None else {}
    asked = {
        "bulk": bulk.name,
        "user": request.user.pk,
        "ticked": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": _is_across(request),
        "form": given,
    }
    try:
        with transaction.atomic():
            answer = idempotency.begin(SCOPE, nonce, asked)
            is_new = answer is None
            has_changed = is_new and _is_across(request) and request.POST.get("bulk_count") != str(len(ids))
            if has_changed:
                transaction.set_rollback(True)
            elif is_new and len(ids) > MAX_BATCH:
                answer = {"job": enqueue_bulk(bulk, ids, given, actor=acting(request))}
                idempotency.finish(SCOPE, nonce, answer)
    except KeyReused:
        return _confirm_page(model_admin, request, ids, bulk, form, again="used")
    if has_changed:
        return _confirm_page(model_admin, request, ids, bulk, form, again="changed")
    if answer is None:
        answer = run_now(bulk, ids, given, nonce, actor=acting(request), list_url=request.get_full_path())
    if "broken" in answer:
        messages.error(request, answer["broken"])
        return None
    if "job" in answer:
        messages.info(request, _("It runs now; this page shows how far it is."))
        return HttpResponseRedirect(admin_url(apps.get_model("kernel.Job"), "change", answer["job"]))
    if not answer:
        messages.warning(request, _("This was pressed before and has not ended; look at the list again."))
        return None
    return HttpResponseRedirect(results_url(nonce))


def _nonce(request: HttpRequest) -> str:
    """What the page of this press is found by: it stands in an address."""
    posted = request.POST["bulk_nonce"][:64]
    return posted if _NONCE.fullmatch(posted) else uuid4().hex


def enqueue_bulk(bulk: BulkVerb, ids: Sequence[int], given: Mapping[str, str], *, actor: Actor) -> int:
    """Queue a bulk verb as a job; `given` is its form as it was posted."""
    opts = apps.get_model(bulk.model)._meta
    title = f"{titled(bulk, given)}: {number(len(ids))} {opts.verbose_name_plural}"
    params = {"bulk": bulk.name, "ids": list(ids), "form": dict(given)}
    return enqueue_job(JOB_KIND, title=title, params=params, actor=actor, total=len(ids))


def run_bulk_job(run: JobRun) -> Mapping[str, Any]:
    """Run a bulk verb 200 at a time, from where an earlier run was cut off.

    A chunk whose transactions committed just before a crash is asked again: its objects come back unchanged or
    refused, never done twice. The result keeps which objects were done as stretches of the selection (`spans`),
    so that an undo reaches those and no others; None once there are too many.
    """
    bulk = BULK_VERBS[run.params["bulk"]]
    run.actor.require(bulk.permission)
    values = cleaned(bulk, run.params["form"])
    ids = run.params["ids"]
    start_state = {
        "done": 0, "unchanged": 0, "refused": [], "at": 0, "spans": [], "unchanged_ids": [],
        "since": clock.now().isoformat(),
    }  # fmt: skip
    sofar = {**start_state, **(run.job.result or {})}
    for start in range(sofar["at"], len(ids), MAX_BATCH):
        chunk = ids[start : start + MAX_BATCH]
        answer = answer_of(in_batches(bulk.verb, chunk, actor=run.actor, **values))
        sofar = {
            **sofar,
            "done": sofar["done"] + answer["done"],
            "unchanged": sofar["unchanged"] + answer["unchanged"],
            "unchanged_ids": [*sofar["unchanged_ids"], *answer["unchanged_ids"]][:SHOWN],
            "refused": [*sofar["refused"], *answer["refused"]][:KEPT_REFUSALS],
            "at": start + len(chunk),
            "spans": _grown(sofar["spans"], chunk, start, set(answer["done_ids"])),
        }
        run.keep(sofar)
        run.progress(sofar["at"], len(ids))
    words = gettext_lazy("%(done)s done, %(unchanged)s already so, %(refused)s refused")
    run.log(filled(words, {**sofar, "refused": len(sofar["refused"])}))
    return sofar


def _grown(
    spans: list[list[int]] | None, chunk: Sequence[int], start: int, done: set[int]
) -> list[list[int]] | None:
    """The stretches [first, end) of places in the selection that are done, with those of one more chunk."""
    if spans is None:
        return None
    grown = [list(span) for span in spans]
    for place, pk in enumerate(chunk, start):
        if pk not in done:
            continue
        if grown and grown[-1][1] == place:
            grown[-1][1] = place + 1
        else:
            grown.append([place, place + 1])
    return grown if len(grown) <= KEPT_SPANS else None


def done_of(job: Any, limit: int | None = None) -> list[int]:
    """The objects that a bulk job did, in the order of its selection; none where that was not kept."""
    ids = job.params["ids"]
    done: list[int] = []
    for first, end in job.result.get("spans") or ():
        if limit is not None and len(done) >= limit:
            break
        done += ids[first:end]
    return done[:limit]


def take_back_job(job: Any, *, actor: Actor) -> int:
    """Queue the job that takes back what another did, on exactly those objects; returns its id.

    Raises `NotAllowed` without the right of the verb that takes it back.
    """
    bulk = BULK_VERBS[job.params["bulk"]]
    back, form = reverse_of(bulk), job_undo_form(job)
    if back is None or form is None:
        raise BancaleError
    actor.require(back.permission)
    return enqueue_bulk(back, done_of(job), form, actor=actor)


def job_undo_form(job: Any) -> Mapping[str, str] | None:
    """The form of the verb that takes a bulk job back; None where nothing is to be taken back, or no more."""
    bulk = BULK_VERBS.get(job.params.get("bulk", ""))
    if bulk is None or not job.result.get("spans") or job.result.get("undone_by"):
        return None
    return undo_form(bulk, job.params.get("form", {}), job.result.get("since", ""))


register_job(JOB_KIND, run_bulk_job)
