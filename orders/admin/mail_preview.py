"""Any kind of mail as an order's buyer would read it now."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from orders.models import ChannelLogo
from orders.services.mail_previews import MailPreview
from orders.services.mailing import sender_of


def logo_url(logo: ChannelLogo) -> str:
    """Where a channel's logo is read; another picture has another address."""
    return f"{reverse('admin:orders_saleschannel_logo', args=[logo.sales_channel_id])}?{logo.digest}"


def preview_facts(preview: MailPreview) -> list[tuple[Any, ...]]:
    """Who would write what to whom, as rows of facts."""
    rows: list[tuple[Any, ...]] = []
    if preview.order is not None:
        rows.append((gettext("From"), sender_of(preview.order)))
        if preview.order.sales_channel.reply_to:
            rows.append((gettext("Answers go to"), preview.order.sales_channel.reply_to))
        rows.append((gettext("To"), preview.order.email or "–"))
    return [*rows, (gettext("Subject"), preview.written.subject)]
