from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.history import History
from orders.models.business import SalesChannel


class ChannelLogo(models.Model):
    """The picture at the head of a channel's mails: a PNG drawn by `orders.logos`, sent along inside each mail.

    `width` and `height` are the pixels in which it is shown, `digest` tells one picture from another. Its history keeps
    these, not the picture. Written by `orders.services.logos`.
    """

    sales_channel = models.OneToOneField(
        SalesChannel, on_delete=models.CASCADE, related_name="logo", verbose_name=_("sales channel")
    )
    content = models.BinaryField()
    width = models.PositiveSmallIntegerField(_("width"))
    height = models.PositiveSmallIntegerField(_("height"))
    digest = models.CharField(_("fingerprint of the picture"), max_length=32)

    history = History("content")

    class Meta:
        verbose_name = _("logo")
        verbose_name_plural = _("logos")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.width} × {self.height}"
