"""Views that people keep of a list: saved, renamed, shared, deleted. Who may open the list is asked at its door."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import QueryDict

from config.kernel.actors import Actor
from config.kernel.columns import MOST_COLUMNS
from config.kernel.errors import NotAllowed, NotFound
from config.kernel.models import SavedView

SHARE = "kernel.share_savedview"
# In a list's address: the view that it was opened by, and columns for as long as the address lasts ("number,buyer").
VIEW, COLUMNS = "view", "columns"
# Where one stands in a list is no part of a view of it.
PASSING = ("after", "before", "last", "p", "e", "_facets", VIEW, COLUMNS)
MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Look:
    """What a view keeps of a list: what stands behind its `?`, and names of columns; none means each reader's own."""

    query: str
    columns: Sequence[str] = ()


def kept_query(query: str) -> str:
    """A list's address without its place: what two presses of the same filters have in common."""
    given = QueryDict(query, mutable=True)
    for name in PASSING:
        given.pop(name, None)
    pairs = sorted((name, value) for name, values in given.lists() for value in values)
    kept = QueryDict(mutable=True)
    for name, value in pairs:
        kept.appendlist(name, value)
    return kept.urlencode()


def views_of(user_id: int, model: str) -> Sequence[SavedView]:
    """A person's own views of a list, then the shared ones of others. One statement."""
    rows = SavedView.objects.filter(Q(owner=user_id) | Q(is_shared=True), model=model)
    return sorted(rows.order_by("name", "pk"), key=lambda view: view.owner_id != user_id)


def address_of(view: SavedView) -> str:
    """What stands behind the `?` of a list that a view opens."""
    return f"{view.query}&{VIEW}={view.pk}".removeprefix("&")


def save_view(model: str, name: str, look: Look, *, is_shared: bool, actor: Actor) -> SavedView:
    """Keep a view under a name; one of the same name of this person is written anew. Raises `NotAllowed`."""
    if is_shared:
        actor.require(SHARE)
    if actor.id is None:
        raise NotAllowed(permission=SHARE)
    view, _made = SavedView.objects.update_or_create(
        owner_id=actor.id,
        model=model,
        name=name,
        defaults={**_kept(look), "is_shared": is_shared},
    )
    return view


def change_view(pk: int, name: str, look: Look | None = None, *, is_shared: bool, actor: Actor) -> SavedView:
    """Rename or share one's own view, or let it keep another look. Raises `NotFound` for another's, `NotAllowed` for
    sharing without the right."""
    view = _own(pk, actor)
    if is_shared and not view.is_shared:
        actor.require(SHARE)
    values = {"name": name, "is_shared": is_shared, **(_kept(look) if look else {})}
    for field, value in values.items():
        setattr(view, field, value)
    view.save(update_fields=list(values))
    return view


def delete_view(pk: int, *, actor: Actor) -> None:
    """Forget one's own view. Raises `NotFound`."""
    _own(pk, actor).delete()


def _kept(look: Look) -> dict[str, Any]:
    return {"query": kept_query(look.query), "columns": list(look.columns)[:MOST_COLUMNS]}


def _own(pk: int, actor: Actor) -> SavedView:
    view = SavedView.objects.filter(pk=pk, owner=actor.id).first()
    if view is None:
        raise NotFound
    return view
