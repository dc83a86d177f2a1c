"""Actions on many rows: a confirm page, then one answer an object; more than 200 become a job."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
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
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel import idempotency
from config.kernel.actors import Actor
from config.kernel.admin.base import acting, admin_url
from config.kernel.admin.bulk_looks import look_at
from config.kernel.admin.presses import bare
from config.kernel.batches import MAX_BATCH, in_batches
from config.kernel.jobs import JobRun, enqueue_job, register_job
from config.kernel.results import Results
from config.kernel.templatetags.bancale import number

Text = str | Promise
JOB_KIND = "bulk_verb"
KEPT_REFUSALS = 2000


@dataclass(frozen=True, slots=True)
class Undo:
    """The bulk verb of the same model that takes another one back, on exactly what was done.

    `values` makes its posted form from the other's cleaned one; None where it would take back more than was done.
    """

    verb: Callable[..., Results[int]]
    values: Callable[[Mapping[str, Any]], Mapping[str, str] | None]


@dataclass(frozen=True, slots=True)
class BulkVerb:
    """A verb that people run on many rows of one model; `done` is its past form: "confirmed".

    `trial` is what to ask the verb with before its form is filled in, where the form does not decide who is refused;
    None: it cannot be asked. `foresee(ids)` says what follows for those that would be done, in a fixed number of
    statements; for a selection too large to look at it is asked with None.
    """

    name: str
    model: str
    verb: Callable[..., Results[int]]
    permission: str
    label: Text
    done: Text
    form: type[forms.Form] | None = None
    consequences: Sequence[Text] = ()
    risk: bool = False
    undo: Undo | None = None
    trial: Mapping[str, Any] | None = None
    foresee: Callable[[Sequence[int] | None], Sequence[Any]] | None = None


BULK_VERBS: dict[str, BulkVerb] = {}


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
    name = _name(model, verb)
    if more.get("form") is None:
        more.setdefault("trial", {})
    bulk = BULK_VERBS[name] = BulkVerb(name, model, verb, permission, label, done, **more)

    def action(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return _run(model_admin, request, queryset, bulk)

    action.__name__ = name
    action.short_description = label  # type: ignore[attr-defined]
    action.needs_permission = permission  # type: ignore[attr-defined]
    return action


def _name(model: str, verb: Callable[..., Results[int]]) -> str:
    return f"bulk_{model.replace('.', '_').lower()}_{verb.__name__}"


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


def _hidden(request: HttpRequest, bulk: BulkVerb, count: int) -> list[tuple[str, str]]:
    return [
        ("action", bulk.name),
        ("select_across", request.POST.get("select_across", "0")),
        ("bulk_count", str(count)),
        ("bulk_nonce", request.POST.get("bulk_nonce") or uuid4().hex),
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
    is_stale: bool = False,
) -> HttpResponse:
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
    title = _("%(label)s: %(count)s %(names)s") % facts
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "stale": [title] if is_stale else [],
        "effect": _("%(label)s (%(count)s)") % facts,
        "lines": look.lines,
        "risk": bulk.risk,
        "consequences": consequences,
        "form": form,
        "hidden": [*_hidden(request, bulk, count), *((ACTION_CHECKBOX_NAME, str(pk)) for pk in ticked)],
        "cancel_url": request.get_full_path(),
    }
    return TemplateResponse(request, "kernel/confirm.html", context)


def _carry_out(
    model_admin: Any, request: HttpRequest, ids: Sequence[int], bulk: BulkVerb, form: forms.Form | None
) -> HttpResponse | None:
    """Do it once a nonce. What was asked is what was posted: the first press may empty the filter of the second."""
    nonce = request.POST["bulk_nonce"][:64]
    values = form.cleaned_data if form is not None else {}
    asked = {
        "bulk": bulk.name,
        "user": request.user.pk,
        "ticked": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": _is_across(request),
    }
    with transaction.atomic():
        answer = idempotency.begin("admin_bulk", nonce, asked)
        is_new = answer is None
        has_changed = is_new and _is_across(request) and request.POST.get("bulk_count") != str(len(ids))
        if has_changed:
            transaction.set_rollback(True)
        elif is_new and len(ids) > MAX_BATCH:
            given = {name: request.POST.get(name, "") for name in form.fields} if form is not None else {}
            answer = {"job": enqueue_bulk(bulk, ids, given, actor=acting(request))}
            idempotency.finish("admin_bulk", nonce, answer)
    if has_changed:
        return _confirm_page(model_admin, request, ids, bulk, form, is_stale=True)
    if answer is None:
        answer = answer_of(bulk.verb(ids, actor=acting(request), **values))
        idempotency.finish("admin_bulk", nonce, answer)
    elif "job" in answer:
        messages.info(request, _("It runs now; this page shows how far it is."))
        return HttpResponseRedirect(admin_url(apps.get_model("kernel.Job"), "change", answer["job"]))
    elif not answer:
        messages.warning(request, _("This was pressed before and has not ended; look at the list again."))
        return None
    return _results_page(model_admin, request, bulk, answer, values)


def answer_of(results: Results[Any]) -> dict[str, Any]:
    """Results as JSON: counts, the ids done, and [id, reason] of each refused object."""
    refused = [[key, str(error)] for key, error in results.refusals.items()]
    return {
        "done": len(results.done_ids),
        "done_ids": results.done_ids,
        "unchanged": len(results.unchanged_ids),
        "refused": refused,
    }


def refused_rows(bulk: BulkVerb, refused: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """The refused objects by name, with a link; one query."""
    model = apps.get_model(bulk.model)
    names = {row.pk: str(row) for row in model._default_manager.filter(pk__in=[pk for pk, _why in refused])}
    return [
        {"id": pk, "label": names.get(pk, f"#{pk}"), "url": admin_url(model, "change", pk), "reason": reason}
        for pk, reason in refused
    ]


def _results_page(
    model_admin: Any,
    request: HttpRequest,
    bulk: BulkVerb,
    answer: Mapping[str, Any],
    values: Mapping[str, Any],
) -> HttpResponse:
    refused = refused_rows(bulk, answer["refused"])
    title = ngettext("%(done)s done", "%(done)s done", answer["done"]) % {"done": number(answer["done"])}
    if refused:
        title += ", " + ngettext("%(n)s refused", "%(n)s refused", len(refused)) % {"n": number(len(refused))}
    again = [("action", bulk.name), ("select_across", "0"), ("bulk_nonce", uuid4().hex)]
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "verb": bulk.done,
        "done": answer["done"],
        "unchanged": answer["unchanged"],
        "refused": refused,
        "retry": {
            "url": request.get_full_path(),
            "label": "",
            "hidden": [*again, *((name, request.POST.get(name, "")) for name in values)],
            "name": ACTION_CHECKBOX_NAME,
        },
        "undo": _undo(request, bulk, answer, values),
        "back_url": request.get_full_path(),
    }
    return TemplateResponse(request, "kernel/bulk_results.html", context)


def _undo(
    request: HttpRequest, bulk: BulkVerb, answer: Mapping[str, Any], values: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The button that takes back exactly what was done; its nonce follows this press's, so that it counts once."""
    ids = answer.get("done_ids", ())
    if bulk.undo is None or not ids or (posted := bulk.undo.values(values)) is None:
        return None
    reverse = BULK_VERBS[_name(bulk.model, bulk.undo.verb)]
    if not request.user.has_perm(reverse.permission):
        return None
    nonce = f"{request.POST['bulk_nonce'][:57]}-undo"
    hidden = [("action", reverse.name), ("select_across", "0"), ("bulk_nonce", nonce), *posted.items()]
    return {
        # Of the whole list: what was done may have left the filter.
        "url": admin_url(apps.get_model(bulk.model), "changelist"),
        "label": _("Undo (%(count)s)") % {"count": number(len(ids))},
        "hidden": [*hidden, *((ACTION_CHECKBOX_NAME, str(pk)) for pk in ids)],
    }


def enqueue_bulk(bulk: BulkVerb, ids: Sequence[int], given: Mapping[str, str], *, actor: Actor) -> int:
    """Queue a bulk verb as a job; `given` is its form as it was posted."""
    opts = apps.get_model(bulk.model)._meta
    title = f"{bare(bulk.label)}: {number(len(ids))} {opts.verbose_name_plural}"
    params = {"bulk": bulk.name, "ids": list(ids), "form": dict(given)}
    return enqueue_job(JOB_KIND, title=title, params=params, actor=actor, total=len(ids))


def run_bulk_job(run: JobRun) -> Mapping[str, Any]:
    """Run a bulk verb 200 at a time, from where an earlier run was cut off.

    A chunk whose transactions committed just before a crash is asked again: its objects come back unchanged or
    refused, never done twice.
    """
    bulk = BULK_VERBS[run.params["bulk"]]
    run.actor.require(bulk.permission)
    values: Mapping[str, Any] = {}
    if bulk.form is not None:
        form = bulk.form(run.params["form"])
        form.full_clean()
        values = form.cleaned_data
    ids = run.params["ids"]
    sofar = run.job.result or {"done": 0, "unchanged": 0, "refused": [], "at": 0}
    for start in range(sofar["at"], len(ids), MAX_BATCH):
        chunk = ids[start : start + MAX_BATCH]
        answer = answer_of(in_batches(bulk.verb, chunk, actor=run.actor, **values))
        sofar = {
            "done": sofar["done"] + answer["done"],
            "unchanged": sofar["unchanged"] + answer["unchanged"],
            "refused": [*sofar["refused"], *answer["refused"]][:KEPT_REFUSALS],
            "at": start + len(chunk),
        }
        run.keep(sofar)
        run.progress(sofar["at"], len(ids))
    run.log(
        _("%(done)s done, %(unchanged)s already so, %(refused)s refused")
        % {**sofar, "refused": len(sofar["refused"])}
    )
    return sofar


register_job(JOB_KIND, run_bulk_job)
