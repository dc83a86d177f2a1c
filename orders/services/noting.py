"""Notes and tags: what staff write on orders for each other."""

from collections.abc import Collection, Iterable, Sequence

from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import InvalidInput
from config.kernel.events import Entry, Thread, record_events
from config.kernel.results import Results
from config.kernel.texts import storable
from orders.models import Note, OrderTag, Tag
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.texts import limit_of

NOTE, TAG = "orders.note_order", "orders.tag_order"
LONGEST_NOTE = 2000
MOST_TAGS = 20


@verb
def add_note(order_ids: Sequence[int], *, text: str, actor: Actor) -> Results[int]:
    """Write a note on orders, open or closed; it stands on their timelines with its author. Values: note ids.

    At most 200 ids. A second call writes a second note: the door makes a press count once. The text (1 to 2000
    characters) can be erased, the event keeps only the note's number.

    Refuses: `NotFound`. Raises `NotAllowed`, `InvalidInput` for the text.
    """
    actor.require(NOTE)
    text = storable(text).strip()
    if not 0 < len(text) <= LONGEST_NOTE:
        raise InvalidInput(field="text", value=text[:80], accepted=_("accepted are 1 to 2000 characters"))
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        refuse_unknown(results, orders)
        notes = Note.objects.bulk_create(
            Note(order=order, text=text, written_at=clock.now(), actor_kind=actor.kind, actor_id=actor.id)
            for order in orders
        )
        record_events([_entry(note.order_id, "note_added", note=note.pk) for note in notes], actor=actor)
        for note in notes:
            results.done(note.order_id, note.pk)
    return results


@verb
def set_tags(
    order_ids: Sequence[int], *, add: Collection[str] = (), remove: Collection[str] = (), actor: Actor
) -> Results[int]:
    """Put tags on orders and take others off, open or closed; a tag nobody used before is made.

    At most 200 ids and 20 tags of 1 to 40 characters, the same whatever their capitals. An order that has the
    one and not the other already is `unchanged`; so is a second call.

    Refuses: `NotFound`. Raises `NotAllowed`, `InvalidInput` for a tag.
    """
    actor.require(TAG)
    wanted, unwanted = _names(add), _names(remove)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        refuse_unknown(results, orders)
        tags = _tags(wanted, unwanted)
        given = {tag.pk: tag.name for tag in tags if tag.key in wanted}
        taken = {tag.pk: tag.name for tag in tags if tag.key in unwanted and tag.pk not in given}
        pks = [order.pk for order in orders]
        there = OrderTag.objects.filter(order__in=pks, tag__in=[*given, *taken])
        has = set(there.values_list("order_id", "tag_id"))
        new = [(pk, tag) for pk in pks for tag in given if (pk, tag) not in has]
        old = [(pk, tag) for pk in pks for tag in taken if (pk, tag) in has]
        OrderTag.objects.bulk_create([OrderTag(order_id=pk, tag_id=tag) for pk, tag in new])
        if old:
            OrderTag.objects.filter(order__in={pk for pk, _tag in old}, tag__in=taken).delete()
        entries = [_entry(pk, "tagged", tags=_told(pk, new, given)) for pk in _changed(new)]
        entries += [_entry(pk, "untagged", tags=_told(pk, old, taken)) for pk in _changed(old)]
        record_events(entries, actor=actor)
        changed = {*_changed(new), *_changed(old)}
        for pk in pks:
            if pk in changed:
                results.done(pk)
            else:
                results.unchanged(pk)
    return results


def _names(names: Iterable[str]) -> dict[str, str]:
    """Tags as they are written, by their key."""
    stated = [" ".join(storable(name).split()) for name in names]
    longest = limit_of(Tag, "name")
    for name in stated:
        if not 0 < len(name) <= longest or "," in name:
            accepted = _("accepted are 1 to 40 characters without a comma")
            raise InvalidInput(field="tag", value=name[:80], accepted=accepted)
    if len(stated) > MOST_TAGS:
        raise InvalidInput(field="tag", value=len(stated), accepted=_("accepted are up to 20 at once"))
    return {name.casefold(): name for name in stated}


def _tags(wanted: dict[str, str], unwanted: dict[str, str]) -> Sequence[Tag]:
    """The tags, those that are wanted and new made first; three statements at most."""
    rows = Tag.objects.filter(key__in={*wanted, *unwanted})
    found = list(rows.order_by("pk"))
    missing = sorted(set(wanted) - {tag.key for tag in found})
    if missing:
        Tag.objects.bulk_create([Tag(name=wanted[key], key=key) for key in missing], ignore_conflicts=True)
        found = list(rows.order_by("pk"))
    return found


def _changed(pairs: Iterable[tuple[int, int]]) -> list[int]:
    return list(dict.fromkeys(pk for pk, _tag in pairs))


def _told(order_id: int, pairs: Iterable[tuple[int, int]], names: dict[int, str]) -> list[str]:
    return sorted(names[tag] for pk, tag in pairs if pk == order_id)


def _entry(order_id: int, kind: str, **facts: object) -> Entry:
    return Entry(("order", order_id), Thread("order", order_id), kind, facts=facts)
