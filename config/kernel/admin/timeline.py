"""Events in words. Each room says how its kinds read; what nobody described still reads."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.actors import ActorKind
from config.kernel.admin.tones import tone_of, word_of
from config.kernel.events import JOB_CORRELATION, Thread
from config.kernel.models import Event
from config.kernel.states import MACHINES, Machine
from config.kernel.templatetags.bancale import local_text
from config.kernel.together import read_together

Words = str | Promise | Callable[[Mapping[str, Any]], str]
SHOWN = 60


@dataclass(frozen=True, slots=True)
class Description:
    title: Words
    detail: Words = ""
    tone: str = ""
    need: str | Callable[[Mapping[str, Any]], str] = ""
    detail_need: str = ""


@dataclass(frozen=True, slots=True)
class TimelineRow:
    tone: str
    title: str
    detail: str
    at: datetime
    actor: str
    need: str = ""
    detail_need: str = ""

    def __str__(self) -> str:
        said = f"{self.title} {self.detail}".strip()
        return f"{said} · {local_text(self.at)} · {self.actor}"


_PLAIN = Description("")
_DESCRIPTIONS: dict[tuple[str, str], Description] = {}
_LOOKUPS: dict[tuple[str, str], "Lookup"] = {}


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


def describe(subject: str, kind: str, title: Words, **more: Any) -> None:
    """Say how events of one kind about one type of subject read. `more`: the other fields of `Description`.

    Words name facts as `%(quantity)s`, or are a function of the facts. `subject` "" means any subject. `need` is
    the permission without which a timeline leaves the event out, or finds it by the facts; without `detail_need` it
    leaves the detail out.
    """
    _DESCRIPTIONS[subject, kind] = Description(title, **more)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where the details of events stand, when they may not stand in the event itself.

    The fact `key` holds the id of a row; `rows` are those of some ids, the id first; `say` makes the detail of the
    facts and of what stands behind the id, () for a row that is gone. `need` is the permission without which a
    timeline leaves the detail out.
    """

    key: str
    rows: Callable[[Collection[int]], QuerySet[Any, tuple[Any, ...]]]
    say: Callable[[Mapping[str, Any], Sequence[Any]], str]
    need: str = ""


def detail_by(subject: str, kinds: Sequence[str], lookup: Lookup) -> None:
    """Say where the details of events of some kinds stand."""
    _LOOKUPS.update(((subject, kind), lookup) for kind in kinds)


def timeline(
    thread: Thread, *, limit: int = SHOWN, after: int = 0, kinds: Sequence[str] = ()
) -> list[TimelineRow]:
    """The newest events of a thread, or those of some `kinds`, in words, newest first: at most three queries."""
    events = Event.objects.filter(thread_type=thread.type, thread_id=thread.id, id__gt=after)
    if kinds:
        events = events.filter(kind__in=kinds)
    return in_words(events.order_by("-id")[:limit])


def last_event_id(thread: Thread) -> int:
    newest = Event.objects.filter(thread_type=thread.type, thread_id=thread.id).order_by("-id")
    return newest.values_list("id", flat=True).first() or 0


def in_words(events: Iterable[Event]) -> list[TimelineRow]:
    rows = list(events)
    names = user_names(row.actor_id for row in rows if row.actor_kind == ActorKind.USER)
    details = _looked_up(rows)
    return [_row(event, names, details.get(event.pk, "")) for event in rows]


def _looked_up(events: Sequence[Event]) -> dict[int, str]:
    """Details by event, for kinds that have a lookup: all lookups by one statement, see `read_together`."""
    asked: dict[Lookup, list[Event]] = {}
    for event in events:
        if lookup := _LOOKUPS.get((event.subject_type, event.kind)):
            asked.setdefault(lookup, []).append(event)
    if not asked:
        return {}
    wanted = [{event.facts.get(lookup.key, 0) for event in some} for lookup, some in asked.items()]
    read = read_together([lookup.rows(ids) for lookup, ids in zip(asked, wanted, strict=True)])
    said: dict[int, str] = {}
    for (lookup, some), rows in zip(asked.items(), read, strict=True):
        found = {row[0]: row[1:] for row in rows}
        said |= {one.pk: lookup.say(one.facts, found.get(one.facts.get(lookup.key), ())) for one in some}
    return said


def user_names(ids: Iterable[int | None]) -> dict[int, str]:
    """Usernames by id; one query, none when there is nobody to look up."""
    wanted = {pk for pk in ids if pk is not None}
    if not wanted:
        return {}
    users = get_user_model().objects.filter(pk__in=wanted)
    return {user.pk: user.get_full_name() or user.get_username() for user in users}


def actor_words(kind: str, pk: int | None, label: str, names: Mapping[int, str]) -> str:
    """Who did it, as a person would say it."""
    if kind == ActorKind.USER:
        return names.get(pk or 0) or label or _("somebody who left")
    if kind == ActorKind.RULE:
        return _("rule “%(name)s”") % {"name": label}
    if kind == ActorKind.BUYER:
        return _("the buyer")
    return label or str(ActorKind(kind).label)


def subject_name(subject_type: str) -> str:
    """What a subject of this type is called; its code where no machine moves it."""
    machine = MACHINES.get(subject_type)
    if machine is None:
        return subject_type.replace("_", " ")
    return str(apps.get_model(machine.model)._meta.verbose_name)


def event_words(event: Event) -> tuple[str, str, str]:
    """Title, detail and tone of one event; no query."""
    machine = MACHINES.get(event.subject_type)
    found = _DESCRIPTIONS.get((event.subject_type, event.kind)) or _DESCRIPTIONS.get(("", event.kind))
    facts = _Facts(event.facts)
    title = _say(found.title, facts) if found else _title(event, machine)
    detail = _say(found.detail, facts) if found else str(event.facts.get("reason", ""))
    tone = (found.tone if found else "") or (tone_of(machine.statuses, event.to_status) if machine else "")
    return title, detail, tone or "idle"


def _row(event: Event, names: Mapping[int, str], looked_up: str) -> TimelineRow:
    title, detail, tone = event_words(event)
    actor = actor_words(event.actor_kind, event.actor_id, event.actor_label, names)
    if event.correlation.startswith(JOB_CORRELATION):
        job = _("job %(number)s") % {"number": event.correlation.removeprefix(JOB_CORRELATION)}
        actor = f"{actor} · {job}"
    lookup = _LOOKUPS.get((event.subject_type, event.kind))
    detail_need = lookup.need if lookup else _described(event).detail_need
    return TimelineRow(tone, title, looked_up or detail, event.at, actor, _need(event), detail_need)


def _described(event: Event) -> Description:
    return _DESCRIPTIONS.get((event.subject_type, event.kind), _PLAIN)


def _need(event: Event) -> str:
    need = _described(event).need
    return need(event.facts) if callable(need) else need


def _say(words: Words, facts: _Facts) -> str:
    if callable(words) and not isinstance(words, Promise):
        return words(facts)
    text = str(words)
    return text % facts if "%(" in text else text


def _title(event: Event, machine: Machine | None) -> str:
    """Readable without a description: “Confirmed”, “Parcel: Delivered”, “Note added”."""
    words = event.kind.replace("_", " ").capitalize()
    if machine is None:
        return words
    status = word_of(machine.statuses, event.to_status) if event.to_status else words
    if event.subject_type == event.thread_type:
        return status
    name = str(apps.get_model(machine.model)._meta.verbose_name).capitalize()
    return f"{name}: {status}"


def _fields(facts: Mapping[str, Any]) -> str:
    return ", ".join(_(name) for name in facts["fields"] if name)


describe("", "edited", gettext_lazy("Details changed"), detail=_fields)
