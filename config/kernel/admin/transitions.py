"""Admin pages of objects with a status: buttons from the edge table, a confirm page each, a timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _

from config.kernel.admin.asked import nonce_of, number_of
from config.kernel.admin.base import ReadOnlyAdmin, acting, admin_url
from config.kernel.admin.presses import (
    ExtraVerb,
    Foreseen,
    ObjectForm,
    Press,
    Pressed,
    Target,
    TransitionVerb,
    Unforeseen,
    bare,
    perform,
    within_sight,
)
from config.kernel.admin.timeline import SHOWN, TimelineRow, last_event_id, timeline
from config.kernel.admin.tones import status_pair
from config.kernel.errors import BancaleError, StaleVersion
from config.kernel.events import Thread
from config.kernel.locks import lock_rows
from config.kernel.models import Event
from config.kernel.states import Machine


def told_to(request: HttpRequest, rows: Sequence[TimelineRow]) -> list[TimelineRow]:
    """A timeline without what this person may not read."""
    may = request.user.has_perm
    told = [row for row in rows if not row.need or may(row.need)]
    return [replace(row, detail="") if row.detail_need and not may(row.detail_need) else row for row in told]


class TimelineMixin:
    """Puts an object's events on its page. `thread_of` says whose timeline it is."""

    timeline_limit = SHOWN

    def thread_of(self, obj: Any) -> Thread:
        return Thread(obj._meta.model_name, obj.pk)

    def timeline_of(self, obj: Any) -> list[Any] | None:
        """The newest events; None for a page that tells its story another way."""
        return list(timeline(self.thread_of(obj), limit=self.timeline_limit))

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}  # type: ignore[misc]
        rows = self.timeline_of(obj)
        page["timeline"] = rows and told_to(request, rows)
        if rows and len(rows) >= self.timeline_limit and request.user.has_perm("kernel.view_event"):
            thread = self.thread_of(obj)
            url = f"{admin_url(Event, 'changelist')}?thread_type__exact={thread.type}&thread_id={thread.id}"
            page["timeline_more"] = {"label": _("All events"), "url": url}
        return page


class TransitionAdmin(TimelineMixin, ReadOnlyAdmin):
    """An object with a status: read-only, moved by buttons. Without a `machine`, by extra verbs alone.

    `verbs` maps edge names to their verb; an edge without one has no button. `extra_verbs` are buttons that
    are no edges. A press locks the row as a verb would: `lock_kind` names it in the lock order, and
    `lock_through` the foreign key whose row is locked in its place ("order" for what lives under an order,
    because the verbs of upper rooms lock the order first).
    """

    machine: Machine | None = None
    verbs: Mapping[str, TransitionVerb] = {}
    extra_verbs: Sequence[ExtraVerb] = ()
    lock_kind = ""
    lock_through = ""

    def get_extra_verbs(self) -> Sequence[ExtraVerb]:
        return self.extra_verbs

    def presses(self) -> list[Press]:
        """Every button this page can have, edges first, in the order of the tables."""
        table = self.machine.edges if self.machine is not None else ()
        edges = [edge for edge in table if edge.name in self.verbs]
        return [
            *(Press.of_edge(edge, self.verbs[edge.name]) for edge in edges),
            *(Press.of_extra(verb) for verb in self.get_extra_verbs()),
        ]

    def thread_of(self, obj: Any) -> Thread:
        return super().thread_of(obj) if self.machine is None else self.machine.thread_of(obj)

    def may_press(self, request: HttpRequest, press: Press) -> bool:
        """Whether this person has the rights that a button needs, whatever the object."""
        return request.user.has_perm(press.permission)

    def get_urls(self) -> list[Any]:
        options = self.opts
        own = [
            path(
                f"<int:pk>/{press.name}/",
                self.admin_site.admin_view(partial(self.press_view, name=press.name)),
                name=f"{options.app_label}_{options.model_name}_{press.name}",
            )
            for press in self.presses()
        ]
        return [*own, *super().get_urls()]

    def buttons(self, request: HttpRequest, obj: Any) -> list[dict[str, Any]]:
        """Exactly what may be pressed now by this person; one of them primary."""
        legal = [
            press
            for press in self.presses()
            if press.in_head and self.may_press(request, press) and press.refusal(obj, self.machine) is None
        ]
        rows: list[dict[str, Any]] = []
        has_primary = False
        for press in legal:
            reason = press.verb.blocked(obj)
            tone = "plain" if press.tone == "primary" and (has_primary or reason) else press.tone
            has_primary = has_primary or tone == "primary"
            url = "" if reason else self.keeping(request, admin_url(self.model, press.name, obj.pk))
            rows.append(
                {"name": press.name, "label": press.label, "tone": tone, "reason": reason, "url": url}
            )
        ranks = {press.name: press.verb.rank for press in legal}
        return sorted(
            rows, key=lambda row: ({"primary": 2, "plain": 1}.get(row["tone"], 0), ranks[row["name"]])
        )

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        badges = [self._status(obj)] if self.machine is not None else []
        return {"badges": badges, "actions": self.buttons(request, obj), **page}

    def press_view(self, request: HttpRequest, pk: int, *, name: str) -> HttpResponse:
        """GET shows the confirm page and changes nothing; POST acts."""
        press = next(press for press in self.presses() if press.name == name)
        if not self.may_press(request, press) or not self.has_view_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, str(pk))
        if obj is None:
            raise Http404
        if request.method == "POST":
            return self._act(request, press, obj)
        reason = press.refusal(obj, self.machine) or press.verb.blocked(obj)
        if reason:
            return self._back(request, obj, str(reason))
        return self._confirm_page(request, press, obj, form=self._form(request, press, obj))

    def locked(self, pk: int) -> Any:
        """The row as it is now, locked (or its owner, see the class); None when it is gone."""
        rows = self.model._default_manager.filter(pk=pk)
        if not self.lock_kind:
            return rows.select_for_update(of=("self",), no_key=True).first()
        if not self.lock_through:
            return next(iter(lock_rows(self.lock_kind, rows)), None)
        field = self.model._meta.get_field(self.lock_through)
        owner = rows.values_list(self.lock_through, flat=True)
        lock_rows(self.lock_kind, field.related_model._default_manager.filter(pk__in=list(owner)))
        return rows.first()

    def _form(self, request: HttpRequest, press: Press, obj: Any) -> forms.Form | None:
        if (form := press.verb.form) is None:
            return None
        given = {"obj": obj, "user": request.user} if issubclass(form, ObjectForm) else {}
        if request.method == "POST":
            return form(request.POST, **given)
        start = press.verb.initial(obj) if press.verb.initial else {}
        return form(initial={**start, **request.GET.dict()}, **given)

    def _act(self, request: HttpRequest, press: Press, obj: Any) -> HttpResponse:
        form = self._form(request, press, obj)
        if form is not None and not form.is_valid():
            return self._confirm_page(request, press, obj, form=form, seen=request.POST)
        pressed = Pressed(
            nonce=nonce_of(request.POST.get("nonce", "")),
            version=request.POST.get("version", ""),
            values=form.cleaned_data if form is not None else {},
            mark=request.POST.get("foreseen", ""),
        )
        try:
            answer = perform(
                press,
                obj.pk,
                pressed,
                target=Target(self.opts.label_lower, self.machine, self.locked),
                actor=acting(request),
            )
        except StaleVersion:
            return self._stale(request, press, obj.pk, form)
        except Unforeseen:
            return self._confirm_page(request, press, obj, form=form, seen=request.POST, unforeseen=True)
        except BancaleError as error:
            return self._refused(request, press, obj.pk, form, str(error))
        messages.success(request, answer.get("message", ""))
        return HttpResponseRedirect(answer.get("url") or self._page_of(request, obj.pk))

    def _stale(self, request: HttpRequest, press: Press, pk: int, form: forms.Form | None) -> HttpResponse:
        obj = self.get_object(request, str(pk))
        if obj is None:
            raise Http404
        since = timeline(self.thread_of(obj), after=number_of(request.POST.get("last_event")))
        changes = [str(row) for row in told_to(request, since)]
        if not changes:
            status = self._status(obj)[0]
            changes = [_("Its details were changed; its status is “%(status)s”.") % {"status": status}]
        if press.refusal(obj, self.machine) is not None:
            said = _("It changed while you were looking. Nothing was done.")
            return self._back(request, obj, " ".join([said, *changes[:3]]))
        return self._confirm_page(request, press, obj, form=form, stale=changes)

    def _refused(
        self, request: HttpRequest, press: Press, pk: int, form: forms.Form | None, reason: str
    ) -> HttpResponse:
        obj = self.get_object(request, str(pk))
        if obj is None:
            raise Http404
        if press.refusal(obj, self.machine) is not None:
            return self._back(request, obj, reason)
        return self._confirm_page(request, press, obj, form=form, error=reason)

    def _status(self, obj: Any) -> tuple[str, str]:
        if self.machine is None:
            return "–", "idle"
        return status_pair(self.machine.statuses, getattr(obj, self.machine.field))

    def _back(self, request: HttpRequest, obj: Any, reason: str) -> HttpResponse:
        messages.error(request, reason)
        return HttpResponseRedirect(self._page_of(request, obj.pk))

    def _page_of(self, request: HttpRequest, pk: int) -> str:
        return self.keeping(request, admin_url(self.model, "change", pk))

    def _confirm_page(
        self, request: HttpRequest, press: Press, obj: Any, *, form: forms.Form | None, **more: Any
    ) -> HttpResponse:
        verb = press.verb
        seen = more.pop("seen", {})
        values = form.cleaned_data if form is not None and form.is_bound and form.is_valid() else {}
        foreseen = verb.foresee(obj, values) if verb.foresee else Foreseen((), None, "")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "object": obj,
            "title": verb.title or f"{bare(press.label)}: {obj}",
            "effect": press.effect(obj),
            "risk": press.tone == "risk",
            "consequences": within_sight([*verb.consequences(obj), *foreseen.consequences], request.user),
            "undo": press.undo(obj),
            "lines": foreseen.lines or (verb.lines(obj) if verb.lines else None),
            "form": form,
            "hidden": [
                ("version", seen.get("version") or press.seen(obj, self.machine)),
                ("last_event", seen.get("last_event") or str(last_event_id(self.thread_of(obj)))),
                ("nonce", seen.get("nonce") or uuid4().hex),
                *([("foreseen", foreseen.mark)] if verb.foresee else []),
            ],
            "preserved_filters": self.get_preserved_filters(request),
            "cancel_url": self._page_of(request, obj.pk),
            **more,
        }
        return TemplateResponse(request, "kernel/confirm.html", context)
