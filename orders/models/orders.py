from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.fastpath import QuickRead
from config.kernel.models import Versioned
from config.kernel.money import CurrencyField, MoneyField
from config.kernel.states import legal_values
from inventory.models import Location
from orders.enums import CLOSED_ORDER, OPEN_ORDER, FulfillmentStatus, OrderStatus, PaymentAxis
from orders.models.business import LegalEntity, SalesChannel
from orders.models.customers import Address, Customer


class Order(QuickRead, Versioned):
    """The customer's accepted demand. `status` is written by the kernel, the two axes by their one function each.

    Amounts are in `currency`, null until the channel states them. `total_sent_amount` is what the channel says
    and stays as first stated, `changed_amount` what confirmed changes added since, `total_computed_amount` our own
    sum, the difference sent + changed − computed. `cancelled_amount` is what cancelled units were worth while the rest
    of the order goes on; an order that is cancelled whole keeps the figure it had.
    `search_text` is what staff find it by: numbers, names, e-mail and telephone digits (`orders.search_texts`).
    While `mails_stopped` no mail of it leaves.
    `allocated_quantity` are the reserved units of its goods and `undecided_quantity` those that nobody has decided
    about, both written with the axes; `asked_quantity` those that live work of the warehouse asks for, written by the
    room above wherever work begins or ends.
    `exchange_rate`, units of the legal entity's currency for one of ours, is frozen at order time.
    """

    number = models.CharField(_("number"), max_length=24, unique=True)
    sales_channel = models.ForeignKey(
        SalesChannel, on_delete=models.PROTECT, related_name="orders", verbose_name=_("channel")
    )
    external_id = models.CharField(_("channel reference"), max_length=120)
    external_number = models.CharField(_("channel number"), max_length=120, blank=True)
    legal_entity = models.ForeignKey(
        LegalEntity,
        on_delete=models.PROTECT,
        related_name="orders",
        verbose_name=_("legal entity"),
        db_index=False,  # a handful of entities: no list is found by it, and each change of an order would pay
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="orders", verbose_name=_("customer")
    )
    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(_("language"), max_length=8, default="en")
    ship_to = models.ForeignKey(
        Address, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("ship to")
    )
    bill_to = models.ForeignKey(
        Address, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("bill to")
    )
    preferred_location = models.ForeignKey(
        Location,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("preferred location"),
    )
    status = models.CharField(_("status"), max_length=12, choices=OrderStatus)
    fulfillment_status = models.CharField(
        _("fulfillment"), max_length=20, choices=FulfillmentStatus, default=FulfillmentStatus.UNALLOCATED
    )
    payment_status = models.CharField(
        _("payment"), max_length=16, choices=PaymentAxis, default=PaymentAxis.UNPAID
    )
    allocated_quantity = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    undecided_quantity = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    asked_quantity = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    import_run = models.ForeignKey(
        "orders.ImportRun",
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="orders",
        verbose_name=_("import"),
    )
    is_history = models.BooleanField(_("history"), default=False)
    is_test = models.BooleanField(_("test order"), default=False)
    mails_stopped = models.BooleanField(_("mails stopped"), default=False, db_default=False)
    shipping_method = models.CharField(_("shipping method"), max_length=120, blank=True)
    note = models.TextField(_("buyer's note"), blank=True)
    search_text = models.TextField(editable=False, blank=True, default="")

    currency = CurrencyField(_("currency"))
    exchange_rate = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    prices_include_tax = models.BooleanField(_("prices include tax"))
    lines_amount = MoneyField(_("lines"), null=True)
    discount_amount = MoneyField(_("discounts"), null=True)
    charges_amount = MoneyField(_("charges"), null=True)
    tax_amount = MoneyField(_("tax"), null=True)
    total_computed_amount = MoneyField(_("total computed"), null=True)
    total_sent_amount = MoneyField(_("total sent"), null=True)
    changed_amount = MoneyField(_("changed since"), default=0)
    cancelled_amount = MoneyField(_("cancelled since"), default=0, db_default=0)
    total_difference_amount = MoneyField(_("difference"), null=True)

    placed_at = models.DateTimeField(_("placed at"))
    accepted_at = models.DateTimeField(_("accepted at"))
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)
    completed_at = models.DateTimeField(_("completed at"), null=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True)
    dispatch_by_on = models.DateField(_("estimated dispatch"), null=True)
    required_on = models.DateField(_("wanted by"), null=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-placed_at", "-id"]
        permissions = [
            ("place_order", _("May place an order")),
            ("confirm_order", _("May confirm an order")),
            ("allocate_order", _("May allocate stock to an order")),
            ("override_allocation", _("May choose where an order ships from")),
            ("edit_order", _("May edit an order's own details")),
            ("note_order", _("May write notes on an order")),
            ("tag_order", _("May tag an order")),
            ("hold_order", _("May hold an order and lift holds")),
            ("cancel_order", _("May cancel an order")),
            ("complete_order", _("May complete an order")),
            ("reopen_order", _("May reopen an order")),
            ("void_order", _("May void an order")),
            ("export_order", _("May export orders")),
            ("export_orderline", _("May export order lines")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id", "sales_channel"],
                condition=~Q(status=OrderStatus.VOID),
                name="order_external_once",
                # Found by its beginning too, whatever the database's language.
                opclasses=["varchar_pattern_ops", "int8_ops"],
            ),
            legal_values("status", OrderStatus, "order_status_legal"),
            legal_values("fulfillment_status", FulfillmentStatus, "order_fulfillment_legal"),
            legal_values("payment_status", PaymentAxis, "order_payment_legal"),
            models.CheckConstraint(condition=~Q(external_id=""), name="order_external_id_stated"),
        ]
        indexes = [
            models.Index(fields=["-placed_at", "-id"], name="order_placed"),
            models.Index(fields=["status", "-placed_at"], name="order_status"),
            models.Index(fields=["dispatch_by_on", "id"], name="order_dispatch"),
            # What somebody still has to do something about, few among all: every work queue is read from here.
            models.Index(
                fields=["status", "fulfillment_status", "dispatch_by_on", "id"],
                include=["legal_entity", "payment_status", "ship_to"],
                name="order_open",
                condition=Q(status__in=sorted(OPEN_ORDER)),
            ),
            # As many rows as the queue has, in the order of the list.
            models.Index(
                fields=["-placed_at", "-id"],
                name="order_to_allocate",
                condition=Q(
                    status__in=[OrderStatus.CONFIRMED, OrderStatus.PLACED],
                    undecided_quantity__gt=0,
                    is_history=False,
                    is_test=False,
                ),
            ),
            models.Index(
                fields=["-placed_at", "-id"],
                name="order_to_release",
                condition=Q(
                    status=OrderStatus.CONFIRMED, is_test=False, allocated_quantity__gt=F("asked_quantity")
                ),
            ),
            models.Index(fields=["email", "placed_at"], name="order_email_placed"),
            models.Index(
                fields=["external_number"],
                name="order_external_number",
                opclasses=["varchar_pattern_ops"],
            ),
            models.Index(
                fields=["import_run", "id"], name="order_import_run", condition=Q(import_run__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_closed(self) -> bool:
        return self.status in CLOSED_ORDER

    @property
    def agreed_amount(self) -> Decimal | None:
        """What all that was ordered costs: as the channel stated it plus what was changed since, else as computed,
        else unknown."""
        stated: Decimal | None = self.total_sent_amount
        return self.total_computed_amount if stated is None else stated + self.changed_amount

    @property
    def owed_amount(self) -> Decimal | None:
        """What the buyer owes: what was agreed less what was cancelled of it."""
        agreed = self.agreed_amount
        return None if agreed is None else agreed - self.cancelled_amount

    @property
    def is_free(self) -> bool:
        """Whether it is known that the buyer owes nothing; where more was taken off than it costs, they are owed."""
        owed = self.owed_amount
        return owed is not None and owed <= 0
