"""Columns of a list that a person chose for themselves. Who may open the list is asked at its door."""

from collections.abc import Sequence

from config.kernel.models import ChosenColumns

MOST_COLUMNS = 60


def columns_of(user_id: int, model: str) -> list[str]:
    """A person's columns of a list in their order; none where nothing was chosen. One statement."""
    rows = ChosenColumns.objects.filter(owner=user_id, model=model)
    return list(rows.values_list("names", flat=True).first() or ())


def choose_columns(user_id: int, model: str, names: Sequence[str]) -> None:
    """Keep a person's columns of a list, in this order; none means the list's own again."""
    if not names:
        ChosenColumns.objects.filter(owner=user_id, model=model).delete()
        return
    ChosenColumns.objects.update_or_create(
        owner_id=user_id, model=model, defaults={"names": list(names)[:MOST_COLUMNS]}
    )


def arranged(own: Sequence[str], every: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """The chosen ones of `every` column in their order, the list's `own` where none is; one that is gone, or that this
    person may not see, is left out. The first column leads to the row, so it always stays: in front where it was not
    chosen."""
    kept = [name for name in chosen if name in every]
    if not kept:
        return list(own)
    return kept if every[0] in kept else [every[0], *kept]
