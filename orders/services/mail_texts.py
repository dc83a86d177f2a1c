"""The words of a mail to the buyer, in their language; nothing here sends.

A text is plain with `{placeholders}` that stand for finished strings: no format language, no object, no template
from the database, and what a value says is never read as a placeholder. HTML is made from the text by escaping.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from orders.enums import MailKind
from orders.models import ChannelLogo, Order
from orders.selectors.mail_wordings import MailWords, Pieces
from orders.services.logos import LogoUrl, logo_shown
from orders.services.mail_builtin import BUILT_IN
from orders.services.mail_occasions import Occasion
from orders.services.mail_values import order_summary, values_of
from orders.wordings import PLACEHOLDER, SUMMARY

OTHERWISE = "en"
LONGEST_SUBJECT = 255
NO_WORDS = MailWords()
# A whole HTML document, and its sheet as a page of ours shows it.
WHOLE, ON_PAGE = "mail/layout.html", "mail/sheet.html"


@dataclass(frozen=True, slots=True)
class Written:
    """A finished mail: subject on one line, plain text, and the same as HTML."""

    language: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a text is filled with, in the language that is active: the placeholders but the order's summary, where
    that one's context comes from, and the shop whose mail it is."""

    values: Mapping[str, str]
    summary: Callable[[], Mapping[str, Any]]
    shop: str
    logo: ChannelLogo | None = None


class Passage(NamedTuple):
    """A stretch of the HTML: paragraphs of plain text, or the table of the order."""

    paragraphs: tuple[str, ...]
    is_summary: bool = False


def language_for(order: Order) -> str:
    """The order's language where we speak it, else English."""
    spoken = {code for code, _name in settings.LANGUAGES}
    return order.language if order.language in spoken else OTHERWISE


def write_mail(occasion: Occasion, words: MailWords = NO_WORDS) -> Written:
    """The mail of an occasion: by what staff wrote, else by the house's own text.

    Amounts, numbers and dates follow the language's locale. A line with a placeholder that has no value is left
    out. The lines shown in an order's summary, the charges and what is added as tax sum to the total shown, but
    for a difference that somebody has accepted by lifting its hold.
    """
    order, again = occasion.order, occasion.again
    if again is not None:
        return Written(again.language, again.subject, again.body_text, again.body_html)
    language = language_for(order)
    with translation.override(language):
        pieces = words.pieces(occasion.kind, language, order.sales_channel_id)
        return compose(occasion.kind, pieces, content_of(occasion))


def content_of(occasion: Occasion) -> Content:
    order = occasion.order
    logo = getattr(order.sales_channel, "logo", None)
    return Content(values_of(occasion), partial(order_summary, order), order.sales_channel.name, logo)


def compose(kind: MailKind, pieces: Pieces, content: Content, logo_url: LogoUrl | None = None) -> Written:
    """A mail in the language that is active. With a `logo_url` its HTML is its sheet as a page of ours shows it.

    A piece of which nothing is left, since its placeholders have no value, is said in the house's own words.
    """
    own, values = BUILT_IN[kind], content.values
    subject = one_line(fill(pieces.subject, values)) or one_line(fill(str(own.subject), values))
    body = pieces.body if fill(pieces.body.replace(SUMMARY, "-"), values) else str(own.body)
    summary = content.summary() if SUMMARY in body else {}
    table = render_to_string("mail/summary.txt", {**summary}).strip("\n") if summary else ""
    language = translation.get_language() or OTHERWISE
    context = {
        **summary,
        "language": language,
        "subject": subject,
        "shop": content.shop,
        "logo": logo_shown(content.logo, logo_url),
        "passages": list(_passages(body, values)),
        "in_page": logo_url is not None,
    }
    text = fill(body, {**values, "order_summary": table}) + "\n"
    html = render_to_string(WHOLE if logo_url is None else ON_PAGE, context)
    return Written(language, subject, text, html)


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
