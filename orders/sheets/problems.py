"""What is wrong with a file or with one cell of it, as codes that are put into words where they are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise, lazy
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import BancaleError
from config.kernel.languages import filled, readers_words

SHOWN = 60


class UnreadableFile(BancaleError):
    """The whole file is refused, before or while it is read. `facts` stand in the message."""

    code = "unreadable_file"
    message = _("This file cannot be read: %(why)s")

    def __init__(self, why: str | Promise, **facts: Any) -> None:
        super().__init__(None, why=filled(why, facts) if facts else why)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at one place. `column` is the heading in the file, `more` completes the words: text, what
    `kept_words` made of it, or a refusal that has not been put into words yet."""

    code: str
    line: int
    column: str = ""
    value: str = ""
    more: object = ""


# What is wrong, and what is accepted instead.
WORDS: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "missing": (_("is empty"), _("a value is needed")),
    "number": (_("is no number"), _("accepted are digits with this file's decimal mark, such as %(more)s")),
    "decimals": (_("has more decimals than the currency"), _("accepted are up to %(more)s decimals")),
    "quantity": (_("is no quantity"), _("accepted are whole units from 1 to 1,000,000")),
    "date": (_("is no date of this file's kind"), _("accepted is a day that exists, such as %(more)s")),
    "currency": (_("is no currency"), _("accepted is a code of three capitals, such as EUR")),
    "country": (_("is no country"), _("accepted are two letters, such as IT, or the country's name")),
    "email": (_("is no e-mail address"), _("accepted is one address, such as anna@example.com")),
    "too_long": (_("is too long"), _("accepted are up to %(more)s characters")),
    "characters": (_("holds characters that cannot be seen"), _("accepted is plain text: type it again")),
    "mixed_scripts": (
        _("mixes letters of several alphabets that look alike"),
        _("accepted are letters of one alphabet: type it again"),
    ),
    "formula": (_("is a formula"), _("accepted are values: save the sheet with its values")),
    "error_cell": (_("is an error of the spreadsheet"), _("accepted is a value: mend the formula first")),
    "cells": (_("does not have the cells of the heading"), _("accepted are %(more)s cells")),
    "quotes": (
        _("has a quote that is opened or closed in the wrong place"),
        _("accepted are quotes around whole cells"),
    ),
    "disagrees": (_("differs from the same order's line above"), _("accepted is the same value: %(more)s")),
    "known_line": (_("stands twice in this order"), _("accepted is each line reference once")),
    "paid": (_("is no state of a payment"), _("accepted are %(more)s")),
    "partly_sent": (
        _("says that a part of the order was sent or is over"),
        _("accepted are orders to be sent whole: keep only the lines and units left, with no status"),
    ),
    "rate": (_("is no tax rate"), _("accepted is a percentage, such as 22")),
    "negative": (_("is below zero"), _("accepted are amounts from 0")),
    "no_lines": (_("has no line of goods"), _("accepted is a line with SKU, quantity and price")),
    "too_many_lines": (_("has too many lines"), _("accepted are up to 10,000 lines an order")),
    "cannot": (_("cannot be stored"), "%(more)s"),
    "closed": (_("is closed and differs"), _("change it by hand: %(more)s")),
    "at_work": (_("is at work in the warehouse and differs"), _("call the work back first: %(more)s")),
    "import_open": (
        _("belongs to an import that is not finished, and differs"),
        _("finish that one first: %(more)s"),
    ),
    "lines_differ": (
        _("has other lines or amounts than the order that we have"),
        _("change the order by hand. %(more)s"),
    ),
    "refused": (_("was refused when it was applied"), "%(more)s"),
}  # fmt: skip


def words(code: str, more: object = "") -> tuple[str, str]:
    """(what is wrong, what is accepted) in the reader's language."""
    wrong, accepted = WORDS[code]
    text = str(accepted)
    return str(wrong), text % {"more": readers_words(str(more))} if "%(more)s" in text else text


def _in_a_row(code: str, more: object) -> str:
    return "; ".join(words(code, more))


# Both halves, put together where they are shown.
said = lazy(_in_a_row, str)


def sentence(problem: Problem) -> str:
    """One problem as the failed-rows file says it."""
    wrong, accepted = words(problem.code, problem.more)
    where = f"{problem.column}: " if problem.column else ""
    value = f"“{problem.value}” " if problem.value else ""
    return f"{where}{value}{wrong}; {accepted}"


def shown(value: str) -> str:
    """A value as it can be shown: cut, with what cannot be seen made visible."""
    cut = value if len(value) <= SHOWN else f"{value[: SHOWN - 1]}…"
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in cut)
