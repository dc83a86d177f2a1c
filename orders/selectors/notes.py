"""What staff wrote on orders."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from orders.models import Note, Order, Tag


def note_texts(note_ids: Sequence[int]) -> list[str]:
    """The texts of notes in the order asked; one that was erased says so. One statement."""
    texts = dict(Note.objects.filter(pk__in=note_ids).values_list("pk", "text"))
    return [texts.get(pk) or _("(erased)") for pk in note_ids]


def tag_names(order: Order) -> list[str]:
    """The order's tags by name."""
    return list(Tag.objects.filter(order_tags__order=order).order_by("name").values_list("name", flat=True))
