"""The words of a mail to the buyer, in their language; nothing here sends.

A text is plain with `{placeholders}` that stand for finished strings: no format language, no object, no template
from the database, and what a value says is never read as a placeholder. HTML is made from the text by escaping.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from orders.models import Order
from orders.services.mail_builtin import BUILT_IN, Wording
from orders.services.mail_occasions import Occasion
from orders.services.mail_values import order_summary, values_of

OTHERWISE = "en"
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
SUMMARY = "{order_summary}"
LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Written:
    """A finished mail: subject on one line, plain text, and the same as HTML."""

    language: str
    subject: str
    text: str
    html: str


class Passage(NamedTuple):
    """A stretch of the HTML: paragraphs of plain text, or the table of the order."""

    paragraphs: tuple[str, ...]
    is_summary: bool = False


def language_for(order: Order) -> str:
    """The order's language where we speak it, else English."""
    spoken = {code for code, _name in settings.LANGUAGES}
    return order.language if order.language in spoken else OTHERWISE


def write_mail(occasion: Occasion, wording: Wording | None = None) -> Written:
    """The mail of an occasion by a saved wording, else by the house's own.

    Amounts, numbers and dates follow the language's locale. A line with a placeholder that has no value is left
    out. The lines shown in an order's summary, the charges and what is added as tax sum to the total shown, but
    for a difference that somebody has accepted by lifting its hold.
    """
    order, again = occasion.order, occasion.again
    if again is not None:
        return Written(again.language, again.subject, again.body_text, again.body_html)
    language = language_for(order)
    with translation.override(language):
        subject, body = (str(text) for text in wording or BUILT_IN[occasion.kind])
        values = values_of(occasion)
        summary = order_summary(order) if SUMMARY in body else {}
        said = {**values, "order_summary": render_to_string("mail/summary.txt", summary).strip("\n")}
        html = render_to_string(
            "mail/layout.html",
            {
                **summary,
                "language": language,
                "subject": one_line(fill(subject, values)),
                "shop": order.sales_channel.name,
                "passages": list(_passages(body, values)),
            },
        )
        return Written(language, one_line(fill(subject, values)), fill(body, said) + "\n", html)


def one_line(text: str) -> str:
    """A line break in a header would begin another header."""
    return " ".join(text.split())[:LONGEST_SUBJECT]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put the values in, all at once; what they say is not looked at again."""
    lines = [filled for line in text.splitlines() if (filled := _fill_line(line, values)) is not None]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _fill_line(line: str, values: Mapping[str, str]) -> str | None:
    names = PLACEHOLDER.findall(line)
    if any(not values.get(name) for name in names):
        return None
    return PLACEHOLDER.sub(lambda found: values[found[1]], line)


def _passages(body: str, values: Mapping[str, str]) -> Iterator[Passage]:
    for number, stretch in enumerate(body.split(SUMMARY)):
        if number:
            yield Passage((), is_summary=True)
        filled = fill(stretch, values)
        yield Passage(tuple(part for part in re.split(r"\n{2,}", filled) if part.strip()))
