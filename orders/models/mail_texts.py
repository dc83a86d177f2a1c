from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.history import History
from config.kernel.models import Versioned
from orders.enums import MailKind
from orders.models.business import SalesChannel
from orders.wordings import LONGEST_BODY, LONGEST_SUBJECT, body_faults, subject_faults


class MailText(Versioned):
    """What staff let the mails of a kind say in a language, for one sales channel or, without one, for all.

    Each piece stands by itself: an empty one stands for the next text in line, first that for all channels, then
    the product's own. `clean` refuses what is no placeholder of the kind.
    """

    kind = models.CharField(_("mail"), max_length=20, choices=MailKind)
    language = models.CharField(_("language"), max_length=8)
    sales_channel = models.ForeignKey(
        SalesChannel,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="mail_texts",
        verbose_name=_("sales channel"),
        help_text=_("Empty: for all channels that have no text of their own."),
    )
    subject = models.CharField(
        _("subject"),
        max_length=LONGEST_SUBJECT,
        blank=True,
        help_text=_("Empty: as it stands without this text."),
    )
    body = models.TextField(
        _("text"), max_length=LONGEST_BODY, blank=True, help_text=_("Empty: as it stands without this text.")
    )

    history = History()

    class Meta:
        verbose_name = _("mail text")
        verbose_name_plural = _("mail texts")
        ordering = ["kind", "language", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "language", "sales_channel"],
                name="mail_text_once",
                violation_error_message=_("There is a text for this mail, language and channel already."),
            ),
            models.UniqueConstraint(
                fields=["kind", "language"],
                condition=Q(sales_channel=None),
                name="mail_text_for_all_once",
                violation_error_message=_("There is a text for this mail and language already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.language}"

    def clean(self) -> None:
        if self.kind not in MailKind.values:
            return
        kind = MailKind(self.kind)
        self.body = self.body.replace("\r\n", "\n").strip()
        self.subject = self.subject.strip()
        faults: Mapping[str, list[str]] = {
            "subject": subject_faults(kind, self.subject),
            "body": body_faults(kind, self.body),
        }
        if any(faults.values()):
            raise ValidationError({name: said for name, said in faults.items() if said})
