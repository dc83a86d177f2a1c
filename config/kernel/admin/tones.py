"""Which tone each status is shown in, and the columns that show it."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from config.kernel.enums import DeliveryState, JobState
from config.kernel.templatetags.bancale import DASH, TONES, badge

_TONES: dict[type[TextChoices], Mapping[str, str]] = {}


def set_tones(words: type[TextChoices], tones: Mapping[str, str]) -> None:
    """Say the tone of each status: ok, info, wait, stop, back or idle; what is not named is idle."""
    if unknown := set(tones.values()) - TONES:
        raise ValueError(f"unknown tones {sorted(unknown)}")
    _TONES[words] = dict(tones)


def tone_of(words: type[TextChoices], value: str) -> str:
    return _TONES.get(words, {}).get(value, "idle")


def word_of(words: type[TextChoices], value: str) -> str:
    """A status in the reader's language; a value that is none of the words stays as it is."""
    word = words._value2member_map_.get(value)
    return str(value if word is None else word.label)  # type: ignore[attr-defined]


def status_badge(words: type[TextChoices], value: str) -> SafeString | str:
    """A stored status as a badge; – for an empty one."""
    return badge(word_of(words, value), tone_of(words, value)) if value else DASH


def status_pair(words: type[TextChoices], value: str) -> tuple[str, str]:
    """A stored status as (label, tone) for `page.badges`."""
    return word_of(words, value), tone_of(words, value)


def badge_column(field: str, words: type[TextChoices], label: str | Promise) -> Callable[..., Any]:
    """A `list_display` method that shows a status field as a badge, sortable by it."""

    def column(_admin: Any, row: Any) -> SafeString | str:
        return status_badge(words, getattr(row, field))

    column.short_description = label  # type: ignore[attr-defined]
    column.admin_order_field = field  # type: ignore[attr-defined]
    return column


set_tones(
    DeliveryState,
    {
        DeliveryState.DUE: "info",
        DeliveryState.IN_FLIGHT: "info",
        DeliveryState.DELIVERED: "ok",
        DeliveryState.FAILED: "wait",
        DeliveryState.DEAD: "stop",
        DeliveryState.UNKNOWN: "stop",
    },
)
set_tones(
    JobState,
    {JobState.QUEUED: "info", JobState.RUNNING: "info", JobState.DONE: "ok", JobState.FAILED: "stop"},
)
