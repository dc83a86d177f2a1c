"""Pure readings of what is typed and told about a parcel: its number, and what a statement moves."""

import re
from collections.abc import Mapping
from datetime import datetime

from config.kernel.states import Edge
from fulfillment.enums import ParcelStatus
from fulfillment.errors import CarrierMissing, TrackingNumberRefused
from fulfillment.states import DELIVER, GO_OUT, HAND_OVER, LOSE, MOVE, SEND_BACK, TROUBLE

_TRACKING_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9 -]{2,58}[A-Z0-9]")
LONGEST_CARRIER = 60

# To hand over is to ship: units leave the stock with it, whatever was scanned of a label before.
OURS = frozenset({HAND_OVER})
EDGE_OF_NEWS: Mapping[str, Edge] = {
    edge.target: edge for edge in (MOVE, GO_OUT, DELIVER, TROUBLE, SEND_BACK, LOSE)
}
# `void` is ours to say, never a carrier's.
NEWS = frozenset({HAND_OVER.target, *EDGE_OF_NEWS})
_FORWARD = frozenset({ParcelStatus.HANDED_OVER, ParcelStatus.IN_TRANSIT})


def clean_tracking_number(typed: str) -> str:
    """The number in upper case with single inner spaces. Refuses `TrackingNumberRefused`."""
    number = re.sub(r"\s+", " ", typed).strip().upper()
    if not _TRACKING_NUMBER.fullmatch(number):
        raise TrackingNumberRefused(value=typed.strip()[:80])
    return number


def clean_carrier(typed: str) -> str:
    """The carrier's name with single inner spaces. Refuses `CarrierMissing`."""
    carrier = re.sub(r"\s+", " ", typed).strip()
    if not carrier or len(carrier) > LONGEST_CARRIER:
        raise CarrierMissing(value=carrier[:80])
    return carrier


def edge_for_news(status: str, told: str, *, stated_at: datetime, latest_at: datetime | None) -> Edge | None:
    """The edge that a statement moves a parcel along, or None when it only adds to the story.

    Nothing moves a parcel that we have not shipped. Delivered is believed whenever it comes, unless the parcel has come
    back to us, and is never taken back. A step forward counts even when an older one comes after it. Trouble, and the
    way out of trouble, count only when nothing later was stated (`latest_at`).
    """
    edge = EDGE_OF_NEWS.get(told)
    if edge is None or not edge.leads_from(status):
        return None
    is_late = latest_at is not None and stated_at < latest_at
    is_step_forward = status in _FORWARD and edge in (MOVE, GO_OUT)
    return None if is_late and edge is not DELIVER and not is_step_forward else edge
