"""What a button does: verbs with the words of their confirm page, pressed once whatever happens.

A press is one transaction: the nonce of the confirm page is claimed as an idempotency key, the row is locked,
the version the person saw is compared, the verb runs, the answer is kept with the key. A double click gets
the first answer; a crash before commit leaves nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.db import IntegrityError, OperationalError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel import idempotency
from config.kernel.actors import Actor, places_of
from config.kernel.batches import is_transient, retried
from config.kernel.errors import BancaleError, Conflict, IllegalTransition, NotFound, StaleVersion, brief
from config.kernel.results import Results
from config.kernel.states import Edge, Machine

Text = str | Promise
T = TypeVar("T")


def bare(label: Text) -> str:
    """A label without the mark that says that a page follows: this is that page."""
    return str(label).removesuffix("…").rstrip()


class ReasonForm(forms.Form):
    """Asks why; the verb takes it as `reason`."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 3}))


class ObjectForm(forms.Form):
    """A confirm form whose choices depend on the object it is about, and on what the person sees."""

    def __init__(self, *args: Any, obj: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.obj, self.user = obj, user
        self.shape()

    def shape(self) -> None:
        """Set choices and initial values from `self.obj`; rows that are offered are those that `self.user` sees."""


def ids_of(given: Mapping[str, Any], prefix: str) -> dict[int, Any]:
    """The cleaned values of fields named `prefix` and an id, by id."""
    return {int(name.removeprefix(prefix)): value for name, value in given.items() if name.startswith(prefix)}


def _none(_obj: Any) -> Sequence[Any]:
    return ()


def _nothing(_obj: Any) -> str:
    return ""


def _always(_obj: Any) -> bool:
    return True


# The key of a consequence that names who waits in line, and of what stands there for a person bound to locations.
IN_LINE = "in_line"


def within_sight(consequences: Sequence[Any], user: Any) -> list[Any]:
    """Consequences as a person reads them: who waits in line is named to those only who see the whole business."""
    if places_of(user) is None:
        return list(consequences)
    found: list[Any] = []
    for one in consequences:
        if isinstance(one, Mapping) and IN_LINE in one:
            one = {"text": one[IN_LINE], "tone": one["tone"], "url": ""}
            if one in found:
                continue
        found.append(one)
    return found


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a press would do now: sentences as in `consequences`, a table as in `lines`, and a `mark` that is the same
    as long as nothing of it has changed."""

    consequences: Sequence[Any]
    lines: Mapping[str, Any] | None
    mark: str


class Unforeseen(BancaleError):
    """What a press would do is no longer, or not yet, what the page showed."""

    code = "unforeseen"
    message = _("What this would do is not what was shown.")


@dataclass(frozen=True, kw_only=True)
class TransitionVerb:
    """The verb behind an edge's button and what its confirm page says.

    `verb(ids, *, actor, **cleaned form data)` answers in `Results`. `success` is the sentence afterwards, or
    makes it from (object, value). `consequences(obj)` are sentences, or {"text", "tone"}. `lines(obj)` is
    {"columns", "rows"} or None. `blocked(obj)` says why it is not possible now ("" when it is): the button is
    shown off with that reason; while `applies(obj)` is False there is no button at all. `then(obj, value)` is
    where to go afterwards; the object's page by default. `foresee(obj, cleaned form data)` says what this very press
    would do (with no data: what the form begins with); one that would do something else than its page showed is
    shown once more instead. `seen(obj)` is what must not have changed since then; the row's version by default.
    `rank` says which of several plain buttons stand first, the lowest.
    """

    verb: Callable[..., Results[Any]]
    success: Text | Callable[[Any, Any], str]
    effect: Text | Callable[[Any], str] = ""
    title: Text = ""
    form: type[forms.Form] | None = None
    initial: Callable[[Any], Mapping[str, Any]] | None = None
    consequences: Callable[[Any], Sequence[Any]] = _none
    lines: Callable[[Any], Mapping[str, Any] | None] | None = None
    undo: Text | Callable[[Any], str] = ""
    tone: str = ""
    rank: int = 0
    blocked: Callable[[Any], str] = _nothing
    applies: Callable[[Any], bool] = _always
    then: Callable[[Any, Any], str] | None = None
    foresee: Callable[[Any, Mapping[str, Any]], Foreseen] | None = None
    seen: Callable[[Any], str] | None = None


@dataclass(frozen=True, kw_only=True)
class ExtraVerb(TransitionVerb):
    """A button that is no edge: allocate, hold, lift a hold. One that is not `in_head` is linked from elsewhere."""

    name: str
    label: Text
    permission: str
    in_head: bool = True


@dataclass(frozen=True, slots=True)
class Press:
    """One button of one machine's page: an edge with its verb, or an extra verb."""

    name: str
    label: Text
    permission: str
    tone: str
    verb: TransitionVerb
    edge: Edge | None = None
    in_head: bool = True

    @classmethod
    def of_edge(cls, edge: Edge, verb: TransitionVerb) -> "Press":
        return cls(edge.name, edge.label, edge.permission, verb.tone or edge.tone, verb, edge)

    @classmethod
    def of_extra(cls, verb: ExtraVerb) -> "Press":
        tone = verb.tone or "plain"
        return cls(verb.name, verb.label, verb.permission, tone, verb, in_head=verb.in_head)

    def refusal(self, obj: Any, machine: Machine | None) -> BancaleError | None:
        """Why this button does not stand on this object's page; None when it does."""
        if self.edge is not None and machine is not None:
            status = getattr(obj, machine.field)
            if not self.edge.leads_from(status):
                word = dict(machine.statuses.choices).get(status, status)
                return IllegalTransition(edge=self.label, status=word)
        if not self.verb.applies(obj):
            return BancaleError(_("“%(name)s” does not apply any more."), name=bare(self.label))
        return None

    def effect(self, obj: Any) -> str:
        """The words of the button of the confirm page."""
        effect = self.verb.effect
        if callable(effect) and not isinstance(effect, Promise):
            return effect(obj)
        return str(effect) or bare(self.label)

    def undo(self, obj: Any) -> str:
        """What the confirm page says of taking it back."""
        undo = self.verb.undo
        return undo(obj) if callable(undo) and not isinstance(undo, Promise) else str(undo)

    def seen(self, obj: Any, machine: Machine | None) -> str:
        """What must not have changed between showing and pressing."""
        return self.verb.seen(obj) if self.verb.seen else version_seen(obj, machine)

    def words(self, obj: Any, value: Any) -> str:
        success = self.verb.success
        return success(obj, value) if callable(success) and not isinstance(success, Promise) else str(success)


@dataclass(frozen=True, slots=True)
class Pressed:
    """What came from a confirm page: the nonce, the version and the foreseen mark it showed, and the cleaned form."""

    nonce: str
    version: str
    values: Mapping[str, Any]
    mark: str = ""


def version_seen(obj: Any, machine: Machine | None) -> str:
    """A row's version; its status where it has none."""
    if hasattr(obj, "version"):
        return str(obj.version)
    return str(getattr(obj, machine.field)) if machine is not None else "-"


@dataclass(frozen=True, slots=True)
class Target:
    """What is pressed on: the model's label, its machine, and how a row of it is locked (None: it is gone)."""

    model: str
    machine: Machine | None
    lock: Callable[[int], Any]


def perform(press: Press, pk: int, pressed: Pressed, *, target: Target, actor: Actor) -> Mapping[str, Any]:
    """Do it, once: {"message", "url"}, the same on every repetition of the nonce.

    Raises `StaleVersion`, `Unforeseen`, the verb's refusal, `Conflict`, or the wish to try again where a lock did
    not come free; then nothing is written and the nonce stays free.
    """

    def once() -> Mapping[str, Any]:
        with transaction.atomic():
            request = {
                "model": target.model, "pk": pk, "press": press.name, "actor": actor.id,
                "values": {name: str(value) for name, value in pressed.values.items()},
            }  # fmt: skip
            if (before := idempotency.begin("admin", pressed.nonce, request)) is not None:
                return before
            obj = target.lock(pk)
            if obj is None:
                raise NotFound
            current = press.seen(obj, target.machine)
            if current != pressed.version:
                raise StaleVersion(seen=pressed.version, current=current)
            if (problem := press.refusal(obj, target.machine)) is not None:
                raise problem
            foresee = press.verb.foresee
            if foresee is not None and foresee(obj, pressed.values).mark != pressed.mark:
                raise Unforeseen
            value = press.verb.verb([pk], actor=actor, **pressed.values).only()
            url = press.verb.then(obj, value) if press.verb.then else ""
            answer = {"message": press.words(obj, value), "url": url}
            idempotency.finish("admin", pressed.nonce, answer)
            return answer

    return acted(once)


def acted(once: Callable[[], T]) -> T:
    """Run the one transaction of a press, again where the database asks for it; its failures as refusals in words."""
    try:
        return retried(once)
    except IntegrityError as error:
        raise Conflict(detail=brief(error)) from error
    except OperationalError as error:
        if not is_transient(error):
            raise
        raise BancaleError(_("Please try again")) from error
