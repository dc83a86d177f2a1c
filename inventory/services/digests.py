"""Mails about low stock: one a follower and hour, listing what fell low before it and was not told yet.

A digest's row is committed before its mail leaves, and marked as leaving by whoever sends it, so that two workers
never both do. When the answer is lost, the row stays marked and a person decides in the outbox.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, NotFound
from config.kernel.mail import BeingSent, MailLost, MailRefused, ServerAway, post
from config.kernel.outbox import LEASE, NewFact, OutcomeUnknown, Owed, Suppressed, record_facts
from config.kernel.results import Results
from inventory.models import AlertDigest, AlertFollower, AlertNotice, LowStockAlert
from inventory.selectors.alerts import live_alerts, low_now
from inventory.selectors.sight import places_by_user
from inventory.services.digest_texts import Written, write_digest

DIGEST_DUE = "stock.alert_digest"
DIGEST_MAIL = "inventory.alert_digest"
SEE = "inventory.view_lowstockalert"
SLOT = timedelta(hours=1)


def slot_before(at: datetime) -> datetime:
    """The beginning of the hour."""
    return at.replace(minute=0, second=0, microsecond=0)


@verb
def prepare_digests(follower_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Write down the mail that each follower is owed this hour: open alerts raised before it, none told twice.

    At most 200 ids. Locks the followers by ascending pk. Who has had this hour's mail, may not see alerts, or is
    owed nothing comes back `unchanged`. Values: the digest's pk. Refuses: `NotFound`. Raises `NotAllowed`.
    """
    actor.require("inventory.add_alertdigest")
    results = Results(follower_ids)
    slot = slot_before(clock.now())
    with batch_transaction():
        rows = AlertFollower.objects.select_related("user").prefetch_related("locations")
        followers = {
            row.pk: row
            for row in rows.filter(pk__in=follower_ids).order_by("pk").select_for_update(of=("self",))
        }
        served = set(
            AlertDigest.objects.filter(follower__in=followers, slot_at=slot).values_list(
                "follower_id", flat=True
            )
        )
        news = _news(followers, slot)
        owed = []
        for pk in results.keys:
            if pk not in followers:
                results.refuse(pk, NotFound(follower_id=pk))
            elif pk in served or not news[pk] or not _may_see(followers[pk]):
                results.unchanged(pk)
            else:
                owed.append(AlertDigest(follower_id=pk, slot_at=slot))
        AlertDigest.objects.bulk_create(owed)
        AlertNotice.objects.bulk_create(
            AlertNotice(digest=digest, follower_id=digest.follower_id, alert=alert)
            for digest in owed
            for alert in news[digest.follower_id]
        )
        for digest in owed:
            results.done(digest.follower_id, digest.pk)
        record_facts([NewFact(DIGEST_DUE, ("alert_digest", digest.pk)) for digest in owed])
    return results


def _news(followers: dict[int, AlertFollower], slot: datetime) -> dict[int, list[LowStockAlert]]:
    """What each follower has not been told of the locations that they chose and may see; three statements."""
    alerts = list(
        low_now(LowStockAlert.objects.filter(raised_at__lt=slot)).select_related("level").order_by("pk")
    )
    told = set(
        AlertNotice.objects.filter(follower__in=followers, alert__in=alerts).values_list(
            "follower_id", "alert_id"
        )
    )
    bound = places_by_user([follower.user for follower in followers.values()])
    news: dict[int, list[LowStockAlert]] = defaultdict(list)
    for pk, follower in followers.items():
        chosen = {location.pk for location in follower.locations.all()}
        limits = [places for places in (chosen, bound.get(follower.user_id)) if places]
        for alert in alerts:
            if (pk, alert.pk) not in told and all(alert.level.location_id in places for places in limits):
                news[pk].append(alert)
    return news


def _may_see(follower: AlertFollower) -> bool:
    user = follower.user
    return bool(user.is_active and user.email and user.has_perm(SEE))


def send_digests(owed: Sequence[Owed]) -> Results[int]:
    """Send the mail of each digest that a delivery names, at most once.

    Outside any transaction. Once the server cannot be reached, or broke off in the middle of a mail, the rest is
    not tried. A mail that was sent is `unchanged`.

    Refuses: `Suppressed` (nobody who may see it, nothing low any more), `OutcomeUnknown`, and for another try
    `MailRefused`, `ServerAway`, `BeingSent`.
    """
    results: Results[int] = Results(one.delivery_id for one in owed)
    rows = AlertDigest.objects.select_related("follower__user")
    digests = rows.in_bulk([one.subject_id for one in owed])
    away: ServerAway | None = None
    for one in owed:
        try:
            if away is not None:
                raise away
            is_new = _send_once(digests.get(one.subject_id), first_try=one.attempt <= 1)
        except BancaleError as error:
            if isinstance(error, ServerAway):
                away = error
            elif isinstance(error, MailLost):
                away = ServerAway(answer="-")
            results.refuse(one.delivery_id, error)
        else:
            (results.done if is_new else results.unchanged)(one.delivery_id)
    return results


def _send_once(digest: AlertDigest | None, *, first_try: bool) -> bool:
    """True when the mail left now, False when it had left before."""
    if digest is None:
        raise Suppressed(_("nobody follows any more"))
    if digest.sent_at is not None:
        return False
    rows = live_alerts().filter(notices__digest=digest)
    if bound := places_by_user([digest.follower.user]).get(digest.follower.user_id):
        rows = rows.filter(level__location__in=bound)
    alerts = list(
        rows.select_related("level__sku", "level__location").order_by(
            "level__location__preference", "level__location__code", "level__sku__code"
        )
    )
    if reason := _nothing_due(digest, alerts):
        raise Suppressed(reason)
    # Before it is marked as leaving: what breaks while it is written has surely sent nothing.
    written = write_digest(alerts, digest.follower.language)
    _begin(digest, first_try=first_try)
    try:
        _post(digest, written)
    except MailRefused:
        AlertDigest.objects.filter(pk=digest.pk).update(sending_at=None)
        raise
    AlertDigest.objects.filter(pk=digest.pk).update(sent_at=clock.now())
    return True


def _nothing_due(digest: AlertDigest, alerts: Sequence[LowStockAlert]) -> str | Promise:
    if not _may_see(digest.follower):
        return _("this person may not see low stock any more")
    if not alerts:
        return _("nothing is low any more")
    try:
        validate_email(digest.follower.user.email)
    except ValidationError:
        return _("the e-mail address is not valid")
    return ""


def _begin(digest: AlertDigest, *, first_try: bool) -> None:
    """Mark the mail as leaving, by this worker and nobody else."""
    if AlertDigest.objects.filter(pk=digest.pk, sending_at=None).update(sending_at=clock.now()):
        return
    since = digest.sending_at
    if since is None or (first_try and since > clock.now() - LEASE):
        raise BeingSent
    raise OutcomeUnknown(_("The mail may have left: the worker stopped before it knew."))


def _post(digest: AlertDigest, written: Written) -> None:
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        written.subject,
        written.text,
        settings.DEFAULT_FROM_EMAIL,
        [digest.follower.user.email],
        headers={"Message-ID": f"<low-stock.{digest.pk}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(written.html, "text/html")
    post(mail)
