"""How a mail would read, before anybody sends it: nothing is written, nothing leaves."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import translation
from django.utils.functional import Promise

from orders.enums import ActionKind, HoldKind, MailKind, ProposalStatus
from orders.models import Hold, MailText, Order, ProposalAction
from orders.parcels_told import ParcelSet, parcel_sets, parcels_of
from orders.selectors.mail_wordings import Pieces, read_mail_words
from orders.services.logos import LogoUrl
from orders.services.mail_occasions import (
    OF_PARCELS,
    Occasion,
    nobody_to_tell,
    read_orders,
    waiting_units,
)
from orders.services.mail_samples import sample_content
from orders.services.mail_texts import Written, compose, content_of, language_for


@dataclass(frozen=True, slots=True)
class MailPreview:
    """A mail as it would read now; `written.html` is its sheet as a page of ours shows it. `order` is None for a
    sample. `not_sent` says why nobody would get it."""

    kind: MailKind
    written: Written
    order: Order | None = None
    not_sent: str | Promise = ""


def preview_order_mail(order_id: int, kind: MailKind, logo_url: LogoUrl) -> MailPreview | None:
    """One kind of mail to an order's buyer, by the texts that are saved; None for an order that is not there.

    What the order does not have yet is left out of it, as it would be in the mail; units that the mail would speak
    of are all of the order's where no fact names them.
    """
    order = read_orders([order_id]).get(order_id)
    if order is None:
        return None
    words, language = read_mail_words([kind]), language_for(order)
    with translation.override(language):
        pieces = words.pieces(kind, language, order.sales_channel_id)
        written = compose(kind, pieces, content_of(_occasion(order, kind)), logo_url)
    return MailPreview(kind, written, order, nobody_to_tell(order, kind))


def preview_text(text: MailText, logo_url: LogoUrl, order_id: int | None = None) -> MailPreview:
    """A text as it stands in a form, saved or not, in its own language: on an order, else on a sample."""
    kind, language = MailKind(text.kind), text.language
    words = read_mail_words([kind], but=text.pk)
    words.texts[kind, language, text.sales_channel_id] = Pieces(text.subject, text.body)
    order = read_orders([order_id]).get(order_id) if order_id is not None else None
    with translation.override(language):
        content = sample_content(text.sales_channel) if order is None else content_of(_occasion(order, kind))
        written = compose(kind, words.pieces(kind, language, text.sales_channel_id), content, logo_url)
    return MailPreview(kind, written, order, nobody_to_tell(order, kind) if order is not None else "")


def _occasion(order: Order, kind: MailKind) -> Occasion:
    """What a mail of this kind would be about, as the order stands."""
    parcels = _parcels(order) if kind in OF_PARCELS else None
    hold = Hold.objects.filter(order=order, kind=HoldKind.ADDRESS, lifted_at=None).first()
    return Occasion(
        order,
        kind,
        units=_units(order, kind, parcels),
        parcels=parcels,
        hold=hold,
        promised_on=order.dispatch_by_on,
        changed=_changed(order) if kind == MailKind.CHANGE else (),
    )


def _parcels(order: Order) -> ParcelSet | None:
    """What left last."""
    newest = list(parcels_of([order.pk]))[-1:]
    return parcel_sets(newest).get(newest[0]) if newest else None


def _units(order: Order, kind: MailKind, parcels: ParcelSet | None) -> Mapping[int, int]:
    parts = [part for line in order.lines.all() for part in line.parts.all()]
    found: Mapping[int, int] = parcels.units if parcels is not None else {}
    if kind == MailKind.BACKORDER:
        found = waiting_units([order])
    elif kind == MailKind.PART_CANCELLATION:
        found = {part.pk: part.cancelled for part in parts if part.cancelled}
    return found or {part.pk: part.ordered for part in parts}


def _changed(order: Order) -> tuple[ActionKind, ...]:
    """What the change that was confirmed last was about."""
    confirmed = order.proposals.filter(status=ProposalStatus.CONFIRMED).order_by("-closed_at", "-pk")
    newest = list(confirmed.values_list("pk", flat=True)[:1])
    said = set(ProposalAction.objects.filter(proposal__in=newest).values_list("kind", flat=True))
    return tuple(action for action in ActionKind if action in said)
