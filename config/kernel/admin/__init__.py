"""Everything that a room's admin pages are made of, and the pages of the kernel's own tables."""

from config.kernel.admin.base import (
    BancaleAdmin,
    ReadOnlyAdmin,
    ReadOnlyStackedInline,
    ReadOnlyTabularInline,
    StackedInline,
    TabularInline,
    acting,
    admin_url,
)
from config.kernel.admin.bulk import bulk_action
from config.kernel.admin.presses import ExtraVerb, ObjectForm, ReasonForm, TransitionVerb
from config.kernel.admin.timeline import describe, timeline
from config.kernel.admin.tones import badge_column, set_tones, status_badge, status_pair, tone_of
from config.kernel.admin.transitions import TimelineMixin, TransitionAdmin

__all__ = [
    "BancaleAdmin",
    "ExtraVerb",
    "ObjectForm",
    "ReadOnlyAdmin",
    "ReadOnlyStackedInline",
    "ReadOnlyTabularInline",
    "ReasonForm",
    "StackedInline",
    "TabularInline",
    "TimelineMixin",
    "TransitionAdmin",
    "TransitionVerb",
    "acting",
    "admin_url",
    "badge_column",
    "bulk_action",
    "describe",
    "set_tones",
    "status_badge",
    "status_pair",
    "timeline",
    "tone_of",
]
