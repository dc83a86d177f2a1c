from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.history import History
from config.kernel.models import Versioned
from config.kernel.money import CurrencyField
from inventory.models.reservations import MOST_PRIORITY
from orders.enums import MARKETPLACES, ChannelKind, MailKind

# It stands in the head of every mail, where a line break would begin another header.
ONE_LINE = RegexValidator(r"^[^\x00-\x1f\x7f]*\Z", _("One line without control characters is accepted."))


class LegalEntity(Versioned):
    """The company that sells. Its zone decides its days, months and invoice years."""

    code = models.CharField(_("code"), max_length=16, unique=True)
    name = models.CharField(_("name"), max_length=120)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    country_code = models.CharField(_("country"), max_length=2)
    currency = CurrencyField(_("currency"), default="EUR")
    time_zone = models.CharField(_("time zone"), max_length=40, default="Europe/Rome")

    history = History()

    class Meta:
        verbose_name = _("legal entity")
        verbose_name_plural = _("legal entities")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class SalesChannel(Versioned):
    """A place that sells. `dispatch_days` working days to dispatch feed the estimate in the confirmation mail;
    higher `priority` stands earlier in the backorder queue. `unpaid_hold_hours` is read when an order is allocated.
    `mails_off` are the kinds of mail that its buyers do not get from us; null stands for what its kind of channel
    allows: marketplaces write to their buyers themselves and forbid others to."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=16, choices=ChannelKind)
    legal_entity = models.ForeignKey(
        LegalEntity, on_delete=models.PROTECT, related_name="channels", verbose_name=_("legal entity")
    )
    currency = CurrencyField(_("currency"), default="EUR")
    language = models.CharField(_("language"), max_length=8, default="en")
    sender_name = models.CharField(_("sender name"), max_length=80, blank=True, validators=[ONE_LINE])
    sender_email = models.EmailField(_("sender address"), blank=True)
    reply_to = models.EmailField(
        _("answers go to"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Empty: to the sender address."),
    )
    mails_off = models.JSONField(_("mails not sent"), null=True, blank=True, default=None)
    dispatch_days = models.PositiveSmallIntegerField(_("days to dispatch"), default=2)
    priority = models.SmallIntegerField(
        _("priority"),
        default=0,
        validators=[MinValueValidator(-MOST_PRIORITY), MaxValueValidator(MOST_PRIORITY)],
    )
    auto_confirm = models.BooleanField(
        _("confirm by itself"),
        default=False,
        help_text=_("An order is confirmed as soon as no hold refuses it; its mail goes out at once."),
    )
    unpaid_hold_hours = models.PositiveSmallIntegerField(
        _("hold stock of unpaid orders for hours"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "An order that nobody pays within these hours after it was allocated gives its units and its place in "
            "line back; a payment that comes later allocates it anew. Empty: for as long as it is open."
        ),
    )
    is_active = models.BooleanField(_("active"), default=True)

    history = History()

    class Meta:
        verbose_name = _("sales channel")
        verbose_name_plural = _("sales channels")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(unpaid_hold_hours=None) | Q(unpaid_hold_hours__gt=0),
                name="channel_holds_for_a_while",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def sends(self, kind: MailKind) -> bool:
        """Whether buyers of this channel are told such news by us."""
        off = self.mails_off
        return self.kind not in MARKETPLACES if off is None else kind not in off
