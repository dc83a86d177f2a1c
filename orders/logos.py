"""A channel's logo: what an uploaded picture shows, drawn anew, so that nothing else of the file goes into mails."""

from dataclasses import dataclass
from io import BytesIO

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from config.kernel.errors import BancaleError

MOST_BYTES = 512 * 1024
MOST_SIDE = 4000
# Twice as many pixels as it is shown with, for screens that have them.
STORED, SHARPNESS = (480, 128), 2
_UNREADABLE = (
    OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip


class NotALogo(BancaleError):
    code = "not_a_logo"
    message = _("It is no PNG or JPEG picture that can be read; other kinds, also SVG, are not accepted.")


class LogoTooLarge(NotALogo):
    code = "logo_too_large"
    message = _("The picture has %(size)s; accepted are 512 KiB and 4000 pixels a side.")


@dataclass(frozen=True, slots=True)
class Logo:
    """A PNG of ours, and the size in which it is shown."""

    content: bytes
    width: int
    height: int


def read_logo(raw: bytes) -> Logo:
    """The picture of an uploaded file, told by its content and not by its name: PNG or JPEG, shrunk to what is shown.

    Raises `NotALogo`, `LogoTooLarge`.
    """
    if len(raw) > MOST_BYTES:
        raise LogoTooLarge(size=f"{len(raw) // 1024} KiB")
    try:
        with Image.open(BytesIO(raw), formats=("PNG", "JPEG")) as opened:
            if max(opened.size) > MOST_SIDE:
                raise LogoTooLarge(size=f"{opened.width} × {opened.height} px")
            picture = ImageOps.exif_transpose(opened)
            has_holes = "A" in picture.getbands() or "transparency" in picture.info
            picture = picture.convert("RGBA" if has_holes else "RGB")
    except _UNREADABLE as error:
        raise NotALogo from error
    picture.thumbnail(STORED)
    return Logo(_drawn(picture), *(max(1, side // SHARPNESS) for side in picture.size))


def _drawn(picture: Image.Image) -> bytes:
    """Pixels only: what else the file said of place, camera or colours stays behind."""
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    out = BytesIO()
    clean.save(out, "PNG", optimize=True)
    return out.getvalue()
