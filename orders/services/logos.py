"""The logo of a channel's mails: put there, taken away, and sent along inside a mail."""

import hashlib
from collections.abc import Callable, Mapping
from email.mime.image import MIMEImage
from typing import Any

from django.core.mail import EmailMultiAlternatives

from orders.logos import Logo
from orders.models import ChannelLogo

# Named inside the mail itself: nothing is loaded from anywhere.
CID = "logo@bancale"
# Where a page of ours finds a logo.
LogoUrl = Callable[[ChannelLogo], str]


class PicturedMail(EmailMultiAlternatives):
    """A mail whose HTML shows pictures that it brings along."""

    mixed_subtype = "related"


def put_logo(channel_id: int, logo: Logo | None) -> None:
    """Give a channel this logo, or none; in the caller's transaction, the channel locked. The same picture again
    changes nothing."""
    stored = ChannelLogo.objects.filter(sales_channel=channel_id)
    if logo is None:
        stored.delete()
        return
    digest = hashlib.blake2b(logo.content, digest_size=16).hexdigest()
    row = stored.first() or ChannelLogo(sales_channel_id=channel_id)
    if row.digest != digest:
        row.content, row.width, row.height, row.digest = logo.content, logo.width, logo.height, digest
        row.save()


def logo_shown(logo: ChannelLogo | None, url: LogoUrl | None) -> Mapping[str, Any] | None:
    """What the template of a mail needs of a logo: the one inside the mail, or on a page that at its address."""
    if logo is None:
        return None
    src = f"cid:{CID}" if url is None else url(logo)
    return {"src": src, "width": logo.width, "height": logo.height}


def attach_logo(mail: PicturedMail, html: str, logo: ChannelLogo | None) -> None:
    """Put the logo into a mail whose HTML shows it; a mail without it stays as it is."""
    if logo is None or f"cid:{CID}" not in html:
        return
    picture = MIMEImage(bytes(logo.content), "png")
    picture.add_header("Content-ID", f"<{CID}>")
    picture.add_header("Content-Disposition", "inline", filename="logo.png")
    mail.attach(picture)
