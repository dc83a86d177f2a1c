"""Cells of plain sheets as django-import-export's widgets, which refuse whatever they would have to change."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.fields import Field
from import_export.widgets import Widget

from orders.sheets.values import text_problem

MOST = 1_000_000
# `1.000` is a thousand in Italian and one in English: nobody's guess is good enough for stock.
_WHOLE = re.compile(r"[0-9]{1,10}(?:\.0{1,2})?", re.ASCII)
_SHORTENED = re.compile(r"[0-9][.,][0-9]+E\+[0-9]+", re.ASCII | re.IGNORECASE)
_YES = {"1": True, "yes": True, "true": True, "sì": True, "si": True, "0": False, "no": False, "false": False}


class Text(Widget):
    """Text up to a length; a code holds letters of one alphabet."""

    def __init__(self, limit: int, *, is_code: bool = False) -> None:
        super().__init__()
        self.limit, self.is_code = limit, is_code

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        if len(value) > self.limit:
            raise ValueError(
                _("it is too long; accepted are up to %(limit)s characters") % {"limit": self.limit}
            )
        if self.is_code:
            _refuse_shortened(value)
        if self.is_code and text_problem(value, is_code=True):
            raise ValueError(_("it mixes alphabets that look alike; accepted are letters of one alphabet"))
        return value


def _refuse_shortened(value: str) -> None:
    """A spreadsheet writes a long number as 8,00123E+12, and the rest of it is lost."""
    if _SHORTENED.search(value):
        raise ValueError(_("a spreadsheet shortened it; accepted is the whole code, in a column of text"))


class Codes(Widget):
    """Several codes in one cell, with blanks, commas or semicolons between them."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.code = Text(limit, is_code=True)

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> tuple[str, ...]:
        _refuse_shortened(value)
        found = tuple(self.code.clean(one) for one in re.split(r"[\s,;|]+", value) if one)
        if len(set(found)) < len(found):
            raise ValueError(_("one stands twice; accepted is each once"))
        return found


class Units(Widget):
    """Whole units; `5.0` is five, 5.5 is refused, and so is `1.000`, which is read in two ways."""

    def __init__(self, least: int = 0, most: int = MOST) -> None:
        super().__init__()
        self.least, self.most = least, most

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> int | None:
        if not value:
            return None
        number = int(value.partition(".")[0]) if _WHOLE.fullmatch(value) else -1
        if not self.least <= number <= self.most:
            raise ValueError(
                _("accepted are whole units from %(least)s to %(most)s")
                % {"least": self.least, "most": self.most}
            )
        return number


class YesNo(Widget):
    def clean(self, value: str, row: Any = None, **kwargs: Any) -> bool | None:
        if not value:
            return None
        if value.lower() not in _YES:
            raise ValueError(_("accepted are yes and no"))
        return _YES[value.lower()]


class Choice(Widget):
    """One of several words, each with what it means."""

    def __init__(self, words: Mapping[str, Any]) -> None:
        super().__init__()
        self.words = words

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        if value and value.lower() not in self.words:
            raise ValueError(_("accepted are %(words)s") % {"words": ", ".join(self.words)})
        return self.words.get(value.lower())


class Column(Field):
    """One column: its heading, what it means, whether each row must state it, and other headings for it."""

    def __init__(
        self, name: str, widget: Widget, says: Any, *, is_needed: bool = False, also: tuple[str, ...] = ()
    ) -> None:
        super().__init__(attribute=name, column_name=name, widget=widget)
        self.says, self.is_needed, self.also = says, is_needed, also

    def clean(self, row: Any, **kwargs: Any) -> Any:
        if self.is_needed and not row[self.column_name]:
            raise ValueError(_("it is empty; a value is needed"))
        return super().clean(row, **kwargs)


SKU = gettext_lazy("SKU or barcode")
LOCATION = gettext_lazy("Code of the location")
