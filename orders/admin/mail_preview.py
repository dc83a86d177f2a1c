"""Any kind of mail as an order's buyer would read it now."""

from typing import Any

from django.utils.translation import gettext

from orders.services.mail_previews import MailPreview
from orders.services.mailing import sender_of


def preview_facts(preview: MailPreview) -> list[tuple[Any, ...]]:
    """Who would write what to whom, as rows of facts."""
    rows: list[tuple[Any, ...]] = []
    if preview.order is not None:
        rows.append((gettext("From"), sender_of(preview.order)))
        rows.append((gettext("To"), preview.order.email or "–"))
    return [*rows, (gettext("Subject"), preview.written.subject)]
