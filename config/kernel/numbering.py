"""Document numbers from counter rows, which are locked last and held shortest."""

from config.kernel.locks import note_lock


def next_numbers(kind: str, count: int, *, prefix: str = "", first: int = 10001) -> list[str]:
    """Take `count` consecutive numbers of a kind ("order", "rma"), inside the caller's transaction.

    A rolled-back transaction leaves no gap; the row lock makes rivals wait until commit.
    """
    from config.kernel.models import DocumentCounter

    if count == 0:
        return []
    note_lock("document_counter")
    DocumentCounter.objects.bulk_create([DocumentCounter(kind=kind, next_value=first)], ignore_conflicts=True)
    counter = DocumentCounter.objects.select_for_update(no_key=True).get(kind=kind)
    start = counter.next_value
    DocumentCounter.objects.filter(pk=counter.pk).update(next_value=start + count)
    return [f"{prefix}{number}" for number in range(start, start + count)]
