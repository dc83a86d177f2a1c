"""Why a channel's body could not become a neutral order."""

import json
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import BancaleError, InvalidInput
from config.kernel.texts import shown_whole

SHOWN = 80


class PayloadError(InvalidInput):
    """One field of a channel's body is missing or of the wrong kind.

    `facts`: `field` (path from the body's root, such as `line_items[2].total`), `value` (as sent, at most 80
    characters, “missing” where the key is not there) and `accepted`.
    """

    code = "payload_invalid"

    def __init__(self, field: str, value: object, accepted: str | Promise) -> None:
        super().__init__(field=field, value=shorten(value), accepted=accepted)


class NoAdapter(BancaleError):
    """Nothing here reads orders of this kind of channel."""

    code = "no_adapter"
    message = _("Orders of “%(kind)s” cannot be read from a body; readable are %(readable)s.")


MISSING = _("missing")


def shorten(value: object) -> str | Promise:
    """The value as a person would look for it in the body, cut to 80 characters.

    What a body escapes may be what no database keeps and no terminal shows: NUL, half a surrogate pair.
    """
    if isinstance(value, Promise):
        return value
    text = str(value) if isinstance(value, str | Decimal) else json.dumps(value, default=str)
    text = shown_whole(text)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
