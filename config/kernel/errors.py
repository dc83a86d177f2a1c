"""Refusals: typed exceptions that carry the facts a person needs."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel.texts import storable


class BancaleError(Exception):
    """Anything that the product refuses on purpose.

    `code` is stable and for machines, `message` is translatable and may name the keys of `facts` as `%(name)s`.
    """

    code = "error"
    message: str | Promise = _("This cannot be done.")

    def __init__(self, message: str | Promise | None = None, **facts: Any) -> None:
        super().__init__()
        if message is not None:
            self.message = message
        self.facts: Mapping[str, Any] = facts

    def __str__(self) -> str:
        text = str(self.message)
        return text % self.facts if self.facts and "%(" in text else text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code!r}, {dict(self.facts)!r})"


class NotFound(BancaleError):
    code = "not_found"
    message = _("It does not exist any more.")


class NotAllowed(BancaleError):
    code = "not_allowed"
    message = _("You may not do this: the permission “%(permission)s” is missing.")


class NotYourPlace(BancaleError):
    """Of an object that a person sees from one end, and only the other end may move."""

    code = "not_your_place"
    message = _("This is done at %(location)s, where you do not work.")


class IllegalTransition(BancaleError):
    code = "illegal_transition"
    message = _("“%(edge)s” is not possible from “%(status)s”.")


class StaleVersion(BancaleError):
    code = "stale_version"
    message = _("It was changed meanwhile: you saw version %(seen)s, it is now %(current)s.")


class Conflict(BancaleError):
    code = "conflict"
    message = _("Another change got there first: %(detail)s")


class TooMany(BancaleError):
    code = "too_many"
    message = _("At most %(limit)s at once, got %(count)s.")


class InvalidInput(BancaleError):
    """Bad input: names the field, the value and what is accepted."""

    code = "invalid_input"
    message = _("%(field)s: “%(value)s” is not accepted; %(accepted)s.")


class KeyReused(BancaleError):
    code = "idempotency_key_reused"
    message = _("The key “%(key)s” was used before for a different request.")


class AskedTwice(BancaleError):
    """Two different requests under one key in one call: neither is done, since nobody says which was meant."""

    code = "asked_twice"
    message = _("%(key)s: it was asked for twice at once, not in the same way; ask once.")


def brief(error: BaseException) -> str:
    """An error's first line, for records that are kept: a database's further lines repeat the row's own values."""
    return storable(next(iter(str(error).splitlines()), ""))
