"""Who sees which rows: one rule a model, for lists, pages, search, queues, choices, exports, files and verbs.

A room declares its models in `sight.py`, read when the apps are ready. A model that nobody declared is refused, not
shown: `visible_to` raises `Undeclared`, and a test asks every page.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull

from config.kernel.actors import Actor

M = TypeVar("M", bound=Model)
# What an actor sees of a model's rows; None where nothing bounds this actor.
Sight = Callable[[Actor], Q | None]
_SIGHTS: dict[str, list[Sight]] = {}


class Undeclared(LookupError):
    """A defect of ours: rows of a model that no `sight.py` speaks of."""


def see(model: str, sight: Sight) -> None:
    """Declare who sees rows of a model ("orders.order"). With several sights a row is seen by any of them."""
    _SIGHTS.setdefault(model, []).append(sight)


def see_all(*models: str) -> None:
    """Declare models whose rows are the same for everybody who may open them: master data, settings."""
    for model in models:
        see(model, _unbound)


def at(*paths: str) -> Sight:
    """Rows of the actor's locations; each path leads from the row to a location's id."""

    def sight(actor: Actor) -> Q | None:
        if actor.locations is None:
            return None
        found = Q()
        for path in paths:
            found |= Q(**{f"{path}__in": actor.locations})
        return found

    return sight


def unbounded(actor: Actor) -> Q | None:
    """Rows of the whole business: nothing of them for a person who is bound to locations."""
    return None if actor.locations is None else Q(pk__in=())


def has_any(rows: QuerySet[Any]) -> Q:
    """Condition that there is one of these rows, which name the outer one: looked up for each row that is shown.

    `Exists` among alternatives lets PostgreSQL read all such rows first, for a page of a hundred.
    """
    return Q(IsNull(Subquery(rows.order_by().values("pk")[:1]), False))


def is_declared(model: type[Model]) -> bool:
    return model._meta.label_lower in _SIGHTS


def bound_of(actor: Actor, model: type[Model]) -> Q | None:
    """The condition of what an actor sees of a model's rows; None where it sees them all."""
    label = model._meta.label_lower
    if label not in _SIGHTS:
        raise Undeclared(label)
    found = Q()
    for sight in _SIGHTS[label]:
        if (bound := sight(actor)) is None:
            return None
        # What an upper room declared is asked first: of most rows its documents tell, at less cost.
        found = bound | found
    return found


def seen_by(actor: Actor, rows: QuerySet[M]) -> QuerySet[M]:
    """Narrow rows to what an actor sees; for verbs, where it stands behind their locks."""
    bound = bound_of(actor, rows.model)
    return rows if bound is None else rows.filter(bound)


def visible_to(user: Any, rows: QuerySet[M]) -> QuerySet[M]:
    """Narrow rows to what a person sees; nothing for nobody. The rights to open the page are asked elsewhere."""
    if not user.is_authenticated:
        return rows.none()
    return seen_by(Actor.for_user(user), rows)


def _unbound(_actor: Actor) -> Q | None:
    return None
