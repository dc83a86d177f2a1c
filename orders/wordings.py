"""What a mail's text may be made of: plain words and, of each kind, a fixed set of placeholders.

A placeholder stands for a finished string, never for an object: there is nothing to look into behind it.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from orders.enums import MailKind


class Wording(NamedTuple):
    """A subject and a body with placeholders. A line whose placeholder has no value is left out."""

    subject: str | Promise
    body: str | Promise


_ALWAYS = ("greeting", "buyer_name", "order_number", "order_date", "order_total", "shop_name", "company_name")
_PARCELS = ("items", "carrier", "tracking_number", "ship_to")
PLACEHOLDERS = {
    MailKind.CONFIRMATION: (*_ALWAYS, "dispatch_day", "ship_to", "order_summary"),
    MailKind.HOLD: (*_ALWAYS, "ship_to"),
    MailKind.BACKORDER: (*_ALWAYS, "items", "dispatch_day"),
    MailKind.DELAY: (*_ALWAYS, "dispatch_day", "order_summary"),
    MailKind.CHANGE: (*_ALWAYS, "changes", "dispatch_day", "ship_to", "order_summary"),
    MailKind.CANCELLATION: (*_ALWAYS, "order_summary"),
    MailKind.PART_CANCELLATION: (*_ALWAYS, "items"),
    MailKind.SHIPPED: (*_ALWAYS, *_PARCELS),
    MailKind.DELIVERED: (*_ALWAYS, *_PARCELS),
}
# What has several lines, or is a sentence by itself, is no part of a subject.
OF_BODIES = frozenset({"greeting", "items", "ship_to", "changes", "order_summary"})
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
SUMMARY = "{order_summary}"
# A placeholder or whatever else a brace begins or ends, to the end of its line at most.
_BRACED = re.compile(r"\{[^{}\n]*\}|[{}]")
LONGEST_SUBJECT, LONGEST_BODY = 200, 10_000
_SHOWN = 60


def accepted_in_subject(kind: MailKind) -> tuple[str, ...]:
    return tuple(name for name in PLACEHOLDERS[kind] if name not in OF_BODIES)


def subject_faults(kind: MailKind, text: str) -> list[str]:
    """What is wrong with a subject, in words; a line break would begin another header."""
    faults = list(_unknown(text, accepted_in_subject(kind)))
    if any(not sign.isprintable() for sign in text):
        faults.append(_("A subject is one line of printable characters."))
    return faults


def body_faults(kind: MailKind, text: str) -> list[str]:
    """What is wrong with a body, each with its line."""
    faults = list(_unknown(text, PLACEHOLDERS[kind]))
    alone = [line.strip() == SUMMARY for line in text.splitlines() if SUMMARY in line]
    if not all(alone) or len(alone) > 1:
        said = _("%(name)s stands once, on a line of its own: it becomes a table.")
        faults.append(said % {"name": SUMMARY})
    return faults


def _unknown(text: str, accepted: tuple[str, ...]) -> Iterator[str]:
    """Every brace that is not one of the accepted placeholders."""
    names = ", ".join(f"{{{name}}}" for name in accepted)
    for number, line in enumerate(text.splitlines(), start=1):
        for found in _BRACED.findall(line):
            if found[1:-1] not in accepted or not PLACEHOLDER.fullmatch(found):
                said = _("Line %(line)s: “%(found)s” is no placeholder of this mail. Accepted: %(names)s.")
                yield said % {"line": number, "found": found[:_SHOWN], "names": names}
