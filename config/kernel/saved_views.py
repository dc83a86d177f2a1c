"""Views that people keep of a list: saved, renamed, shared, deleted. Who may open the list is asked at its door."""

from collections.abc import Sequence

from django.db.models import Q
from django.http import QueryDict

from config.kernel.actors import Actor
from config.kernel.errors import NotAllowed, NotFound
from config.kernel.models import SavedView

SHARE = "kernel.share_savedview"
# Where one stands in a list is no part of a view of it.
PASSING = ("after", "before", "last", "p", "e", "_facets")
MOST_SHOWN = 12


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
    """A person's own views of a list, then the shared ones of others; at most 12."""
    rows = SavedView.objects.filter(Q(owner=user_id) | Q(is_shared=True), model=model)
    return sorted(rows.order_by("name", "pk"), key=lambda view: view.owner_id != user_id)[:MOST_SHOWN]


def save_view(model: str, name: str, query: str, *, is_shared: bool, actor: Actor) -> SavedView:
    """Keep a view under a name; one of the same name of this person is written anew. Raises `NotAllowed`."""
    if is_shared:
        actor.require(SHARE)
    if actor.id is None:
        raise NotAllowed(permission=SHARE)
    view, _made = SavedView.objects.update_or_create(
        owner_id=actor.id,
        model=model,
        name=name,
        defaults={"query": kept_query(query), "is_shared": is_shared},
    )
    return view


def change_view(pk: int, name: str, *, is_shared: bool, actor: Actor) -> SavedView:
    """Rename or share one's own view. Raises `NotFound` for another's, `NotAllowed` for sharing without the right."""
    view = _own(pk, actor)
    if is_shared and not view.is_shared:
        actor.require(SHARE)
    view.name, view.is_shared = name, is_shared
    view.save(update_fields=["name", "is_shared"])
    return view


def delete_view(pk: int, *, actor: Actor) -> None:
    """Forget one's own view. Raises `NotFound`."""
    _own(pk, actor).delete()


def _own(pk: int, actor: Actor) -> SavedView:
    view = SavedView.objects.filter(pk=pk, owner=actor.id).first()
    if view is None:
        raise NotFound
    return view
