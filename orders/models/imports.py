from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import ActorKind
from config.kernel.models import Versioned
from config.kernel.money import CurrencyField, MoneyField
from config.kernel.states import legal_values
from orders.enums import ImportMode, ImportPlan, ImportPolicy, ImportResult, ImportStatus
from orders.models.business import SalesChannel
from orders.models.orders import Order


class ImportRun(Versioned):
    """One file of orders on its way in. `status` is written by the kernel; the row is the lock of all that it does.

    `columns` is field → heading, `reading` how the file is read, `question` what a person has to say first, `error`
    why it could not be read through (`kept_words`). Until `finish_at` its orders are held, so that it can be rolled
    back. `job_id` is the work that goes on.
    """

    sales_channel = models.ForeignKey(
        SalesChannel, on_delete=models.PROTECT, related_name="import_runs", verbose_name=_("channel")
    )
    status = models.CharField(_("status"), max_length=12, choices=ImportStatus)
    mode = models.CharField(_("mode"), max_length=8, choices=ImportMode)
    policy = models.CharField(_("policy"), max_length=16, choices=ImportPolicy, blank=True)
    repairs = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="repaired_by", verbose_name=_("repairs")
    )
    file_name = models.CharField(_("file"), max_length=120)
    stored_name = models.CharField(max_length=120, blank=True)
    file_size = models.BigIntegerField(_("size"))
    file_hash = models.CharField(max_length=64)
    profile = models.CharField(_("layout"), max_length=32, blank=True)
    reading = models.JSONField(default=dict)
    columns = models.JSONField(default=dict)
    number_style = models.CharField(_("numbers"), max_length=12, blank=True)
    date_style = models.CharField(_("dates"), max_length=12, blank=True)
    prices_include_tax = models.BooleanField(_("prices include tax"), null=True)
    question = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)
    error = models.TextField(_("problem"), blank=True)
    job_id = models.BigIntegerField(null=True)
    uploaded_at = models.DateTimeField(_("uploaded at"))
    checked_at = models.DateTimeField(_("checked at"), null=True)
    applied_at = models.DateTimeField(_("applied at"), null=True)
    finish_at = models.DateTimeField(_("finishes at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    expired_at = models.DateTimeField(_("originals removed at"), null=True)
    actor_kind = models.CharField(max_length=8, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(_("by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        permissions = [("import_orders", _("May import orders"))]
        constraints = [
            legal_values("status", ImportStatus, "import_run_status_legal"),
            legal_values("mode", ImportMode, "import_run_mode_legal"),
        ]
        indexes = [models.Index(fields=["status", "finish_at"], name="import_run_due")]

    def __str__(self) -> str:
        return self.file_name


class ImportRow(models.Model):
    """One row of a file below its heading: its own line, the original cells as a JSON list, its order's number.

    The cells go with the run's other originals after 30 days.
    """

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rows", db_index=False)
    key = models.CharField(max_length=120, blank=True)
    line = models.PositiveIntegerField(_("line"))
    cells = models.TextField()

    class Meta:
        verbose_name = _("import row")
        verbose_name_plural = _("import rows")
        indexes = [models.Index(fields=["run", "key", "line"], name="import_row_of_order")]

    def __str__(self) -> str:
        return str(self.line)


class ImportOrder(models.Model):
    """One order of a file: what the check planned, what applying did, and the order that it became or met.

    `digest` tells whether the same rows came before. `changes` is field by field; `before` what an update took away;
    `note` a code, or why it could not be taken back (`kept_words`).
    """

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="staged", db_index=False)
    key = models.CharField(_("order number"), max_length=120)
    external_id = models.CharField(max_length=120, blank=True)
    first_line = models.PositiveIntegerField(_("line"))
    row_count = models.PositiveIntegerField(_("rows"))
    digest = models.CharField(max_length=32)
    plan = models.CharField(_("plan"), max_length=8, choices=ImportPlan)
    result = models.CharField(_("result"), max_length=12, choices=ImportResult, blank=True)
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, related_name="import_orders", verbose_name=_("order")
    )
    currency = CurrencyField(_("currency"), blank=True)
    total_amount = MoneyField(_("total"), null=True)
    units = models.PositiveBigIntegerField(_("units"), default=0)
    changes = models.JSONField(default=list)
    before = models.JSONField(default=dict)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("order of an import")
        verbose_name_plural = _("orders of an import")
        ordering = ["run", "first_line"]
        constraints = [
            models.UniqueConstraint(fields=["run", "key"], name="import_order_once"),
            models.CheckConstraint(
                condition=~Q(result=ImportResult.CREATED) | Q(order__isnull=False),
                name="import_order_created_is_named",
            ),
        ]
        indexes = [models.Index(fields=["run", "first_line"], name="import_order_line")]

    def __str__(self) -> str:
        return self.key


class ImportProblem(models.Model):
    """One thing wrong in one cell of a file, as a code with `more` (`kept_words`): its words are in the reader's
    language."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="problems", db_index=False)
    key = models.CharField(_("order number"), max_length=120, blank=True)
    line = models.PositiveIntegerField(_("line"))
    code = models.CharField(_("problem"), max_length=20)
    column = models.CharField(_("column"), max_length=80, blank=True)
    value = models.CharField(_("value"), max_length=400, blank=True)
    more = models.TextField(blank=True)

    class Meta:
        verbose_name = _("problem of an import")
        verbose_name_plural = _("problems of an import")
        ordering = ["line", "id"]
        indexes = [models.Index(fields=["run", "line"], name="import_problem_line")]

    def __str__(self) -> str:
        return f"{self.line} {self.code}"


class ImportMapping(models.Model):
    """How files with one heading were mapped the last time on a channel, for the next one."""

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="import_mappings")
    fingerprint = models.CharField(max_length=64)
    columns = models.JSONField(default=dict)
    number_style = models.CharField(max_length=12, blank=True)
    date_style = models.CharField(max_length=12, blank=True)
    prices_include_tax = models.BooleanField(null=True)
    used_at = models.DateTimeField()

    class Meta:
        verbose_name = _("remembered columns")
        verbose_name_plural = _("remembered columns")
        constraints = [
            models.UniqueConstraint(fields=["sales_channel", "fingerprint"], name="import_mapping_once")
        ]

    def __str__(self) -> str:
        return self.fingerprint[:8]
