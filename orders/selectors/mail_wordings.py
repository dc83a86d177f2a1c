"""Which words a mail is written with: the channel's, else those for all channels, else the product's own."""

from collections.abc import Collection
from dataclasses import dataclass, field

from orders.enums import MailKind
from orders.models import MailText


@dataclass(frozen=True, slots=True)
class Pieces:
    """What staff wrote of a mail; an empty piece is left to the product's own text."""

    subject: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class MailWords:
    """The texts that staff wrote, by kind, language and channel (None: for all)."""

    texts: dict[tuple[str, str, int | None], Pieces] = field(default_factory=dict)

    def pieces(self, kind: MailKind, language: str, channel_id: int | None) -> Pieces:
        """Piece by piece the nearest one that is not empty."""
        own = self.texts.get((kind, language, channel_id), Pieces())
        shared = self.texts.get((kind, language, None), Pieces())
        return Pieces(own.subject or shared.subject, own.body or shared.body)


def read_mail_words(kinds: Collection[MailKind], *, but: int | None = None) -> MailWords:
    """The texts of some kinds, without the one of pk `but`; one statement, none for no kinds."""
    if not kinds:
        return MailWords()
    rows = MailText.objects.filter(kind__in=set(kinds))
    return MailWords(
        {
            (row.kind, row.language, row.sales_channel_id): Pieces(row.subject, row.body)
            for row in rows
            if row.pk != but
        }
    )
