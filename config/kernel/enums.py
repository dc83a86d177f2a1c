"""Words of the kernel that the database stores."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class DeliveryState(TextChoices):
    DUE = "due", _("Due")
    IN_FLIGHT = "in_flight", _("Under way")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed, will be tried again")
    DEAD = "dead", _("Given up")
    UNKNOWN = "unknown", _("Outcome unknown")
    SUPPRESSED = "suppressed", _("Suppressed")


class JobState(TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", pgettext_lazy("job", "Done")
    FAILED = "failed", pgettext_lazy("job", "Failed")
    CANCELLED = "cancelled", pgettext_lazy("job", "Cancelled")


class ExportFormat(TextChoices):
    CSV = "csv", _("CSV, for spreadsheets")
    CSV_PLAIN = "csv_plain", _("CSV, plain UTF-8, for programs")
    XLSX = "xlsx", _("Excel (.xlsx)")
