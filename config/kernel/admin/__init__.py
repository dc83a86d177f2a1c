"""Everything that a room's admin pages are made of. The pages of the kernel's own tables stand beside it, in
`jobs`, `outbox` and `records`; the kernel registers them once all apps are there."""

from config.kernel.admin.base import (
    BancaleAdmin,
    ReadOnlyAdmin,
    ReadOnlyStackedInline,
    ReadOnlyTabularInline,
    SeenAdmin,
    acting,
    admin_url,
    seen_choices,
)
from config.kernel.admin.bulk import bulk_action
from config.kernel.admin.bulk_verbs import Undo, register_bulk
from config.kernel.admin.country_field import CountryField
from config.kernel.admin.filters import SeenFilter, worded_filter
from config.kernel.admin.forms import ComparedForm, ComparedMixin, VersionedAdmin, VersionedForm
from config.kernel.admin.history import HistoryMixin
from config.kernel.admin.language_field import LanguageField
from config.kernel.admin.optional_columns import OptionalColumn, offer_columns
from config.kernel.admin.presses import (
    IN_LINE,
    ExtraVerb,
    Foreseen,
    ObjectForm,
    ReasonForm,
    TransitionVerb,
    ids_of,
    within_sight,
)
from config.kernel.admin.queues import Queue, queue_filter, queue_url
from config.kernel.admin.rows import ComparedRows, ComparedTabularInline, RowForm
from config.kernel.admin.timeline import describe, timeline
from config.kernel.admin.tones import badge_column, set_tones, status_badge, status_pair, tone_of
from config.kernel.admin.transitions import TimelineMixin, TransitionAdmin
from config.kernel.admin.zone_field import ZoneField

__all__ = [
    "IN_LINE",
    "BancaleAdmin",
    "ComparedForm",
    "ComparedMixin",
    "ComparedRows",
    "ComparedTabularInline",
    "CountryField",
    "ExtraVerb",
    "Foreseen",
    "HistoryMixin",
    "LanguageField",
    "ObjectForm",
    "OptionalColumn",
    "Queue",
    "ReadOnlyAdmin",
    "ReadOnlyStackedInline",
    "ReadOnlyTabularInline",
    "ReasonForm",
    "RowForm",
    "SeenAdmin",
    "SeenFilter",
    "TimelineMixin",
    "TransitionAdmin",
    "TransitionVerb",
    "Undo",
    "VersionedAdmin",
    "VersionedForm",
    "ZoneField",
    "acting",
    "admin_url",
    "badge_column",
    "bulk_action",
    "describe",
    "ids_of",
    "offer_columns",
    "queue_filter",
    "queue_url",
    "register_bulk",
    "seen_choices",
    "set_tones",
    "status_badge",
    "status_pair",
    "timeline",
    "tone_of",
    "within_sight",
    "worded_filter",
]
