"""A channel's sender and logo: what a picture is told by, and how it goes along inside a mail."""

import zlib
from importlib import import_module
from io import BytesIO
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, PngImagePlugin

from config.kernel import outbox
from config.kernel.admin import admin_url
from config.kernel.models import Event
from orders.logos import LogoTooLarge, NotALogo, read_logo
from orders.models import ChannelLogo, Notification, SalesChannel
from orders.services.confirming import confirm_orders
from orders.services.logos import CID, put_logo
from orders.services.mail_resending import resend_mails
from tests.factories.orders import SYSTEM, make_channel, make_order
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db


def picture(size: tuple[int, int] = (960, 200), kind: str = "PNG", mode: str = "RGB", **more: Any) -> bytes:
    out = BytesIO()
    Image.new(mode, size, (200, 30, 30, 128)[: len(mode)]).save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("JPEG", "RGB")])
def test_logo_is_drawn_anew_in_the_size_that_is_shown_twice(kind: str, mode: str) -> None:
    logo = read_logo(picture(kind=kind, mode=mode))

    with Image.open(BytesIO(logo.content)) as drawn:
        assert (drawn.format, drawn.mode, drawn.size) == ("PNG", mode, (480, 100))
    assert (logo.width, logo.height) == (240, 50)


def test_what_the_file_says_besides_its_picture_stays_behind() -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Author", "Rosa Neri")
    raw = picture(pnginfo=told) + b"<script>alert(1)</script>"
    assert b"Rosa Neri" in raw

    content = read_logo(raw).content

    assert b"Rosa" not in content
    assert b"script" not in content
    assert sum(chunk in content for chunk in (b"tEXt", b"iTXt", b"eXIf", b"iCCP")) == 0


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
NO_LOGOS = {
    "nothing": b"",
    "svg": SVG,
    "html": b"<html><script>1</script></html>",
    "gif": picture((9, 9), "GIF"),
    "webp": picture((9, 9), "WEBP"),
    "half a png": picture()[:200],
    "png head alone": b"\x89PNG\r\n\x1a\n" + SVG,
    "half a jpeg": picture(kind="JPEG")[:300],
    "no pixels": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(13),
    "packed": zlib.compress(SVG),
}


@pytest.mark.parametrize("name", NO_LOGOS)
def test_what_is_no_png_or_jpeg_is_refused_by_its_content(name: str) -> None:
    with pytest.raises(NotALogo):
        read_logo(NO_LOGOS[name])


@pytest.mark.parametrize("raw", [picture((4001, 2)), b"\x89PNG" + bytes(600 * 1024)], ids=["wide", "heavy"])
def test_what_is_too_large_is_refused_unread(raw: bytes) -> None:
    with pytest.raises(LogoTooLarge, match="accepted are 512 KiB and 4000 pixels a side"):
        read_logo(raw)


def sent(channel: SalesChannel) -> Any:
    order = make_order(channel=channel)
    confirm_orders([order.pk], actor=SYSTEM).only()
    outbox.deliver_due("mail")
    return mail.outbox[-1]


def test_mail_brings_its_logo_along_and_loads_nothing() -> None:
    channel = make_channel()
    put_logo(channel.pk, read_logo(picture()))

    message = sent(channel).message()

    parts = list(message.walk())
    assert [part.get_content_type() for part in parts] == [
        "multipart/related", "multipart/alternative", "text/plain", "text/html", "image/png",
    ]  # fmt: skip
    html, image = parts[3].get_payload(decode=True).decode(), parts[4]
    assert image["Content-ID"] == f"<{CID}>"
    assert image.get_content_disposition() == "inline"
    assert image.get_payload(decode=True) == bytes(ChannelLogo.objects.get().content)
    assert f'<img src="cid:{CID}" alt="Bottega" width="240" height="50"' in html
    assert "http" not in html.replace("http://www.w3.org", "")


def test_repeated_mail_brings_the_logo_along_again() -> None:
    channel = make_channel()
    put_logo(channel.pk, read_logo(picture()))
    sent(channel)

    resend_mails([Notification.objects.get().pk], reason="lost", actor=SYSTEM).only()
    outbox.deliver_due("mail")

    assert [part.get_content_type() for part in mail.outbox[1].message().walk()].count("image/png") == 1


def test_mail_without_a_logo_names_the_shop_and_has_no_picture() -> None:
    message = sent(make_channel())

    assert "multipart/alternative" in message.message()["Content-Type"]
    assert "<img" not in message.alternatives[0].content


def test_answers_go_where_the_channel_says() -> None:
    channel = make_channel(sender_email="no-answer@example.com", reply_to="people@example.com")

    message = sent(channel).message()

    assert (message["From"], message["Reply-To"]) == (
        "Bottega <no-answer@example.com>", "people@example.com",
    )  # fmt: skip
    SalesChannel.objects.update(reply_to="")
    assert sent(SalesChannel.objects.get()).message()["Reply-To"] is None


@pytest.fixture
def manager() -> Visitor:
    return visitor("Manager")


def form(client: Visitor, channel: SalesChannel) -> dict[str, Any]:
    shown = client.get(admin_url(channel, "change", channel.pk)).context["adminform"].form
    values = {name: shown[name].value() for name in shown.fields}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def upload(client: Visitor, channel: SalesChannel, raw: bytes, name: str = "logo.png") -> Any:
    given = {**form(client, channel), "logo_file": SimpleUploadedFile(name, raw)}
    return client.post(admin_url(channel, "change", channel.pk), given)


def test_manager_gives_a_channel_a_logo_sees_it_and_takes_it_away(manager: Visitor) -> None:
    channel = make_channel()

    assert upload(manager, channel, picture(kind="JPEG"), "shop.bin").status_code == 302

    logo = ChannelLogo.objects.get()
    shown = manager.get(admin_url(channel, "logo", channel.pk))
    assert (shown["Content-Type"], shown["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert shown.content == bytes(logo.content)
    assert (
        f'logo.png?{logo.digest}"' in manager.get(admin_url(channel, "change", channel.pk)).content.decode()
    )
    assert Event.objects.get(kind="edited").facts == {"fields": ["New logo"]}

    manager.post(admin_url(channel, "change", channel.pk), {**form(manager, channel), "no_logo": "on"})
    assert not ChannelLogo.objects.exists()
    assert manager.get(admin_url(channel, "logo", channel.pk)).status_code == 404


def test_other_save_leaves_the_logo(manager: Visitor) -> None:
    channel = make_channel()
    put_logo(channel.pk, read_logo(picture()))

    manager.post(
        admin_url(channel, "change", channel.pk), {**form(manager, channel), "reply_to": "a@example.com"}
    )

    assert SalesChannel.objects.get().reply_to == "a@example.com"
    assert ChannelLogo.objects.exists()


def test_svg_with_a_png_s_name_is_refused_and_nothing_is_saved(manager: Visitor) -> None:
    channel = make_channel()

    page = upload(manager, channel, SVG, "logo.png")

    assert "other kinds, also SVG, are not accepted" in text_of(page)
    assert not ChannelLogo.objects.exists()


def test_sender_name_with_a_line_break_is_refused(manager: Visitor) -> None:
    channel = make_channel()
    given = {**form(manager, channel), "sender_name": "Shop\nBcc: spy@example.com"}

    page = manager.post(admin_url(channel, "change", channel.pk), given)

    assert "One line without control characters is accepted." in text_of(page)


def test_who_sees_no_channels_sees_no_logo() -> None:
    channel = make_channel()
    put_logo(channel.pk, read_logo(picture()))

    url = admin_url(channel, "logo", channel.pk)

    assert [visitor(role).get(url).status_code for role in ("Support", "Reader", "Picker")] == [200, 200, 403]


def kept(client: Visitor, channel: SalesChannel) -> list[tuple[str, str, str, dict[str, tuple[str, str]]]]:
    """The saves of the channel's logo on its History page, newest first: what, by whom, and each field's difference."""
    rows = client.get(admin_url(channel, "history", channel.pk)).context["rows"]
    return [
        (row.kind, row.about, row.who, {one.label: (one.before, one.after) for one in row.changes})
        for row in rows
        if row.about
    ]


def test_history_of_the_channel_tells_each_change_of_its_logo(manager: Visitor) -> None:
    channel = make_channel()
    digests = []
    for size in ((300, 100), (300, 100), (100, 100)):
        upload(manager, channel, picture(size))
        digests.append(ChannelLogo.objects.get().digest)
    first, _same, second = digests

    manager.post(admin_url(channel, "change", channel.pk), {**form(manager, channel), "no_logo": "on"})

    gone, changed, given = kept(manager, channel)
    assert given[:3] == ("+", "Logo", "manager-0")
    assert given[3]["fingerprint of the picture"] == ("–", first)
    assert (given[3]["width"], given[3]["height"]) == (("–", "150"), ("–", "50"))
    assert changed[:3] == ("~", "Logo", "manager-0")
    assert changed[3] == {"fingerprint of the picture": (first, second), "width": ("150", "50")}
    assert (gone[0], gone[3]["fingerprint of the picture"]) == ("-", (second, "–"))
    assert "content" not in {field.name for field in ChannelLogo.history.model._meta.fields}


def test_history_begins_with_the_logos_that_were_there(manager: Visitor) -> None:
    channel = make_channel()
    put_logo(channel.pk, read_logo(picture()))
    logo = ChannelLogo.objects.get()
    ChannelLogo.history.all().delete()

    import_module("orders.migrations.0033_logo_history_begins").begin(apps, None)

    ((kind, _about, _who, changes),) = kept(manager, channel)
    assert (kind, changes["fingerprint of the picture"]) == ("+", ("–", logo.digest))
