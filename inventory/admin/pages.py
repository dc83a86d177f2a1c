"""What the rows of stock pages name: the document behind each, and who did it."""

from typing import Any

from config.kernel.actors import ActorKind
from config.kernel.admin.pages import PageAdmin as PageAdmin
from config.kernel.admin.timeline import actor_words, user_names
from inventory.references import ResolvedReference, resolve


def set_references(rows: list[Any]) -> None:
    """Put what each row's reference is called on it, as `resolved`."""
    found = resolve((row.reference_kind, row.reference_id) for row in rows)
    for row in rows:
        row.resolved = found[row.reference_kind, row.reference_id]


def reference_of(row: Any) -> ResolvedReference:
    """What `set_references` put there; looked up for a row that stands alone."""
    if not hasattr(row, "resolved"):
        set_references([row])
    resolved: ResolvedReference = row.resolved
    return resolved


def set_actors(rows: list[Any]) -> None:
    """Put who did it on each row, as `actor_said`."""
    names = user_names(row.actor_id for row in rows if row.actor_kind == ActorKind.USER)
    for row in rows:
        row.actor_said = actor_words(row.actor_kind, row.actor_id, row.actor_label, names)


def actor_of(row: Any) -> str:
    if not hasattr(row, "actor_said"):
        set_actors([row])
    return str(row.actor_said)
